import { isJsonObject } from '@bifrost/sdk';
import type { Json, Usage } from '@bifrost/sdk';
import type { SseEvent } from '../../sse/event.ts';
import type { StreamEventClass } from '../codec.ts';
import { chunkUsage, isErrorChunk } from './stream-decoder.ts';
import { decodeUsage } from './usage.ts';

const quote = 0x22;
const colon = 0x3a;

function skipSpace(data: string, from: number): number {
  let at = from;
  while (data.charCodeAt(at) <= 0x20) at += 1; // NaN at the end compares false
  return at;
}

/**
 * Index of the first character of `key`'s value, from `from` on; -1 without one. A key in quotes that a colon follows is a key at
 * some depth: inside a string the quotes would be escaped. `key` comes with its quotes.
 */
function valueOf(data: string, key: string, from: number): number {
  for (let at = data.indexOf(key, from); at !== -1; at = data.indexOf(key, at + key.length)) {
    const next = skipSpace(data, at + key.length);
    if (data.charCodeAt(next) === colon) return skipSpace(data, next + 1);
  }
  return -1;
}

/** True where some value of `key` is a string, list or object that is not empty. */
function hasValue(data: string, key: string): boolean {
  for (let at = valueOf(data, key, 0); at !== -1; at = valueOf(data, key, at)) {
    const first = data[at];
    if (first === '"' && data.charCodeAt(at + 1) !== quote) return true;
    if (first === '[' && data[skipSpace(data, at + 1)] !== ']') return true;
    if (first === '{' && data[skipSpace(data, at + 1)] !== '}') return true;
  }
  return false;
}

const contentKeys = [
  '"content"',
  '"tool_calls"',
  '"reasoning"',
  '"reasoning_content"',
  '"refusal"',
  '"reasoning_details"',
  '"function_call"',
  '"text"',
];

function parse(data: string): Json {
  try {
    return JSON.parse(data) as Json;
  } catch {
    return null; // not for us to judge: the client sees it as it is
  }
}

function isNothing(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '' || typeof value === 'number' || typeof value === 'boolean')
    return true;
  return typeof value === 'object' && Object.values(value).every((one) => isNothing(one as Json));
}

/** Chunks that no string test decides: role chunks, empty deltas, usage, and what is unknown. */
function classifyParsed(chunk: Json): StreamEventClass {
  if (!isJsonObject(chunk)) return 'content';
  if (isErrorChunk(chunk)) return 'error';
  if (!Array.isArray(chunk['choices'])) return 'content';
  for (const choice of chunk['choices'] as readonly Json[]) {
    const delta = isJsonObject(choice) ? choice['delta'] : undefined;
    if (!isJsonObject(delta)) continue;
    for (const [key, value] of Object.entries(delta)) if (key !== 'role' && !isNothing(value)) return 'content';
  }
  return 'lifecycle';
}

/** How a wire event counts, by string tests; see `DialectCodec.classifyStreamEvent`. A finish reason ends a healthy stream too. */
export function classifyStreamEvent(event: SseEvent): StreamEventClass {
  const { data } = event;
  if (data.startsWith('[DONE]')) return 'terminal';
  if (event.event === 'error') return 'error';
  if (hasValue(data, '"error"')) {
    const chunk = parse(data);
    if (isJsonObject(chunk) && isErrorChunk(chunk)) return 'error';
  }
  const reason = valueOf(data, '"finish_reason"', 0);
  if (reason !== -1 && hasValue(data, '"finish_reason"')) return 'terminal';
  if (contentKeys.some((key) => hasValue(data, key))) return 'content';
  return classifyParsed(parse(data));
}

/** The usage of an undecoded chunk; parses only where there is some. */
export function readStreamUsage(event: SseEvent): Usage | undefined {
  if (!hasValue(event.data, '"usage"')) return undefined;
  const chunk = parse(event.data);
  const usage = isJsonObject(chunk) ? chunkUsage(chunk) : undefined;
  return usage === undefined ? undefined : decodeUsage(usage);
}
