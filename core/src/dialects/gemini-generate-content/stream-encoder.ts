import type { ErrorInfo, Json, JsonObject, StreamEvent, StreamFrame, Usage } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { EncodeOptions, StreamEncoder } from '../codec.ts';
import type { SseEvent } from '../../sse/event.ts';
import { ChunkBuilder } from './chunk-builder.ts';
import { encodeError } from './errors.ts';
import { defined } from './fields.ts';
import { applyResidue, dialect, isOwn } from './form.ts';
import { encodeUsage } from './usage.ts';

/**
 * Frames -> chunks. A frame that a Gemini decoder made, with its residue, becomes the very chunk it was; any other gives chunks
 * of its own, and its finish reasons are held back for the last chunk, which also carries the usage.
 */
export class GeminiStreamEncoder implements StreamEncoder {
  readonly #options: EncodeOptions;
  readonly #builder = new ChunkBuilder();
  /** Finish reasons by candidate that wait for the last chunk. */
  readonly #finishes = new Map<number, Json>();
  #usage: Usage = {};
  #hasHeldFinish = false;
  #isOver = false;

  constructor(options: EncodeOptions) {
    this.#options = options;
  }

  push(frame: StreamFrame): readonly SseEvent[] {
    if (this.#isOver) return [];
    const failure = frame.events.find((event) => event.type === 'error');
    if (isOwn(frame.residue)) {
      const made = failure === undefined ? this.#builder.build(frame.events) : encodeError(failure.error);
      this.#isOver = failure !== undefined;
      return [{ data: JSON.stringify(applyResidue(made, frame.residue)) }];
    }
    if (failure === undefined) return this.#pushForeign(frame.events);
    const before = this.#pushForeign(frame.events.slice(0, frame.events.indexOf(failure)));
    return [...before, ...this.fail(failure.error)];
  }

  finish(): readonly SseEvent[] {
    if (this.#isOver || !this.#hasHeldFinish) return [];
    this.#isOver = true;
    const candidates = [...this.#finishes]
      .toSorted(([left], [right]) => left - right)
      .map(([index, finishReason]) => ({ content: { role: 'model', parts: [{ text: '' }] }, finishReason, index }));
    const hasUsage = Object.keys(this.#usage).length > 0;
    return [this.#chunk({ candidates, ...(hasUsage ? { usageMetadata: encodeUsage(this.#usage) } : {}) })];
  }

  fail(error: ErrorInfo): readonly SseEvent[] {
    this.#isOver = true;
    return [{ data: JSON.stringify(encodeError(error)) }];
  }

  #pushForeign(events: readonly StreamEvent[]): readonly SseEvent[] {
    for (const event of events) {
      if (event.type === 'usage') this.#usage = { ...this.#usage, ...event.usage };
      else this.#reportLoss(event);
    }
    const made = this.#builder.build(events);
    const candidates = ((made['candidates'] ?? []) as readonly JsonObject[]).map((one) => this.#holdFinish(one));
    const spoken = candidates.filter(isSpoken);
    return spoken.length === 0 ? [] : [this.#chunk({ candidates: spoken })];
  }

  #holdFinish(candidate: JsonObject): JsonObject {
    const { finishReason, ...rest } = candidate;
    if (finishReason === undefined) return candidate;
    this.#finishes.set(Number(candidate['index']), finishReason);
    this.#hasHeldFinish = true;
    return rest;
  }

  #chunk(content: JsonObject): SseEvent {
    const { modelVersion, responseId, createTime } = this.#builder.build([]);
    const chunk = defined({
      ...content,
      modelVersion: modelVersion ?? this.#options.request?.model,
      createTime,
      responseId: responseId ?? this.#options.fallbackId,
    });
    return { data: JSON.stringify(chunk) };
  }

  #reportLoss(event: StreamEvent): void {
    if ((event.type !== 'server-tool' && event.type !== 'opaque') || event.dialect === dialect) return;
    const kind = isJsonObject(event.value) ? event.value['type'] : undefined;
    const name = event.type === 'server-tool' ? event.name : typeof kind === 'string' ? kind : 'opaque';
    this.#options.report.add({ action: 'dropped', field: name, reason: `only ${event.dialect} has a form for it` });
  }
}

/** A chunk is worth sending when it has parts or sources. */
function isSpoken(candidate: JsonObject): boolean {
  const content = candidate['content'];
  const parts = isJsonObject(content) ? content['parts'] : undefined;
  return (Array.isArray(parts) && parts.length > 0) || candidate['groundingMetadata'] !== undefined;
}
