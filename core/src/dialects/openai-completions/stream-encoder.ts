import type { ErrorInfo, JsonObject, StreamEvent, StreamFrame, Usage } from '@bifrost/sdk';
import type { SseEvent } from '../../sse/event.ts';
import type { EncodeOptions, StreamEncoder } from '../codec.ts';
import { encodeError } from '../openai-chat/errors.ts';
import { rebuildChunk, toSseEvent } from '../openai-chat/frame-builder.ts';
import { encodeFinishReason, responseContext } from '../openai-chat/response-encode.ts';
import { encodeUsage, reportUsageLosses } from '../openai-chat/usage.ts';

const dialect = 'openai-completions';
const done: SseEvent = { data: '[DONE]' };

/** Frames -> `text_completion` chunks. Text (and a refusal's words) is all that they can hold; other parts are reported once. */
export class OpenaiCompletionsStreamEncoder implements StreamEncoder {
  readonly #options: EncodeOptions;
  readonly #reported = new Set<string>();
  #head: Extract<StreamEvent, { readonly type: 'response-start' }> = { type: 'response-start' };
  #usage: Usage | undefined;
  #isUsageSent = false;
  #isOver = false;
  #created: number | undefined;

  constructor(options: EncodeOptions) {
    this.#options = options;
  }

  push(frame: StreamFrame): readonly SseEvent[] {
    if (this.#isOver) return [];
    const isOwn = frame.residue?.dialect === dialect;
    const chunk = isOwn ? rebuildChunk(frame) : undefined;
    const generated: SseEvent[] = [];
    for (const event of frame.events) {
      if (event.type === 'error') {
        this.#isOver = true;
        return [...generated, chunk === undefined ? toEvent(encodeError(event.error)) : toSseEvent(chunk, frame)];
      }
      const next = this.#event(event, chunk !== undefined);
      if (next !== undefined) generated.push(toEvent(next));
    }
    if (isOwn && frame.residue?.form?.['done'] !== undefined) return this.finish();
    return chunk === undefined ? generated : this.#rebuilt(chunk, frame);
  }

  finish(): readonly SseEvent[] {
    if (this.#isOver) return [];
    this.#isOver = true;
    const isWanted = this.#options.request?.isStreamUsageRequested !== false && !this.#isUsageSent;
    if (!isWanted || this.#usage === undefined) return [done];
    reportUsageLosses(this.#usage, this.#options.report);
    return [toEvent({ ...this.#envelope(), choices: [], usage: encodeUsage(this.#usage) }), done];
  }

  fail(error: ErrorInfo): readonly SseEvent[] {
    if (this.#isOver) return [];
    this.#isOver = true;
    return [toEvent(encodeError(error))];
  }

  #rebuilt(chunk: JsonObject, frame: StreamFrame): readonly SseEvent[] {
    const isUsage = chunk['usage'] !== undefined && chunk['usage'] !== null;
    const isUsageOnly = isUsage && Array.isArray(chunk['choices']) && chunk['choices'].length === 0;
    if (isUsageOnly && this.#options.request?.isStreamUsageRequested === false) return [];
    if (isUsage) this.#isUsageSent = true;
    return [toSseEvent(chunk, frame)];
  }

  #event(event: StreamEvent, isRebuilt: boolean): JsonObject | undefined {
    switch (event.type) {
      case 'response-start':
        this.#head = { ...this.#head, ...event };
        return undefined;
      case 'usage':
        this.#usage = { ...this.#usage, ...event.usage };
        return undefined;
      case 'text-delta':
      case 'refusal-delta':
        return this.#chunk(event.candidate ?? 0, event.text, null);
      case 'finish': {
        if (isRebuilt) return undefined;
        const index = event.candidate ?? 0;
        const context = responseContext(dialect, undefined, this.#options);
        return this.#chunk(index, '', encodeFinishReason({ finishReason: event.reason }, `choices[${index}]`, context));
      }
      default:
        if (!isRebuilt) this.#report(event);
        return undefined;
    }
  }

  #report(event: StreamEvent): void {
    const kind = event.type.replace(/-(start|delta|end)$/, '');
    if (kind === 'text' || kind === 'refusal' || this.#reported.has(kind)) return;
    this.#reported.add(kind);
    this.#options.report.add({ action: 'dropped', field: `choices.${kind}`, reason: 'a completion holds only text' });
  }

  #envelope(): JsonObject {
    this.#created ??= this.#head.createdAt ?? Math.floor(Date.now() / 1000);
    return {
      id: this.#head.id ?? this.#options.fallbackId ?? 'cmpl-unknown',
      object: 'text_completion',
      created: this.#created,
      model: this.#head.model ?? this.#options.request?.model ?? '',
    };
  }

  #chunk(index: number, text: string, finishReason: string | null): JsonObject {
    return { ...this.#envelope(), choices: [{ text, index, logprobs: null, finish_reason: finishReason }] };
  }
}

function toEvent(chunk: JsonObject): SseEvent {
  return { data: JSON.stringify(chunk) };
}
