/** The JSON of a call of the admin API. */
import { isJsonObject } from '@bifrost/sdk';
import type { GatewayError, Json } from '@bifrost/sdk';
import { parseJsonText } from '@bifrost/framework/admin';
import { invalid } from './plugins/entry-patch.ts';

/** Far deeper than any entry is, and nothing that runs over it by recursion comes to its end. */
const maxDepth = 100;

type ParsedBody = { readonly body: Json | undefined } | { readonly error: GatewayError };

/** What is wrong with a value that is JSON. */
function faultIn(value: Json | undefined, path: string, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > maxDepth) return `the body is nested deeper than ${maxDepth} levels`;
  for (const [name, member] of Object.entries(value)) {
    const own = isJsonObject(value) ? `${path}${path === '' ? '' : '.'}${name}` : `${path}[${name}]`;
    // Whoever copies it by name changes what the copy inherits.
    const isProto = name === '__proto__';
    const fault = isProto ? `${own}: "__proto__" is no name for a member` : faultIn(member, own, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Undefined for an empty body. */
export function parseJsonBody(text: string): ParsedBody {
  if (text.trim() === '') return { body: undefined };
  const parsed = parseJsonText(text);
  if ('error' in parsed) {
    const { line, column } = parsed.position;
    return { error: invalid(`the body is not JSON: line ${line}, column ${column}: ${parsed.error}`) };
  }
  const fault = faultIn(parsed.value, '', 1);
  return fault === undefined ? { body: parsed.value } : { error: invalid(fault) };
}
