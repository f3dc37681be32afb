import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject, StreamEvent } from '@bifrost/sdk';
import type { Provenance } from '../provenance.ts';
import { untagOpaque } from '../provenance.ts';
import { decodeAnnotation } from './citations.ts';
import { mapFinishReason } from './finish-reason.ts';
import type { FrameBuilder, Holder } from './frame-builder.ts';
import { decodeLogprobs } from './logprobs.ts';
import { parseMediaUrl } from './media.ts';
import { ToolCallTracker } from './stream-tool-calls.ts';

type Path = readonly (string | number)[];
type Kind = 'text' | 'reasoning' | 'refusal';

const knownDeltaKeys: ReadonlySet<string> = new Set([
  'role',
  'content',
  'refusal',
  'reasoning',
  'reasoning_content',
  'reasoning_details',
  'tool_calls',
  'function_call',
  'audio',
  'annotations',
  'images',
]);

/** True for an object or list that says something; servers add scalars and objects full of nulls to every delta. */
function hasData(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isJsonObject(value) && Object.values(value).some((one) => one !== null);
}

/** Follows one choice of a stream: which parts are open, what its deltas say. */
export class StreamChoice {
  readonly #index: number;
  readonly #candidate: { readonly candidate?: number };
  readonly #tools: ToolCallTracker;
  readonly #legacyCall: ToolCallTracker;
  readonly #citedUrls = new Set<string>();
  #open: { readonly kind: Kind; readonly part: string } | undefined;
  #signature: string | undefined;
  /** The encrypted form of the open part, where another dialect's part was carried as two details. */
  #encrypted: Provenance | undefined;
  /** The open part's thinking so far: a signature may come with the whole of it once more. */
  #thinking = '';
  #partCount = 0;
  #lastTextPart: string | undefined;
  isFinished = false;
  hasContent = false;

  constructor(index: number, makeId: (count: number) => string) {
    this.#index = index;
    this.#candidate = index === 0 ? {} : { candidate: index };
    this.#tools = new ToolCallTracker(index, makeId);
    this.#legacyCall = new ToolCallTracker(index, () => `call_function_${index + 1}`);
  }

  get hasCalls(): boolean {
    return this.#tools.hasCalls || this.#legacyCall.hasCalls;
  }

