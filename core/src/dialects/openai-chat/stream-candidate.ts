import type { JsonObject, StreamEvent, StreamFrame } from '@bifrost/sdk';
import { packToolCallId, tagOpaque } from '../provenance.ts';
import type { EncodeContext } from './encode-context.ts';
import { formatMediaUrl } from './media.ts';
import type { MutableJson } from './object-reader.ts';

/** The events that become deltas. */
export type PartEvent = Exclude<
  StreamEvent,
  { readonly type: 'response-start' | 'usage' | 'server-tool' | 'opaque' | 'error' | 'finish' | 'citation' }
>;

interface Call {
  readonly index: number;
  readonly isFreeform: boolean;
  readonly hasSignature: boolean;
}

interface Reasoning {
  readonly index: number;
  readonly id: string | undefined;
  readonly isSummary: boolean;
  text: string;
}

/** What of one choice has been written so far, and the delta for its next event. */
export class StreamCandidate {
  readonly #index: number;
  readonly #context: EncodeContext;
  readonly #calls = new Map<string, Call>();
  readonly #reasoning = new Map<string, Reasoning>();
  readonly #textStarts = new Map<string, number>();
  #textLength = 0;
  isRoleSent = false;
  isFinished = false;

  constructor(index: number, context: EncodeContext) {
    this.#index = index;
    this.#context = context;
  }

  get hasCalls(): boolean {
    return this.#calls.size > 0;
  }

  /** Where a text part begins in the choice's whole text. */
  textStart(part: string): number {
    return this.#textStarts.get(part) ?? 0;
  }

  /** The delta that says the event; undefined where the dialect has nothing to say for it. */
  delta(event: PartEvent, frame: StreamFrame): JsonObject | undefined {
    switch (event.type) {
      case 'text-delta':
        if (!this.#textStarts.has(event.part)) this.#textStarts.set(event.part, this.#textLength);
        this.#textLength += event.text.length;
        return { content: event.text };
      case 'text-end':
        if (event.signature !== undefined) this.#drop('content.signature', 'no field for a signature of text');
        return undefined;
      case 'refusal-delta':
        return { refusal: event.text };
      case 'reasoning-start':
        this.#open(event.part, event.id, event.isSummary === true);
        return undefined;
      case 'reasoning-delta':
        this.#open(event.part, undefined, false).text += event.text;
        return { [this.#context.quirks.reasoningField ?? 'reasoning']: event.text };
      case 'reasoning-end':
        return this.#reasoningEnd(event);
      case 'tool-call-start':
        return this.#callStart(event, frame);
      case 'tool-call-delta':
        return this.#callDelta(event);
      case 'tool-call-end':
        if (event.signature !== undefined && this.#calls.get(event.part)?.hasSignature !== true) {
          this.#drop('tool_calls.signature', 'it came after the id that could have carried it');
        }
        return undefined;
      case 'media-delta':
        return this.#media(event);
      default:
        return undefined;
    }
  }

  #drop(field: string, reason: string): void {
    this.#context.report.add({ action: 'dropped', field: `choices[${this.#index}].delta.${field}`, reason });
  }

  #open(part: string, id: string | undefined, isSummary: boolean): Reasoning {
    let open = this.#reasoning.get(part);
    if (open === undefined) {
      open = { index: this.#reasoning.size, id, isSummary, text: '' };
      this.#reasoning.set(part, open);
    }
    return open;
  }

  /** `reasoning_details` for what must come back byte for byte: the whole text with its signature, the encrypted form. */
  #reasoningEnd(event: Extract<StreamEvent, { readonly type: 'reasoning-end' }>): JsonObject | undefined {
    const { index, id, isSummary, text } = this.#open(event.part, undefined, false);
    const hasText = text !== '';
    this.#reasoning.set(event.part, { index, id, isSummary, text: '' });
    const named = id === undefined ? {} : { id };
    const details: JsonObject[] = [];
    const signature = this.#opaque('signature', event);
    const encrypted = this.#opaque('encrypted', event);
    if (signature !== undefined || (encrypted !== undefined && text !== '')) {
      const body: MutableJson = isSummary
        ? { type: 'reasoning.summary', summary: text }
        : { type: 'reasoning.text', text };
      details.push({ ...body, ...(signature === undefined ? {} : { signature }), ...named, index });
    }
    if (event.signature === undefined && event.encrypted === undefined && !hasText)
      this.#drop('reasoning', 'it says nothing but its id');
    if (encrypted !== undefined) details.push({ type: 'reasoning.encrypted', data: encrypted, ...named, index });
    return details.length === 0 ? undefined : { reasoning_details: details };
  }

  #opaque(
    kind: 'signature' | 'encrypted',
    event: Extract<StreamEvent, { readonly type: 'reasoning-end' }>,
  ): string | undefined {
    const value = event[kind];
    if (value === undefined || event.origin === 'openai-chat') return value;
    if (event.origin !== undefined) return tagOpaque({ dialect: event.origin, kind, value });
    this.#drop(`reasoning.${kind}`, 'its maker is not known, so it could not be given back');
    return undefined;
  }

  #callStart(event: Extract<StreamEvent, { readonly type: 'tool-call-start' }>, frame: StreamFrame): JsonObject {
    const end = frame.events.find((one) => one.type === 'tool-call-end' && one.part === event.part);
    const signature = event.signature ?? (end?.type === 'tool-call-end' ? end.signature : undefined);
    const isFreeform = event.isFreeform === true;
    const index = this.#calls.size;
    this.#calls.set(event.part, { index, isFreeform, hasSignature: signature !== undefined });
    const id = packToolCallId(event.id, signature);
    const { name } = event;
    const call = isFreeform
      ? { type: 'custom', custom: { name, input: '' } }
      : { type: 'function', function: { name, arguments: '' } };
    return { tool_calls: [{ index, id, ...call }] };
  }

  #callDelta(event: Extract<StreamEvent, { readonly type: 'tool-call-delta' }>): JsonObject | undefined {
    const call = this.#calls.get(event.part);
    if (call === undefined) return undefined;
    const body = call.isFreeform
      ? { custom: { input: event.argumentsDelta } }
      : { function: { arguments: event.argumentsDelta } };
    return { tool_calls: [{ index: call.index, ...body }] };
  }

  #media(event: Extract<StreamEvent, { readonly type: 'media-delta' }>): JsonObject | undefined {
    if (event.signature !== undefined) this.#drop(`${event.kind}.signature`, 'no field for a signature of media');
    if (event.kind === 'audio' && event.data !== '') return { audio: { data: event.data } };
    if (event.kind === 'image') {
      const link = event.source === undefined ? undefined : formatMediaUrl(event.source, event.mediaType);
      const url = link ?? `data:${event.mediaType ?? 'image/png'};base64,${event.data}`;
      return { images: [{ type: 'image_url', image_url: { url } }] };
    }
    this.#drop(event.kind, `a chunk cannot hold ${event.kind}`);
    return undefined;
  }
}
