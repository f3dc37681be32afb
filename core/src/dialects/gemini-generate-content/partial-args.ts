import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';
import type { FieldReader } from './fields.ts';

type Container = Record<string, Json> | Json[];

/** Steps of a JSON path of the plain kind Vertex sends: `$.a.b[0]`, `$['a']`. */
function stepsOf(path: string): readonly (string | number)[] {
  return [...path.matchAll(/\.([^.[\]]+)|\[(\d+)\]|\['([^']*)'\]/g)].map(([, name, index, quoted]) =>
    index === undefined ? (name ?? quoted ?? '') : Number(index),
  );
}

/** Names that would reach the prototype instead of a member. */
const forbidden = new Set(['__proto__', 'constructor', 'prototype']);
/** A list longer than this is a slip or an attack, not an argument. */
const maxListIndex = 100_000;

function isUsable(step: string | number): boolean {
  return typeof step === 'number' ? step <= maxListIndex : !forbidden.has(step);
}

function valueOf(partial: FieldReader): Json | undefined {
  if (partial.has('stringValue')) return partial.string('stringValue');
  if (partial.has('numberValue')) return partial.number('numberValue');
  if (partial.has('boolValue')) return partial.boolean('boolValue');
  return 'nullValue' in partial.object || 'null_value' in partial.object ? null : undefined;
}

/**
 * The arguments of a function call that Vertex streams piece by piece (`partialArgs`, asked for with
 * `streamFunctionCallArguments`): each piece names its place by a JSON path, and pieces of one string are joined.
 * https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc
 */
export class PartialArguments {
  readonly #root: Record<string, Json> = {};

  get value(): JsonObject {
    return this.#root;
  }

  /** Takes whole `args` of a call. */
  assign(args: JsonObject): void {
    for (const [name, value] of Object.entries(args))
      if (value !== undefined && isUsable(name)) this.#root[name] = value;
  }

  add(partial: FieldReader): void {
    const steps = stepsOf(partial.string('jsonPath') ?? '');
    const value = valueOf(partial);
    const last = steps.at(-1);
    if (last === undefined || value === undefined || !steps.every(isUsable)) return;
    let at: Container = this.#root;
    for (const [index, step] of steps.slice(0, -1).entries()) {
      at = descend(at, step, typeof steps[index + 1] === 'number');
    }
    const before = read(at, last);
    write(at, last, typeof before === 'string' && typeof value === 'string' ? before + value : value);
  }
}

function read(container: Container, step: string | number): Json | undefined {
  return Array.isArray(container) ? container[Number(step)] : container[String(step)];
}

function write(container: Container, step: string | number, value: Json): void {
  if (Array.isArray(container)) container[Number(step)] = value;
  else container[String(step)] = value;
}

function descend(container: Container, step: string | number, isList: boolean): Container {
  const next = read(container, step);
  if (Array.isArray(next)) return next as Json[];
  if (next !== undefined && isJsonObject(next)) return next as Record<string, Json>;
  const made: Container = isList ? [] : {};
  write(container, step, made);
  return made;
}
