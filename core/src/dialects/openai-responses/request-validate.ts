/** Checks a request's shape before it is decoded, so that a caller learns at once what is wrong and where. */
import type { Json, JsonObject } from '@bifrost/sdk';
import { InvalidRequestError, isJsonObject } from '@bifrost/sdk';

function describe(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** An `InvalidRequestError` that names the field, what stood there and what belongs there. */
export function invalidField(param: string, given: Json | undefined, expected: string): InvalidRequestError {
  return new InvalidRequestError(`\`${param}\` is ${describe(given)}; expected ${expected}`, {
    code: 'BF_REQUEST_INVALID',
    param,
  });
}

const expectations = {
  string: { isValid: (value: Json) => typeof value === 'string', expected: 'a string' },
  number: { isValid: (value: Json) => typeof value === 'number', expected: 'a number' },
  boolean: { isValid: (value: Json) => typeof value === 'boolean', expected: 'true or false' },
  object: { isValid: (value: Json) => isJsonObject(value), expected: 'an object' },
  list: { isValid: (value: Json) => Array.isArray(value), expected: 'a list' },
} as const;

const topLevel: Readonly<Record<string, keyof typeof expectations>> = {
  model: 'string',
  instructions: 'string',
  tools: 'list',
  parallel_tool_calls: 'boolean',
  text: 'object',
  reasoning: 'object',
  stream: 'boolean',
  max_output_tokens: 'number',
  temperature: 'number',
  top_p: 'number',
  top_logprobs: 'number',
  user: 'string',
  service_tier: 'string',
  metadata: 'object',
  include: 'list',
  previous_response_id: 'string',
  store: 'boolean',
};

function assertString(item: JsonObject, key: string, path: string): void {
  const value = item[key];
  if (typeof value !== 'string') throw invalidField(`${path}.${key}`, value, 'a string');
}

function assertContent(content: Json | undefined, path: string): void {
  if (typeof content === 'string') return;
  if (!Array.isArray(content)) throw invalidField(path, content, 'a string or a list of content parts');
  for (const [index, part] of (content as readonly Json[]).entries()) {
    const place = `${path}[${index}]`;
    if (!isJsonObject(part))
      throw invalidField(place, part, 'an object with a `type`, e.g. {"type":"input_text","text":"..."}');
    assertString(part, 'type', place);
    const { type } = part;
    if (type === 'input_text' || type === 'output_text') assertString(part, 'text', place);
  }
}

function assertItem(item: Json, path: string): void {
  if (!isJsonObject(item)) throw invalidField(path, item, 'an object, e.g. {"role":"user","content":"..."}');
  const { type, role } = item;
  if (type === undefined && role === undefined && item['id'] === undefined) {
    throw invalidField(`${path}.type`, type, 'the type of the item, or a message with `role` and `content`');
  }
  if (type !== undefined && typeof type !== 'string') throw invalidField(`${path}.type`, type, 'a string');
  switch (type) {
    case undefined:
      if (role !== undefined) assertContent(item['content'], `${path}.content`);
      return;
    case 'message':
      assertString(item, 'role', path);
      assertContent(item['content'], `${path}.content`);
      return;
    case 'function_call':
      for (const key of ['call_id', 'name', 'arguments']) assertString(item, key, path);
      return;
    case 'custom_tool_call':
      for (const key of ['call_id', 'name', 'input']) assertString(item, key, path);
      return;
    case 'function_call_output':
    case 'custom_tool_call_output':
      assertString(item, 'call_id', path);
      assertContent(item['output'], `${path}.output`);
      return;
    default:
  }
}

function assertTools(tools: Json | undefined): void {
  if (!Array.isArray(tools)) return;
  for (const [index, tool] of (tools as readonly Json[]).entries()) {
    const path = `tools[${index}]`;
    if (!isJsonObject(tool)) throw invalidField(path, tool, 'an object, e.g. {"type":"function","name":"..."}');
    assertString(tool, 'type', path);
    if (tool['type'] === 'function' || tool['type'] === 'custom') assertString(tool, 'name', path);
  }
}

/** Throws `InvalidRequestError` (`BF_REQUEST_INVALID`, with `param`) for a body that the API would not take. */
export function assertRequest(body: JsonObject): void {
  for (const [key, type] of Object.entries(topLevel)) {
    const value = body[key];
    if (value === undefined || value === null) continue;
    const { isValid, expected } = expectations[type];
    if (!isValid(value)) throw invalidField(key, value, expected);
  }
  const { input } = body;
  if (input === undefined || input === null) {
    const isHeldElsewhere = ['previous_response_id', 'prompt', 'conversation'].some(
      (key) => (body[key] ?? null) !== null,
    );
    if (!isHeldElsewhere) {
      throw invalidField(
        'input',
        input,
        'a string or a list of items (or `previous_response_id`, `conversation` or `prompt`)',
      );
    }
  } else if (Array.isArray(input)) {
    for (const [index, item] of (input as readonly Json[]).entries()) assertItem(item, `input[${index}]`);
  } else if (typeof input !== 'string') throw invalidField('input', input, 'a string or a list of items');
  assertTools(body['tools']);
}
