import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject, Usage } from '@bifrost/sdk';
import type { StreamEventClass } from '../codec.ts';
import type { SseEvent } from '../../sse/event.ts';
import { FieldReader, fieldOf } from './fields.ts';
import { decodeBlockReason, decodeFinishReason } from './finish-reason.ts';
import { decodeUsage } from './usage.ts';

/** A text that is not empty. Inside a JSON string a quote is escaped, so `"text"` can only be a name or a whole value. */
const spokenText = /"text"\s*:\s*"[^"]/;

function parse(data: string): JsonObject | undefined {
  try {
    const value = JSON.parse(data) as Json;
    const object: unknown = Array.isArray(value) ? value[0] : value;
    return isJsonObject(object) ? object : undefined;
  } catch {
    return undefined; // not JSON: the decoder will say so
  }
}

function isContentPart(part: Json): boolean {
  if (!isJsonObject(part)) return true;
  const names = Object.keys(part).filter((name) => name !== 'thought');
  return names.length > 0 && !(names.length === 1 && part['text'] === '');
}

function classifyCandidates(candidates: readonly Json[]): StreamEventClass {
  let result: StreamEventClass = 'lifecycle';
  for (const candidate of candidates) {
    if (!isJsonObject(candidate)) return 'content';
    if (decodeFinishReason(fieldOf(candidate, 'finishReason'), false) !== undefined) return 'terminal';
    const content = candidate['content'];
    const parts = isJsonObject(content) ? content['parts'] : undefined;
    if (Array.isArray(parts) ? parts.some(isContentPart) : isJsonObject(parts)) result = 'content';
  }
  return result;
}

function classifyParsed(data: string): StreamEventClass {
  const chunk = parse(data);
  if (chunk === undefined) return 'content';
  if (chunk['error'] !== undefined) return 'error';
  const feedback = fieldOf(chunk, 'promptFeedback');
  if (isJsonObject(feedback) && decodeBlockReason(fieldOf(feedback, 'blockReason')) !== undefined) return 'terminal';
  const candidates = chunk['candidates'];
  if (Array.isArray(candidates)) return classifyCandidates(candidates as readonly Json[]);
  const isHead = chunk['usageMetadata'] !== undefined || chunk['responseId'] !== undefined;
  return isHead || chunk['usage_metadata'] !== undefined ? 'lifecycle' : 'content';
}

/**
 * How a chunk counts. String tests decide the common case, a chunk with text and no end; a chunk that may be an end, an error or
 * without content is parsed. A chunk with content and a finishReason is `terminal`: callers count that as content too.
 */
export function classifyStreamEvent(event: SseEvent): StreamEventClass {
  const { data } = event;
  const mayEnd =
    data.includes('"finishReason"') ||
    data.includes('"error"') ||
    data.includes('"blockReason"') ||
    data.includes('"finish_reason"') ||
    data.includes('"block_reason"');
  return !mayEnd && spokenText.test(data) ? 'content' : classifyParsed(data);
}

/** The totals that a chunk carries, if any. */
export function readStreamUsage(event: SseEvent): Usage | undefined {
  if (!event.data.includes('"usageMetadata"') && !event.data.includes('"usage_metadata"')) return undefined;
  const chunk = parse(event.data);
  if (chunk === undefined) return undefined;
  const usage = new FieldReader(chunk, { path: '', isStrict: false }).child('usageMetadata');
  if (usage === undefined) return undefined;
  const decoded = decodeUsage(usage);
  return Object.keys(decoded).length === 0 ? undefined : decoded;
}
