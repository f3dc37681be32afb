import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';
import { didYouMean } from './suggestion.ts';
import { formatPath } from './problem.ts';
import type { ConfigProblem, PathStep } from './problem.ts';

/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

const referencePattern = /^env\.([A-Za-z_][A-Za-z0-9_]*)$/;
const objectKeys = new Set(['value', 'env_var', 'from_env', 'type', 'ref']);

export interface ReferenceResult {
  /** A copy of the input in which every reference is replaced by its value. */
  readonly value: Json;
  readonly problems: readonly ConfigProblem[];
}

/** `{value, env_var, from_env}` or `{type, ref}`: how Bifrost writes a secret that may come from elsewhere. */
function isReferenceObject(value: JsonObject): boolean {
  const keys = Object.keys(value);
  if (keys.length === 0 || !keys.every((key) => objectKeys.has(key))) return false;
  return 'env_var' in value || 'from_env' in value || (('ref' in value || 'value' in value) && 'type' in value);
}

class Resolver {
  readonly problems: ConfigProblem[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  resolve(value: Json, path: readonly PathStep[]): Json {
    if (typeof value === 'string') return this.#string(value, path);
    if (Array.isArray(value)) return value.map((item: Json, index) => this.resolve(item, [...path, index]));
    if (!isJsonObject(value)) return value;
    if (isReferenceObject(value)) return this.#object(value, path);
    const entries = Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined);
    return Object.fromEntries(entries.map(([key, item]) => [key, this.resolve(item, [...path, key])]));
  }

  #string(text: string, path: readonly PathStep[]): Json {
    const name = referencePattern.exec(text)?.[1];
    if (name !== undefined) return this.#variable(name, path);
    if (/^vault\.[^\s]+$/.test(text)) {
      this.#add(path, 'references to a vault are not supported yet; give the value as env.NAME');
    }
    return text;
  }

  #object(value: JsonObject, path: readonly PathStep[]): Json {
    const reference = value['ref'] ?? value['env_var'];
    const isFromEnvironment = value['from_env'] === true || value['type'] === 'env';
    if (value['type'] === 'vault') {
      this.#add(path, 'references to a vault are not supported yet; give the value as env.NAME');
      return '';
    }
    const literal = value['value'];
    if (!isFromEnvironment && typeof literal === 'string' && literal !== '') return this.#string(literal, path);
    if (typeof reference === 'string' && reference !== '') return this.#variable(reference.replace(/^env\./, ''), path);
    if (isFromEnvironment) {
      this.#add(path, 'says that it comes from the environment and names no variable; add "env_var": "env.NAME"');
      return '';
    }
    return literal ?? '';
  }

  #variable(name: string, path: readonly PathStep[]): Json {
    const value = this.#environment[name];
    if (value !== undefined && value !== '') return value;
    const state = value === undefined ? 'not set' : 'empty';
    const near = value === undefined ? didYouMean(name, Object.keys(this.#environment)) : '';
    this.#add(path, `refers to the environment variable ${name}, which is ${state}${near}`);
    return `unresolved reference to ${name}`;
  }

  #add(path: readonly PathStep[], message: string): void {
    this.problems.push({ path: formatPath(path), message });
  }
}

/**
 * Replaces `env.NAME` strings and `{value, env_var, from_env}` objects anywhere below `value`. A variable that is missing or
 * empty is a problem that names path and variable.
 */
export function resolveReferences(value: Json, path: readonly PathStep[], environment: Environment): ReferenceResult {
  const resolver = new Resolver(environment);
  const resolved = resolver.resolve(value, path);
  return { value: resolved, problems: resolver.problems };
}
