import { isJsonObject } from '@bifrost/sdk';
import type { ErrorInfo, JsonObject, StreamEvent, StreamFrame, Usage } from '@bifrost/sdk';
import type { SseEvent } from '../../sse/event.ts';
import type { EncodeOptions, StreamEncoder } from '../codec.ts';
import { encodeAnnotation } from './citations.ts';
import type { EncodeContext } from './encode-context.ts';
import { encodeError } from './errors.ts';
import { rebuildChunk, toSseEvent } from './frame-builder.ts';
import { encodeLogprobs } from './logprobs.ts';
import { encodeFinishReason } from './response-encode.ts';
import { chunkUsage } from './stream-decoder.ts';
import { StreamCandidate } from './stream-candidate.ts';
import type { PartEvent } from './stream-candidate.ts';
import { encodeUsage, reportUsageLosses } from './usage.ts';

type FinishEvent = Extract<StreamEvent, { readonly type: 'finish' }>;

const done: SseEvent = { data: '[DONE]' };

/**
 * Frames -> Chat Completions chunks. A frame of this dialect that nobody changed becomes its very chunk again; any other is
 * generated: role chunk first, deltas, one finish chunk a choice, the usage chunk where it was asked for, `[DONE]`.
 */
export class OpenaiChatStreamEncoder implements StreamEncoder {
  readonly #options: EncodeOptions;
  readonly #context: EncodeContext;
  readonly #candidates = new Map<number, StreamCandidate>();
  #id: string | undefined;
  #model: string | undefined;
  #created: number | undefined;
  readonly #reasons = new Map<number, FinishEvent>();
  #usage: Usage | undefined;
  #isUsageSent = false;
  #isOver = false;