  /** One entry of `choices`. */
  push(choice: JsonObject, path: Path, builder: FrameBuilder): void {
    const key = isJsonObject(choice['delta']) ? 'delta' : 'message';
    const delta = choice[key];
    const before = builder.events.length;
    if (isJsonObject(delta)) this.#delta(delta, [...path, key], choice['logprobs'], builder);
    if (builder.events.length > before) this.hasContent = true;
    const reason = choice['finish_reason'];
    if (typeof reason === 'string' && reason !== '' && !this.isFinished) {
      this.close(builder);
      this.isFinished = true;
      const stop = choice['stop_reason'];
      const stopSequence = typeof stop === 'string' ? { stopSequence: stop } : {};
      builder.emit({ type: 'finish', ...this.#candidate, reason: { ...mapFinishReason(reason), ...stopSequence } });
    }
  }

  /** Ends what is open. */
  close(builder: FrameBuilder): void {
    this.#close(builder);
    this.#tools.close(builder);
    this.#legacyCall.close(builder);
  }

  /** Links that the provider gives beside the answer (Perplexity), each told once, on the text that is open. */
  cite(urls: readonly Json[], builder: FrameBuilder): void {
    const part = this.#lastTextPart;
    if (part === undefined) return;
    for (const url of urls) {
      if (typeof url !== 'string' || this.#citedUrls.has(url)) continue;
      this.#citedUrls.add(url);
      builder.emit({ type: 'citation', part, ...this.#candidate, citation: { url } });
    }
  }

  #delta(delta: JsonObject, path: Path, logprobs: Json | undefined, builder: FrameBuilder): void {
    this.#reasoning(delta, path, builder);
    this.#content(delta, path, logprobs, builder);
    const refusal = delta['refusal'];
    if (typeof refusal === 'string' && refusal !== '') {
      builder.emit({ type: 'refusal-delta', part: this.#begin('refusal', builder), ...this.#candidate, text: refusal });
      builder.link('text', delta as Holder, [...path, 'refusal']);
    }
    if (isJsonObject(delta['audio'])) this.#audio(delta['audio'], [...path, 'audio'], builder);
    this.#attachments(delta, builder);
    const calls = Array.isArray(delta['tool_calls']) ? (delta['tool_calls'] as readonly Json[]) : [];
    for (const [at, call] of calls.entries()) {
      if (!isJsonObject(call)) continue;
      this.#close(builder);
      this.#tools.push(call, [...path, 'tool_calls', at], builder);
    }
    if (isJsonObject(delta['function_call'])) {
      this.#close(builder);
      this.#legacyCall.push({ index: 0, function: delta['function_call'] }, path, builder, [...path, 'function_call']);
    }
    for (const [key, value] of Object.entries(delta)) {
      if (!knownDeltaKeys.has(key) && hasData(value)) {
        builder.emit({ type: 'opaque', dialect: 'openai-chat', ...this.#candidate, value: { [key]: value } });
      }
    }
  }

  #content(delta: JsonObject, path: Path, logprobs: Json | undefined, builder: FrameBuilder): void {
    const content = delta['content'];
    if (typeof content === 'string') {
      if (content === '') return;
      const decoded = isJsonObject(logprobs) ? decodeLogprobs(logprobs['content']) : undefined;
      const part = this.#begin('text', builder);
      builder.emit({
        type: 'text-delta',
        part,
        ...this.#candidate,
        text: content,
        ...(decoded === undefined ? {} : { logprobs: decoded }),
      });
      builder.link('text', delta as Holder, [...path, 'content']);
      return;
    }
    if (!Array.isArray(content)) return;
    for (const [at, entry] of (content as readonly Json[]).entries()) {
      if (isJsonObject(entry)) this.#contentEntry(entry, [...path, 'content', at], builder);
    }
  }

  /** Mistral's content chunks: `{type: 'text', text}` and `{type: 'thinking', thinking: [{type: 'text', text}]}`. */
  #contentEntry(entry: JsonObject, path: Path, builder: FrameBuilder): void {
    if (entry['type'] === 'text') this.#textOf(entry, path, 'text', builder);
    else if (entry['type'] === 'thinking' && Array.isArray(entry['thinking'])) {
      for (const [at, chunk] of (entry['thinking'] as readonly Json[]).entries()) {
        if (isJsonObject(chunk)) this.#textOf(chunk, [...path, 'thinking', at], 'reasoning', builder);
      }
    } else builder.emit({ type: 'opaque', dialect: 'openai-chat', ...this.#candidate, value: { content: [entry] } });
  }

  #textOf(holder: JsonObject, path: Path, kind: 'text' | 'reasoning', builder: FrameBuilder): void {
    const text = holder['text'];
    if (typeof text !== 'string' || text === '') return;
    builder.emit({ type: `${kind}-delta`, part: this.#begin(kind, builder), ...this.#candidate, text });
    builder.link('text', holder as Holder, [...path, 'text']);
  }

  #reasoning(delta: JsonObject, path: Path, builder: FrameBuilder): void {
    const key = (['reasoning', 'reasoning_content'] as const).find(
      (field) => typeof delta[field] === 'string' && delta[field] !== '',
    );
    const text = key === undefined ? undefined : (delta[key] as string);
    if (key !== undefined && text !== undefined) {
      builder.emit({ type: 'reasoning-delta', part: this.#begin('reasoning', builder), ...this.#candidate, text });
      builder.link('text', delta as Holder, [...path, key]);
      this.#thinking += text;
    }
    const details = Array.isArray(delta['reasoning_details']) ? (delta['reasoning_details'] as readonly Json[]) : [];
    for (const detail of details) if (isJsonObject(detail)) this.#detail(detail, text !== undefined, builder);
  }

  /** One entry of `reasoning_details`; its text counts only where `reasoning` does not say it already. */
  #detail(detail: JsonObject, isTextKnown: boolean, builder: FrameBuilder): void {
    const { type, data, signature, id } = detail;
    const named = typeof id === 'string' ? { id } : {};
    if (type === 'reasoning.encrypted') {
      if (typeof data !== 'string' || data === '') return;
      const tagged = untagOpaque(data);
      if (tagged !== undefined && this.#open?.kind === 'reasoning') {
        this.#encrypted = tagged;
        return;
      }
      this.#close(builder);
      const part = this.#nextPart('reasoning');
      builder.emit({ type: 'reasoning-start', part, ...this.#candidate, ...named });
      const opaque = { encrypted: tagged?.value ?? data, origin: tagged?.dialect ?? 'openai-chat' } as const;
      builder.emit({ type: 'reasoning-end', part, ...this.#candidate, ...opaque });
      return;
    }
    const text = type === 'reasoning.summary' ? detail['summary'] : detail['text'];
    const isRepeated = this.#open?.kind === 'reasoning' && text === this.#thinking;
    if (!isTextKnown && !isRepeated && typeof text === 'string' && text !== '') {
      const isSummary = type === 'reasoning.summary' ? { isSummary: true } : {};
      builder.emit({
        type: 'reasoning-delta',
        part: this.#begin('reasoning', builder, { ...named, ...isSummary }),
        ...this.#candidate,
        text,
      });
    }
    if (typeof signature === 'string' && signature !== '') {
      this.#begin('reasoning', builder, named);
      this.#signature = signature;
    }
  }

  #audio(audio: JsonObject, path: Path, builder: FrameBuilder): void {
    const { data, transcript } = audio;
    if (typeof transcript === 'string' && transcript !== '') {
      builder.emit({ type: 'text-delta', part: this.#begin('text', builder), ...this.#candidate, text: transcript });
      builder.link('text', audio as Holder, [...path, 'transcript']);
    }
    if (typeof data === 'string' && data !== '') {
      builder.emit({ type: 'media-delta', part: `audio-${this.#index}`, ...this.#candidate, kind: 'audio', data });
      builder.link('data', audio as Holder, [...path, 'data']);
    }
  }

  #attachments(delta: JsonObject, builder: FrameBuilder): void {
    for (const annotation of Array.isArray(delta['annotations']) ? (delta['annotations'] as readonly Json[]) : []) {
      const citation = decodeAnnotation(annotation, 'annotations', { dialect: 'openai-chat', isStrict: false });
      if (citation === undefined) continue;
      builder.emit({
        type: 'citation',
        part: this.#lastTextPart ?? this.#begin('text', builder),
        ...this.#candidate,
        citation,
      });
    }
    for (const image of Array.isArray(delta['images']) ? (delta['images'] as readonly Json[]) : []) {
      const url = isJsonObject(image) && isJsonObject(image['image_url']) ? image['image_url']['url'] : undefined;
      const { source, mediaType } = parseMediaUrl(typeof url === 'string' ? url : '');
      if (source.type !== 'base64') continue;
      const part = this.#nextPart('image');
      builder.emit({
        type: 'media-delta',
        part,
        ...this.#candidate,
        kind: 'image',
        ...(mediaType === undefined ? {} : { mediaType }),
        data: source.data,
      });
    }
  }

  #nextPart(kind: string): string {
    return `${kind}-${this.#index}-${this.#partCount++}`;
  }

  /** The open part of this kind; begins one, and ends another kind's, where there is none. */
  #begin(
    kind: Kind,
    builder: FrameBuilder,
    start: { readonly id?: string; readonly isSummary?: boolean } = {},
  ): string {
    if (this.#open?.kind === kind) return this.#open.part;
    this.#close(builder);
    const part = this.#nextPart(kind);
    this.#open = { kind, part };
    if (kind === 'text') this.#lastTextPart = part;
    if (kind === 'reasoning') this.#thinking = '';
    builder.emit({ type: `${kind}-start`, part, ...this.#candidate, ...start } as StreamEvent);
    return part;
  }

  #close(builder: FrameBuilder): void {
    if (this.#open === undefined) return;
    const { kind, part } = this.#open;
    this.#open = undefined;
    if (kind !== 'reasoning') {
      builder.emit({ type: `${kind}-end`, part, ...this.#candidate });
      return;
    }
    const [signature, encrypted] = [this.#signature, this.#encrypted];
    this.#signature = undefined;
    this.#encrypted = undefined;
    const tagged = signature === undefined ? undefined : untagOpaque(signature);
    const origin = tagged?.dialect ?? encrypted?.dialect ?? 'openai-chat';
    builder.emit({
      type: 'reasoning-end',
      part,
      ...this.#candidate,
      ...(signature === undefined ? {} : { signature: tagged?.value ?? signature }),
      ...(encrypted === undefined ? {} : { encrypted: encrypted.value }),
      ...(signature === undefined && encrypted === undefined ? {} : { origin }),
    });
  }
}
