import { isJsonObject } from '@bifrost/sdk';
import type { FunctionTool, Json, JsonObject } from '@bifrost/sdk';

/** Deeper schemas (recursive ones, too) end in an empty object. */
const maxDepth = 8;

/** Arguments that fit a tool's JSON Schema as far as type, enum, const, default, required and items say. */
export function sampleArguments(tool: FunctionTool): string {
  return JSON.stringify(tool.parameters === undefined ? {} : sample(tool.parameters, 0));
}

function sample(schema: JsonObject, depth: number): Json {
  if (schema['const'] !== undefined) return schema['const'];
  if (schema['default'] !== undefined) return schema['default'];
  const choices = schema['enum'];
  if (Array.isArray(choices) && choices.length > 0) return choices[0] as Json;
  const type = Array.isArray(schema['type']) ? (schema['type'] as Json[])[0] : schema['type'];
  switch (typeof type === 'string' ? type.toLowerCase() : 'object') {
    case 'string':
      return 'mock';
    case 'integer':
    case 'number':
      return typeof schema['minimum'] === 'number' ? schema['minimum'] : 1;
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'array':
      return isJsonObject(schema['items']) && depth < maxDepth ? [sample(schema['items'], depth + 1)] : [];
    default:
      return sampleObject(schema, depth);
  }
}

function sampleObject(schema: JsonObject, depth: number): Json {
  const properties = schema['properties'];
  if (!isJsonObject(properties) || depth >= maxDepth) return {};
  const required = Array.isArray(schema['required']) ? schema['required'] : Object.keys(properties);
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, property]) =>
      required.includes(name) && isJsonObject(property) ? [[name, sample(property, depth + 1)]] : [],
    ),
  );
}
