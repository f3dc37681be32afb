import type { FunctionTool, JsonObject, Tool, ToolChoice } from '@bifrost/sdk';
import { defined, snakeCase } from './fields.ts';
import type { FieldReader } from './fields.ts';
import { applyResidue, dialect, residueMember } from './form.ts';
import { toJsonSchema } from './schema.ts';

const declarationForm = { leaves: ['parametersJsonSchema'], aliases: { parameters: 'parametersJsonSchema' } };

/** Reads `tools`: every function declaration and every server tool becomes a tool of its own, in order. */
export function decodeTools(tools: readonly FieldReader[]): readonly Tool[] {
  return tools.flatMap((tool) =>
    Object.entries(tool.object).flatMap(([key, value]): readonly Tool[] => {
      if (value === undefined || value === null) return [];
      const name = key.includes('_') ? key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()) : key;
      if (name === 'functionDeclarations') return (tool.children(name) ?? []).map(decodeDeclaration);
      return [{ type: 'server', dialect, name, value: { [key]: value } }];
    }),
  );
}

function decodeDeclaration(reader: FieldReader): FunctionTool {
  const description = reader.string('description');
  const googleSchema = reader.json('parameters');
  const parameters =
    reader.json('parametersJsonSchema') ?? (googleSchema === undefined ? undefined : toJsonSchema(googleSchema));
  const tool: FunctionTool = {
    type: 'function',
    name: reader.string('name') ?? '',
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters }),
  };
  return { ...tool, ...residueMember(encodeDeclaration(tool), reader.object, declarationForm) };
}

/** Free-text input as the one string argument of a function; its call's arguments stand under the same key. */
const freeformParameters: JsonObject = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
};

function encodeDeclaration(tool: FunctionTool): JsonObject {
  if (tool.isFreeform === true) {
    return defined({ name: tool.name, description: tool.description, parametersJsonSchema: freeformParameters });
  }
  return defined({ name: tool.name, description: tool.description, parametersJsonSchema: tool.parameters });
}

/** Writes `tools`: all functions in one entry, where the first of them stands, and each server tool of Google's in its own. */
export function encodeTools(tools: readonly Tool[]): readonly JsonObject[] {
  const functions = tools.filter((tool) => tool.type === 'function');
  const declarations = functions.map((tool) => applyResidue(encodeDeclaration(tool), tool.residue));
  return tools.flatMap((tool): readonly JsonObject[] => {
    if (tool.type === 'server') return tool.dialect === dialect ? [tool.value] : [];
    return tool === functions[0] ? [{ functionDeclarations: declarations }] : [];
  });
}

/** Reads `toolConfig.functionCallingConfig`. */
export function decodeToolChoice(toolConfig: FieldReader | undefined): ToolChoice | undefined {
  const config = toolConfig?.child('functionCallingConfig');
  const names = config?.strings('allowedFunctionNames') ?? [];
  switch (config?.string('mode')?.toUpperCase()) {
    case 'NONE':
      return { type: 'none' };
    case 'ANY':
      if (names.length === 0) return { type: 'required' };
      return names.length === 1
        ? { type: 'tool', name: names[0] as string }
        : { type: 'allowed', names, mode: 'required' };
    case 'AUTO':
    case 'VALIDATED':
      return names.length === 0 ? { type: 'auto' } : { type: 'allowed', names, mode: 'auto' };
    default:
      return undefined;
  }
}

/**
 * Writes `functionCallingConfig`. Names may be given with ANY and VALIDATED only, so "auto among these" is VALIDATED
 * (https://ai.google.dev/api/caching#FunctionCallingConfig).
 */
export function encodeToolChoice(choice: ToolChoice): JsonObject {
  switch (choice.type) {
    case 'auto':
      return { mode: 'AUTO' };
    case 'none':
      return { mode: 'NONE' };
    case 'required':
      return { mode: 'ANY' };
    case 'tool':
      return { mode: 'ANY', allowedFunctionNames: [choice.name] };
    case 'allowed':
      return { mode: choice.mode === 'required' ? 'ANY' : 'VALIDATED', allowedFunctionNames: choice.names };
  }
}

/** Whether a wire tool entry declares functions, in either spelling. */
export function isFunctionEntry(entry: JsonObject): boolean {
  return entry['functionDeclarations'] !== undefined || entry[snakeCase('functionDeclarations')] !== undefined;
}