  constructor(options: EncodeOptions) {
    this.#options = options;
    this.#context = {
      dialect: 'openai-chat',
      report: options.report,
      quirks: options.quirks ?? {},
      direction: 'response',
      isOwn: false,
    };
  }

  push(frame: StreamFrame): readonly SseEvent[] {
    if (this.#isOver) return [];
    const isOwn = frame.residue?.dialect === 'openai-chat';
    const chunk = isOwn ? rebuildChunk(frame) : undefined;
    const generated: SseEvent[] = [];
    for (const event of frame.events) {
      if (event.type === 'error') {
        this.#isOver = true;
        const own = chunk === undefined ? { data: JSON.stringify(encodeError(event.error)) } : toSseEvent(chunk, frame);
        return [...generated, own];
      }
      if (chunk === undefined) generated.push(...this.#event(event, frame).map(toEvent));
      else this.#follow(event, frame);
    }
    if (isOwn && frame.residue?.form?.['done'] !== undefined) return this.finish();
    return chunk === undefined ? generated : this.#rebuilt(chunk, frame);
  }

  finish(): readonly SseEvent[] {
    if (this.#isOver) return [];
    this.#isOver = true;
    return [...this.#finishChunks().map(toEvent), ...this.#usageChunk(), done];
  }

  fail(error: ErrorInfo): readonly SseEvent[] {
    if (this.#isOver) return [];
    this.#isOver = true;
    return [{ data: JSON.stringify(encodeError(error)) }];
  }

  /** A chunk as it came. The one that holds only the usage is kept from a client that did not ask for it. */
  #rebuilt(chunk: JsonObject, frame: StreamFrame): readonly SseEvent[] {
    const { request } = this.#options;
    const isUsage = chunk['usage'] !== undefined && chunk['usage'] !== null;
    const isUsageOnly = isUsage && Array.isArray(chunk['choices']) && chunk['choices'].length === 0;
    if (isUsageOnly && request?.isStreamUsageRequested === false) return [];
    // Groq's `x_groq.usage` is what a client gets that did not ask for the standard form.
    const isElsewhere = chunkUsage(chunk) !== undefined && request?.isStreamUsageRequested !== true;
    if (isUsage || isElsewhere) this.#isUsageSent = true;
    return [...this.#finishChunks().map(toEvent), toSseEvent(chunk, frame)];
  }

  #usageChunk(): readonly SseEvent[] {
    // Absent in a request of a dialect that always reports usage; chat requests say true or false.
    const { request } = this.#options;
    const isWanted = request?.isStreamUsageRequested !== false && !this.#isUsageSent;
    if (!isWanted || this.#usage === undefined) return [];
    reportUsageLosses(this.#usage, this.#options.report);
    return [toEvent({ ...this.#envelope(), choices: [], usage: encodeUsage(this.#usage) })];
  }

  #envelope(): JsonObject {
    this.#created ??= Math.floor(Date.now() / 1000);
    return {
      id: this.#id ?? this.#options.fallbackId ?? 'chatcmpl-unknown',
      object: 'chat.completion.chunk',
      created: this.#created,
      model: this.#model ?? this.#options.request?.model ?? '',
    };
  }

  #chunk(index: number, delta: JsonObject, more: JsonObject = {}): JsonObject {
    return { ...this.#envelope(), choices: [{ index, delta, finish_reason: null, ...more }] };
  }

  #candidate(event: { readonly candidate?: number }): StreamCandidate {
    const index = event.candidate ?? 0;
    let candidate = this.#candidates.get(index);
    if (candidate === undefined) {
      candidate = new StreamCandidate(index, this.#context);
      this.#candidates.set(index, candidate);
    }
    return candidate;
  }

  /** Keeps the state in step with a chunk that goes out as it came, so that later frames may be generated. */
  #follow(event: StreamEvent, frame: StreamFrame): void {
    if (event.type === 'response-start') this.#start(event);
    else if (event.type === 'usage') this.#usage = { ...this.#usage, ...event.usage };
    else if (event.type === 'finish') this.#candidate(event).isFinished = true;
    else if (isPartEvent(event)) {
      const candidate = this.#candidate(event);
      candidate.isRoleSent = true;
      candidate.delta(event, frame);
    }
  }

  #start(event: Extract<StreamEvent, { readonly type: 'response-start' }>): void {
    this.#id = event.id ?? this.#id;
    this.#model = event.model ?? this.#model;
    this.#created = event.createdAt ?? this.#created;
  }

  /** The chunks that say one event. */
  #event(event: StreamEvent, frame: StreamFrame): readonly JsonObject[] {
    switch (event.type) {
      case 'response-start':
        this.#start(event);
        return this.#role(0);
      case 'usage':
        this.#usage = { ...this.#usage, ...event.usage };
        return [];
      case 'server-tool':
      case 'opaque':
        return this.#foreign(event);
      case 'error':
        return [];
      case 'finish':
        return this.#finish(event);
      case 'citation':
        return this.#citation(event);
      default: {
        const delta = this.#candidate(event).delta(event, frame);
        const role = this.#role(event.candidate ?? 0);
        if (delta === undefined) return role;
        const logprobs = event.type === 'text-delta' && event.logprobs !== undefined ? event.logprobs : undefined;
        const more = logprobs === undefined ? {} : { logprobs: { content: encodeLogprobs(logprobs), refusal: null } };
        return [...role, this.#chunk(event.candidate ?? 0, delta, more)];
      }
    }
  }

  #role(index: number): readonly JsonObject[] {
    const candidate = this.#candidate({ candidate: index });
    if (candidate.isRoleSent) return [];
    candidate.isRoleSent = true;
    return [this.#chunk(index, { role: 'assistant', content: '' })];
  }

  #foreign(event: Extract<StreamEvent, { readonly type: 'server-tool' | 'opaque' }>): readonly JsonObject[] {
    const index = event.candidate ?? 0;
    if (event.dialect === 'openai-chat' && isJsonObject(event.value)) {
      return [...this.#role(index), this.#chunk(index, event.value)];
    }
    const field = `choices[${index}].delta.${event.type === 'server-tool' ? 'server_tool' : 'opaque'}`;
    const what = event.type === 'server-tool' ? event.name : 'it';
    this.#options.report.add({ action: 'dropped', field, reason: `only ${event.dialect} knows ${what}` });
    return [];
  }

  /** Held back to the end: an answer in several turns (server-side tools) names a reason for each, and the last one counts. */
  #finish(event: FinishEvent): readonly JsonObject[] {
    if (!this.#candidate(event).isFinished) this.#reasons.set(event.candidate ?? 0, event);
    return [];
  }

  #finishChunks(): readonly JsonObject[] {
    return [...this.#reasons].flatMap(([index, { reason }]) => {
      this.#reasons.delete(index);
      this.#candidate({ candidate: index }).isFinished = true;
      const stop = reason.stopSequence === undefined ? {} : { stop_reason: reason.stopSequence };
      const word = encodeFinishReason({ finishReason: reason }, `choices[${index}]`, this.#context);
      return [...this.#role(index), this.#chunk(index, {}, { finish_reason: word, ...stop })];
    });
  }

  #citation(event: Extract<StreamEvent, { readonly type: 'citation' }>): readonly JsonObject[] {
    const index = event.candidate ?? 0;
    const path = `choices[${index}].delta.annotations`;
    const annotation = encodeAnnotation(
      event.citation,
      this.#candidate(event).textStart(event.part),
      path,
      this.#context,
    );
    return [...this.#role(index), this.#chunk(index, { annotations: [annotation] })];
  }
}

function isPartEvent(event: StreamEvent): event is PartEvent {
  return 'part' in event && event.type !== 'citation';
}

function toEvent(chunk: JsonObject): SseEvent {
  return { data: JSON.stringify(chunk) };
}
