import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject, StreamFrame } from '@bifrost/sdk';
import type { SseEvent } from '../../sse/event.ts';
import type { StreamDecoder } from '../codec.ts';
import { decodeError } from '../openai-chat/errors.ts';
import { mapFinishReason } from '../openai-chat/finish-reason.ts';
import { FrameBuilder } from '../openai-chat/frame-builder.ts';
import type { Holder } from '../openai-chat/frame-builder.ts';
import { chunkUsage, isErrorChunk, parseChunk, truncatedStream } from '../openai-chat/stream-decoder.ts';
import { decodeUsage } from '../openai-chat/usage.ts';

const dialect = 'openai-completions';

interface Choice {
  readonly part: string;
  isOpen: boolean;
  isFinished: boolean;
  hasText: boolean;
}

/** `text_completion` chunks -> frames: one text part a choice. */
export class OpenaiCompletionsStreamDecoder implements StreamDecoder {
  readonly #choices = new Map<number, Choice>();
  #isStarted = false;
  #isOver = false;

  push(event: SseEvent): readonly StreamFrame[] {
    const data = event.data.trim();
    if (data === '') return [];
    if (data === '[DONE]') return this.#done(event);
    const chunk = parseChunk(data);
    const builder = new FrameBuilder(chunk);
    if (isErrorChunk(chunk) || event.event === 'error') {
      this.#isOver = true;
      builder.emit({ type: 'error', error: decodeError(200, chunk) });
      return [builder.frame(dialect, event)];
    }
    this.#start(chunk, builder);
    const choices = Array.isArray(chunk['choices']) ? (chunk['choices'] as readonly Json[]) : [];
    for (const [at, choice] of choices.entries()) if (isJsonObject(choice)) this.#choice(choice, at, builder);
    const usage = chunkUsage(chunk);
    if (usage !== undefined) builder.emit({ type: 'usage', usage: decodeUsage(usage) });
    return [builder.frame(dialect, event)];
  }

  finish(): readonly StreamFrame[] {
    const open = [...this.#choices].filter(([, choice]) => !choice.isFinished);
    if (this.#isOver || (open.length === 0 && this.#choices.size > 0)) return [];
    this.#isOver = true;
    const builder = new FrameBuilder({});
    for (const [index, choice] of open) this.#close(index, choice, builder);
    builder.emit({ type: 'error', error: truncatedStream });
    return [{ events: builder.events }];
  }

  #done(event: SseEvent): readonly StreamFrame[] {
    const choices = [...this.#choices];
    if (this.#isOver || !choices.some(([, choice]) => choice.isFinished || choice.hasText)) return [];
    this.#isOver = true;
    const builder = new FrameBuilder({});
    for (const [index, choice] of choices) {
      if (choice.isFinished) continue;
      this.#close(index, choice, builder);
      builder.emit({ type: 'finish', ...candidateOf(index), reason: { kind: 'other' } });
    }
    return [{ events: builder.events, residue: { dialect, fields: {}, form: { done: event.data } } }];
  }

  #start(chunk: JsonObject, builder: FrameBuilder): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const { id, model, created } = chunk;
    builder.emit({
      type: 'response-start',
      ...(typeof id === 'string' && id !== '' ? { id } : {}),
      ...(typeof model === 'string' && model !== '' ? { model } : {}),
      ...(typeof created === 'number' && created > 0 ? { createdAt: created } : {}),
    });
  }

  #choice(raw: JsonObject, at: number, builder: FrameBuilder): void {
    const index = typeof raw['index'] === 'number' ? raw['index'] : at;
    let choice = this.#choices.get(index);
    if (choice === undefined) {
      choice = { part: `text-${index}`, isOpen: false, isFinished: false, hasText: false };
      this.#choices.set(index, choice);
    }
    const text = raw['text'];
    if (typeof text === 'string' && text !== '') {
      if (!choice.isOpen) builder.emit({ type: 'text-start', part: choice.part, ...candidateOf(index) });
      choice.isOpen = true;
      choice.hasText = true;
      builder.emit({ type: 'text-delta', part: choice.part, ...candidateOf(index), text });
      builder.link('text', raw as Holder, ['choices', at, 'text']);
    }
    const reason = raw['finish_reason'];
    if (typeof reason !== 'string' || reason === '' || choice.isFinished) return;
    this.#close(index, choice, builder);
    choice.isFinished = true;
    builder.emit({ type: 'finish', ...candidateOf(index), reason: mapFinishReason(reason) });
  }

  #close(index: number, choice: Choice, builder: FrameBuilder): void {
    if (!choice.isOpen) return;
    choice.isOpen = false;
    builder.emit({ type: 'text-end', part: choice.part, ...candidateOf(index) });
  }
}

function candidateOf(index: number): { readonly candidate?: number } {
  return index === 0 ? {} : { candidate: index };
}
