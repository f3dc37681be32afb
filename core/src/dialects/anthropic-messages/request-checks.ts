/** What of a request body must be there and of which type. Everything else is the provider's to judge. */
import { InvalidRequestError, isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';

type Kind = 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'array' | 'string or array';

const expectations: Readonly<Record<Kind, { readonly words: string; readonly test: (value: Json) => boolean }>> = {
  string: { words: 'a string', test: (value) => typeof value === 'string' },
  number: { words: 'a number', test: (value) => typeof value === 'number' },
  integer: { words: 'a whole number of 0 or more', test: (value) => Number.isInteger(value) && (value as number) >= 0 },
  boolean: { words: 'true or false', test: (value) => typeof value === 'boolean' },
  object: { words: 'an object', test: isJsonObject },
  array: { words: 'an array', test: Array.isArray },
  'string or array': {
    words: 'a string or an array of blocks',
    test: (v) => typeof v === 'string' || Array.isArray(v),
  },
};

/** What was given, without its content: prompts do not belong in error messages. */
function describe(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'a string' : `the ${typeof value} ${String(value)}`;
}

function invalid(param: string, given: Json | undefined, expected: string): InvalidRequestError {
  return new InvalidRequestError(`${param}: ${describe(given)} was given, ${expected} is expected`, {
    code: 'BF_REQUEST_INVALID',
    param,
  });
}

function check(object: JsonObject, key: string, kind: Kind, path = ''): void {
  const value = object[key];
  const { words, test } = expectations[kind];
  if (value === undefined || !test(value)) throw invalid(path + key, value, words);
}

const requiredOfBlocks: Readonly<Record<string, readonly (readonly [string, Kind])[]>> = {
  text: [['text', 'string']],
  image: [['source', 'object']],
  document: [['source', 'object']],
  tool_use: [
    ['id', 'string'],
    ['name', 'string'],
    ['input', 'object'],
  ],
  tool_result: [['tool_use_id', 'string']],
  thinking: [['thinking', 'string']],
  redacted_thinking: [['data', 'string']],
};

function checkBlocks(blocks: readonly Json[], path: string): void {
  for (const [index, block] of blocks.entries()) {
    const at = `${path}[${index}]`;
    if (!isJsonObject(block)) throw invalid(at, block, 'a content block (an object with a type)');
    check(block, 'type', 'string', `${at}.`);
    const required = Object.hasOwn(requiredOfBlocks, block['type'] as string)
      ? requiredOfBlocks[block['type'] as string]
      : undefined;
    for (const [key, kind] of required ?? []) check(block, key, kind, `${at}.`);
    const { content } = block;
    if (block['type'] === 'tool_result' && content !== undefined && content !== null) {
      check(block, 'content', 'string or array', `${at}.`);
      if (Array.isArray(content)) checkBlocks(content as readonly Json[], `${at}.content`);
    }
  }
}

const roles: ReadonlySet<Json | undefined> = new Set(['user', 'assistant', 'system']);

function checkMessage(message: Json, path: string): void {
  if (!isJsonObject(message)) throw invalid(path, message, 'an object with role and content');
  const { role, content } = message;
  if (!roles.has(role)) throw invalid(`${path}.role`, role, '"user", "assistant" or "system"');
  check(message, 'content', 'string or array', `${path}.`);
  if (Array.isArray(content)) checkBlocks(content as readonly Json[], `${path}.content`);
}

const optionalFields: readonly (readonly [string, Kind])[] = [
  ['system', 'string or array'],
  ['stream', 'boolean'],
  ['temperature', 'number'],
  ['top_p', 'number'],
  ['top_k', 'number'],
  ['stop_sequences', 'array'],
  ['tools', 'array'],
  ['tool_choice', 'object'],
  ['thinking', 'object'],
  ['metadata', 'object'],
  ['output_config', 'object'],
  ['output_format', 'object'],
  ['service_tier', 'string'],
];

/** Throws InvalidRequestError for the first member that is missing or of the wrong type. `null` counts as absent where optional. */
export function checkRequest(body: JsonObject, options: { readonly isMaxTokensRequired: boolean }): void {
  check(body, 'model', 'string');
  if (options.isMaxTokensRequired || (body['max_tokens'] !== undefined && body['max_tokens'] !== null)) {
    check(body, 'max_tokens', 'integer');
  }
  check(body, 'messages', 'array');
  const messages = body['messages'] as readonly Json[];
  if (messages.length === 0) throw invalid('messages', messages, 'at least one message');
  for (const [index, message] of messages.entries()) checkMessage(message, `messages[${index}]`);
  for (const [key, kind] of optionalFields) {
    if (body[key] !== undefined && body[key] !== null) check(body, key, kind);
  }
  if (Array.isArray(body['system'])) checkBlocks(body['system'] as readonly Json[], 'system');
  for (const [index, tool] of ((body['tools'] ?? []) as readonly Json[]).entries()) {
    if (!isJsonObject(tool)) throw invalid(`tools[${index}]`, tool, 'a tool (an object)');
  }
  for (const [index, stop] of ((body['stop_sequences'] ?? []) as readonly Json[]).entries()) {
    if (typeof stop !== 'string') throw invalid(`stop_sequences[${index}]`, stop, 'a string');
  }
}
