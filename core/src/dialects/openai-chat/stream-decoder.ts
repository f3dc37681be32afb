import { GatewayError, isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject, StreamFrame } from '@bifrost/sdk';
import type { SseEvent } from '../../sse/event.ts';
import type { StreamDecoder } from '../codec.ts';
import { decodeError } from './errors.ts';
import { FrameBuilder } from './frame-builder.ts';
import { StreamChoice } from './stream-choice.ts';
import { decodeUsage } from './usage.ts';

/** Parses one event's data. Throws `BF_DIALECT_STREAM_INVALID` for anything but a JSON object. */
export function parseChunk(data: string): JsonObject {
  let chunk: unknown;
  try {
    chunk = JSON.parse(data);
  } catch (cause) {
    throw invalidChunk(data, cause);
  }
  if (!isJsonObject(chunk)) throw invalidChunk(data, undefined);
  return chunk;
}

function invalidChunk(data: string, cause: unknown): GatewayError {
  return new GatewayError(`the provider sent a stream event that is not a JSON object (${data.length} characters)`, {
    code: 'BF_DIALECT_STREAM_INVALID',
    statusCode: 502,
    origin: 'provider',
    isRetryable: true,
    cause,
  });
}

/** The error of a stream that broke off: an `error` event of `finish()`. */
export const truncatedStream = {
  statusCode: 502,
  message: 'the provider ended the stream without a finish reason: the answer is incomplete',
  code: 'BF_STREAM_TRUNCATED',
  type: 'server_error',
  origin: 'provider',
} as const;

/** True for an error object (or text) in the place where a healthy chunk has none or null. */
export function isErrorChunk(chunk: JsonObject): boolean {
  const { error } = chunk;
  return isJsonObject(error) || (typeof error === 'string' && error !== '');
}

/** The usage that a chunk carries: in `usage`, or (Groq) in `x_groq.usage`. */
export function chunkUsage(chunk: JsonObject): JsonObject | undefined {
  if (isJsonObject(chunk['usage'])) return chunk['usage'];
  const extra = chunk['x_groq'];
  return isJsonObject(extra) && isJsonObject(extra['usage']) ? extra['usage'] : undefined;
}

/**
 * Chat Completions chunks -> frames. A chunk is one frame; `[DONE]` is a frame without events. A choice that never got a finish
 * reason is finished by `[DONE]` (a server that sends it says that all is well; some never name a reason), and is an error without.
 */
export class OpenaiChatStreamDecoder implements StreamDecoder {
  readonly #choices = new Map<number, StreamChoice>();
  #id = '';
  #isStarted = false;
  #isFailed = false;
  #isDone = false;

  push(event: SseEvent): readonly StreamFrame[] {
    const data = event.data.trim();
    if (data === '') return [];
    if (data === '[DONE]') return this.#done(event);
    const chunk = parseChunk(data);
    const builder = new FrameBuilder(chunk);
    if (isErrorChunk(chunk) || event.event === 'error') {
      this.#isFailed = true;
      builder.emit({ type: 'error', error: decodeError(200, chunk) });
      return [builder.frame('openai-chat', event)];
    }
    const choices = Array.isArray(chunk['choices']) ? (chunk['choices'] as readonly Json[]) : [];
    this.#start(chunk, choices.length > 0, builder);
    for (const [at, choice] of choices.entries()) {
      if (isJsonObject(choice)) this.#choice(choice, at).push(choice, ['choices', at], builder);
    }
    if (Array.isArray(chunk['citations'])) this.#choices.get(0)?.cite(chunk['citations'] as readonly Json[], builder);
    const usage = chunkUsage(chunk);
    if (usage !== undefined) builder.emit({ type: 'usage', usage: decodeUsage(usage) });
    return [builder.frame('openai-chat', event)];
  }

  finish(): readonly StreamFrame[] {
    if (this.#isFailed || this.#isDone) return [];
    const open = [...this.#choices.values()].filter((choice) => !choice.isFinished);
    if (open.length === 0 && this.#choices.size > 0) return [];
    this.#isFailed = true;
    const builder = new FrameBuilder({});
    for (const choice of open) choice.close(builder);
    builder.emit({ type: 'error', error: truncatedStream });
    return [{ events: builder.events }];
  }

  #done(event: SseEvent): readonly StreamFrame[] {
    const choices = [...this.#choices];
    if (this.#isFailed || this.#isDone || !choices.some(([, choice]) => choice.isFinished || choice.hasContent))
      return [];
    this.#isDone = true;
    const builder = new FrameBuilder({});
    for (const [index, choice] of choices) {
      if (choice.isFinished) continue;
      choice.close(builder);
      const candidate = index === 0 ? {} : { candidate: index };
      builder.emit({ type: 'finish', ...candidate, reason: { kind: choice.hasCalls ? 'tool-calls' : 'other' } });
    }
    const residue = { dialect: 'openai-chat' as const, fields: {}, form: { done: event.data } };
    return [{ events: builder.events, residue }];
  }

  /** Azure's first chunk has no choices and an empty id: the response begins with the chunk after it. */
  #start(chunk: JsonObject, hasChoices: boolean, builder: FrameBuilder): void {
    const { id, model, created } = chunk;
    if (this.#isStarted || (!hasChoices && (id === undefined || id === ''))) return;
    this.#isStarted = true;
    this.#id = typeof id === 'string' ? id : '';
    builder.emit({
      type: 'response-start',
      ...(typeof id === 'string' && id !== '' ? { id } : {}),
      ...(typeof model === 'string' && model !== '' ? { model } : {}),
      ...(typeof created === 'number' && created > 0 ? { createdAt: created } : {}),
    });
  }

  #choice(choice: JsonObject, at: number): StreamChoice {
    const index = typeof choice['index'] === 'number' ? choice['index'] : at;
    let known = this.#choices.get(index);
    if (known === undefined) {
      known = new StreamChoice(
        index,
        (count) => `call_${this.#id.replace(/[^a-zA-Z0-9]/g, '').slice(-24)}_${index}_${count}`,
      );
      this.#choices.set(index, known);
    }
    return known;
  }
}
