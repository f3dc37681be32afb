import { stringifyExactly } from '../../json/exact-numbers.ts';
import type { ErrorInfo, Json, JsonObject, StreamEvent, StreamFrame, Usage } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { EncodeOptions, StreamEncoder } from '../codec.ts';
import type { SseEvent } from '../../sse/event.ts';
import { ChunkBuilder } from './chunk-builder.ts';
import { encodeError } from './errors.ts';
import { defined } from './fields.ts';
import { reportResidue } from './foreign-settings.ts';
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
  /** Sources wait for the last chunk too: Gemini repeats the whole list whenever it grows, so one list says it best. */
  readonly #citations: StreamEvent[] = [];
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
      return [{ data: stringifyExactly(applyResidue(made, frame.residue)) }];
    }
    if (failure === undefined) return this.#pushForeign(frame.events);
    const before = this.#pushForeign(frame.events.slice(0, frame.events.indexOf(failure)));
    return [...before, ...this.fail(failure.error)];
  }

  finish(): readonly SseEvent[] {
    if (this.#isOver) return [];
    const ends = this.#pushForeign(this.#builder.openCallEnds());
    if (this.#finishes.size === 0 && this.#citations.length === 0) return ends;
    this.#isOver = true;
    const made = (this.#builder.build(this.#citations)['candidates'] ?? []) as readonly JsonObject[];
    const sources = new Map(made.map((one) => [Number(one['index']), one['groundingMetadata']]));
    const candidates = [...new Set([...this.#finishes.keys(), ...sources.keys()])]
      .toSorted((left, right) => left - right)
      .map((index) =>
        defined({
          content: { role: 'model', parts: [{ text: '' }] },
          finishReason: this.#finishes.get(index),
          index,
          groundingMetadata: sources.get(index),
        }),
      );
    const hasUsage = Object.keys(this.#usage).length > 0;
    return [...ends, this.#chunk({ candidates, ...(hasUsage ? { usageMetadata: encodeUsage(this.#usage) } : {}) })];
  }

  fail(error: ErrorInfo): readonly SseEvent[] {
    this.#isOver = true;
    return [{ data: JSON.stringify(encodeError(error)) }];
  }

  #pushForeign(events: readonly StreamEvent[]): readonly SseEvent[] {
    for (const event of events) this.#observe(event);
    const made = this.#builder.build(events.filter((event) => event.type !== 'citation'));
    const candidates = ((made['candidates'] ?? []) as readonly JsonObject[]).map((one) => this.#holdFinish(one));
    const spoken = candidates.filter(isSpoken);
    return spoken.length === 0 ? [] : [this.#chunk({ candidates: spoken })];
  }

  #holdFinish(candidate: JsonObject): JsonObject {
    const { finishReason, ...rest } = candidate;
    if (finishReason === undefined) return candidate;
    this.#finishes.set(Number(candidate['index']), finishReason);
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
    return { data: stringifyExactly(chunk) };
  }

  /** Keeps what the last chunk says, and reports what no chunk can say. */
  #observe(event: StreamEvent): void {
    const { report } = this.#options;
    switch (event.type) {
      case 'usage':
        this.#usage = { ...this.#usage, ...event.usage };
        return;
      case 'citation':
        this.#citations.push(event);
        reportResidue(event.citation.residue, 'citation.', report);
        return;
      case 'tool-call-start':
        if (event.isFreeform !== true) return;
        report.add({
          action: 'changed',
          field: 'tool_call.arguments',
          reason: 'free text stands under the key "input"',
        });
        return;
      case 'refusal-start':
        report.add({ action: 'changed', field: 'refusal', reason: 'a refusal is sent as text' });
        return;
      case 'server-tool':
      case 'opaque': {
        if (event.dialect === dialect) return;
        const kind = isJsonObject(event.value) ? event.value['type'] : undefined;
        const what = event.type === 'opaque' && typeof kind === 'string' ? `this ${kind}` : 'it';
        const field = event.type === 'server-tool' ? event.name : 'opaque';
        report.add({ action: 'dropped', field, reason: `only ${event.dialect} has a form for ${what}` });
        return;
      }
      default:
    }
  }
}

/** A chunk is worth sending when it has parts. */
function isSpoken(candidate: JsonObject): boolean {
  const content = candidate['content'];
  const parts = isJsonObject(content) ? content['parts'] : undefined;
  return Array.isArray(parts) && parts.length > 0;
}
