/**
 * Stream events -> chunks (each a whole GenerateContentResponse). Used twice with the same state: by the encoder to write chunks,
 * and by the decoder to see what of a chunk the events do not hold. Call arguments are collected and sent whole as one
 * functionCall part, as Gemini does.
 */
import type { Citation, JsonObject, StreamEvent, TokenLogprob } from '@bifrost/sdk';
import { defined, present } from './fields.ts';
import { encodeFinishReason } from './finish-reason.ts';
import { dialect } from './form.ts';
import { encodeCitations } from './grounding.ts';
import { encodeLogprobs } from './logprobs.ts';
import { encodePart } from './parts.ts';
import { encodeCreateTime } from './responses.ts';
import { encodeUsage } from './usage.ts';

interface PendingCall {
  readonly candidate: number;
  readonly id: string;
  readonly name: string;
  readonly isFreeform: boolean;
  arguments: string;
}

/** A candidate of the chunk in the making. */
interface CandidateDraft {
  readonly parts: JsonObject[];
  /** The last wire part of each canonical part, to put a signature on. */
  readonly lastOf: Map<string, number>;
  readonly citations: Citation[];
  readonly logprobs: TokenLogprob[];
  finishReason?: string;
}

type EventOf<Type extends StreamEvent['type']> = Extract<StreamEvent, { readonly type: Type }>;

/** Collects the events of one frame and makes the chunk that says them. */
export class ChunkBuilder {
  readonly #calls = new Map<string, PendingCall>();
  /** Thoughts that begun and said nothing yet: one that ends so is still a thought. */
  readonly #silentThoughts = new Set<string>();
  /** Visible text so far by candidate: citations count in it. */
  readonly #texts = new Map<number, string>();
  #head: JsonObject = {};
  #drafts = new Map<number, CandidateDraft>();
  #usage: JsonObject | undefined;

  /** The chunk of one frame's events; model, id and time stand on every chunk once they are known. */
  build(events: readonly StreamEvent[]): JsonObject {
    this.#drafts = new Map();
    this.#usage = undefined;
    for (const event of events) this.#add(event);
    const candidates = [...this.#drafts].map(([index, draft]) => this.#candidate(index, draft));
    return defined({
      candidates: candidates.length === 0 ? undefined : candidates,
      usageMetadata: this.#usage,
      ...this.#head,
    });
  }

  /** Ends for calls that nobody ended, so that a stream that stops early keeps them. */
  openCallEnds(): readonly StreamEvent[] {
    return [...this.#calls].map(([part, { candidate }]) => ({ type: 'tool-call-end', part, candidate }));
  }

  #draft(index = 0): CandidateDraft {
    let draft = this.#drafts.get(index);
    if (draft === undefined) {
      draft = { parts: [], lastOf: new Map(), citations: [], logprobs: [] };
      this.#drafts.set(index, draft);
    }
    return draft;
  }

  #candidate(index: number, draft: CandidateDraft): JsonObject {
    return defined({
      content: { role: 'model', parts: draft.parts },
      finishReason: draft.finishReason,
      index,
      groundingMetadata: encodeCitations(draft.citations, this.#texts.get(index) ?? ''),
      logprobsResult: draft.logprobs.length === 0 ? undefined : encodeLogprobs(draft.logprobs),
    });
  }

  #add(event: StreamEvent): void {
    switch (event.type) {
      case 'response-start':
        this.#head = defined({
          modelVersion: event.model,
          createTime: encodeCreateTime(event.createdAt),
          responseId: event.id,
        });
        return;
      case 'usage':
        this.#usage = encodeUsage(event.usage);
        return;
      case 'finish':
        this.#draft(event.candidate).finishReason = encodeFinishReason(event.reason);
        return;
      case 'citation':
        this.#draft(event.candidate).citations.push(event.citation);
        return;
      case 'server-tool':
      case 'opaque': {
        const part = encodePart(event);
        if (event.dialect === dialect && part !== undefined) this.#draft(event.candidate).parts.push(part);
        return;
      }
      case 'tool-call-start':
      case 'tool-call-delta':
      case 'tool-call-end':
        this.#addCall(event);
        return;
      default:
        this.#addPart(event);
    }
  }

  #addCall(event: EventOf<'tool-call-start' | 'tool-call-delta' | 'tool-call-end'>): void {
    if (event.type === 'tool-call-start') {
      const { id, name, isFreeform = false, candidate = 0 } = event;
      this.#calls.set(event.part, { candidate, id, name, isFreeform, arguments: '' });
      return;
    }
    const call = this.#calls.get(event.part);
    if (call === undefined) return;
    if (event.type === 'tool-call-delta') {
      call.arguments += event.argumentsDelta;
      return;
    }
    this.#calls.delete(event.part);
    const signature = event.signature === undefined ? {} : { signature: event.signature };
    const { id, name, isFreeform, arguments: text } = call;
    const part = encodePart({ type: 'tool-call', id, name, isFreeform, arguments: text, ...signature });
    if (part !== undefined) this.#draft(event.candidate).parts.push(part);
  }

  #addPart(event: StreamEvent): void {
    switch (event.type) {
      case 'text-delta':
      case 'refusal-delta': {
        const index = event.candidate ?? 0;
        this.#texts.set(index, (this.#texts.get(index) ?? '') + event.text);
        this.#push(event, { text: event.text });
        if (event.type === 'text-delta') this.#draft(index).logprobs.push(...(event.logprobs ?? []));
        return;
      }
      case 'reasoning-start':
        this.#silentThoughts.add(event.part);
        return;
      case 'reasoning-delta':
        this.#silentThoughts.delete(event.part);
        this.#push(event, { text: event.text, thought: true });
        return;
      case 'media-delta': {
        const { kind, mediaType, signature, filename } = event;
        const source = event.source ?? { type: 'base64', data: event.data };
        const part = encodePart({ type: 'media', kind, source, ...present({ mediaType, signature, filename }) });
        if (part !== undefined) this.#draft(event.candidate).parts.push(part);
        return;
      }
      case 'text-end':
        this.#sign(event, { text: '' }, event.signature);
        return;
      case 'reasoning-end': {
        const part = encodePart({ ...event, type: 'reasoning', text: '' });
        const signature = part?.['thoughtSignature'] as string | undefined;
        const isSilent = this.#silentThoughts.delete(event.part);
        if (isSilent && signature === undefined) this.#push(event, { text: '', thought: true });
        this.#sign(event, { text: '', thought: true }, signature);
        return;
      }
      default:
    }
  }

  #push(event: { readonly part: string; readonly candidate?: number }, part: JsonObject): void {
    const draft = this.#draft(event.candidate);
    draft.lastOf.set(event.part, draft.parts.push(part) - 1);
  }

  /** Puts a signature on the part's last piece in this chunk, or on an empty piece of its own. */
  #sign(
    event: { readonly part: string; readonly candidate?: number },
    empty: JsonObject,
    thoughtSignature: string | undefined,
  ): void {
    if (thoughtSignature === undefined) return;
    const draft = this.#draft(event.candidate);
    const at = draft.lastOf.get(event.part);
    if (at === undefined) draft.parts.push({ ...empty, thoughtSignature });
    else draft.parts[at] = { ...draft.parts[at], thoughtSignature };
  }
}
