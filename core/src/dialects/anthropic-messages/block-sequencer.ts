/** Puts the parts of a stream, interleaved as they may be, into one open content block after the other. */
import type { Json, StreamEvent, StreamFrame } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { PartEvent } from '../../conversation/part-builder.ts';
import type { Loss, LossReport } from '../codec.ts';
import { encodeCitation } from './citations.ts';
import type { Fields } from './fields.ts';
import { JsonProgress } from './json-progress.ts';
import { LossOnce } from './loss-once.ts';
import { keyOf, openKinds } from './open-block.ts';
import type { OpenBlock } from './open-block.ts';
import { clientOpaque } from './reasoning.ts';
import { dialect } from './residue.ts';
import type { StreamWriter } from './stream-writer.ts';
import { packClientToolCallId } from './tool-call-id.ts';

type Event<Type extends StreamEvent['type']> = Extract<StreamEvent, { readonly type: Type }>;
type ContentEvent = Exclude<StreamEvent, { readonly type: 'response-start' | 'usage' | 'finish' | 'error' }>;
/** An own wire event, rebuilt. */
export interface OwnEvent {
  readonly body: Fields;
  readonly name: string | undefined;
  readonly index: Json | undefined;
}

export class BlockSequencer {
  readonly #writer: StreamWriter;
  readonly #losses: LossOnce;
  readonly #start: () => void;
  #open: OpenBlock | undefined;
  #held: ContentEvent[] = [];
  /** Signatures of tool calls that are known before their block is opened. */
  readonly #signatures = new Map<string, string>();
  /** Texts that have begun and not ended. */
  readonly #running = new Set<string>();
  /** Reasoning that had text. */
  readonly #thought = new Set<string>();

  hasToolCall = false;
  hasRefusal = false;

  constructor(writer: StreamWriter, report: LossReport, start: () => void) {
    this.#writer = writer;
    this.#losses = new LossOnce(report);
    this.#start = start;
  }

  /** Looks ahead in a frame: an id that carries its call's signature must be known when the block is opened. */
  announce(events: readonly StreamEvent[]): void {
    for (const event of events) {
      const isCall = event.type === 'tool-call-start' || event.type === 'tool-call-end';
      if (isCall && event.signature !== undefined) this.#signatures.set(event.part, event.signature);
    }
  }

  push(event: ContentEvent): void {
    if (this.#mustWait(event)) this.#held.push(event);
    else this.#handle(event);
  }

  /** Closes what is open and writes what was held back. */
  closeAll(): void {
    while (this.#open !== undefined || this.#held.length > 0) {
      if (this.#open === undefined) this.#drain();
      else this.#close();
    }
  }

  openOwn(frame: StreamFrame, own: OwnEvent): void {
    this.closeAll();
    const [first] = frame.events;
    const key = first !== undefined && 'part' in first ? keyOf(first) : undefined;
    const kind = (first === undefined ? undefined : openKinds[first.type]) ?? 'raw';
    if (kind === 'tool') this.hasToolCall = true;
    this.#open = { kind, key, ownIndex: own.index, ...(kind === 'tool' ? { json: new JsonProgress() } : {}) };
    this.#writer.openOwnBlock(own.body, own.name);
  }

  ownDelta(frame: StreamFrame, own: OwnEvent): void {
    const open = this.#open;
    if (open?.ownIndex === undefined || open.ownIndex !== own.index) {
      // Its block was replaced by a plugin: what the delta says still counts.
      for (const event of frame.events) if ('part' in event) this.push(event);
      return;
    }
    const delta = own.body['delta'];
    if (isJsonObject(delta) && delta['type'] === 'signature_delta') open.isSigned = true;
    const [first] = frame.events;
    if (first?.type === 'tool-call-delta') open.json?.push(first.argumentsDelta);
    this.#writer.ownDelta(own.body, own.name);
  }

  closeOwn(own: OwnEvent): void {
    if (this.#open?.ownIndex === undefined || this.#open.ownIndex !== own.index) return;
    this.#open = undefined;
    this.#writer.closeBlock(own.body, own.name);
    this.#drain();
  }

  #mustWait(event: ContentEvent): boolean {
    const open = this.#open;
    if (open === undefined) return this.#held.length > 0;
    if ('part' in event && keyOf(event) === open.key) return false;
    if (this.#held.length > 0) return true;
    return (open.kind === 'tool' && open.json?.isComplete !== true) || open.kind === 'raw';
  }

  #close(): void {
    if (this.#open === undefined) return;
    if (this.#open.isFreeform === true) this.#writer.delta({ type: 'input_json_delta', partial_json: '"}' });
    this.#open = undefined;
    this.#writer.closeBlock();
    this.#drain();
  }

  #drain(): void {
    const held = this.#held;
    this.#held = [];
    for (const event of held) this.push(event);
  }

  #openBlock(open: OpenBlock, block: Json): void {
    if (this.#open !== undefined) this.#closeForNext();
    this.#start();
    this.#open = open;
    this.#writer.openBlock(block);
  }

  /** Closes the open block where nothing is held: the caller is about to open the next. */
  #closeForNext(): void {
    if (this.#open?.isFreeform === true) this.#writer.delta({ type: 'input_json_delta', partial_json: '"}' });
    this.#open = undefined;
    this.#writer.closeBlock();
  }

  #isOpen(event: PartEvent): boolean {
    return this.#open?.key === keyOf(event);
  }

  #handle(event: ContentEvent): void {
    switch (event.type) {
      case 'text-delta':
      case 'refusal-delta':
        return this.#text(event);
      case 'text-end':
      case 'refusal-end':
        this.#running.delete(keyOf(event));
        if (this.#isOpen(event)) this.#close();
        if (event.type === 'text-end' && event.signature !== undefined)
          this.#lost('signature', 'an Anthropic stream carries no signature of text');
        return;
      case 'reasoning-delta':
        return this.#thinking(event);
      case 'reasoning-end':
        return this.#endThinking(event);
      case 'tool-call-start':
        return this.#startTool(event);
      case 'tool-call-delta':
        return this.#toolDelta(event);
      case 'tool-call-end':
        if (this.#isOpen(event)) this.#close();
        if (event.signature !== undefined && this.#signatures.get(event.part) !== event.signature) {
          this.#lost('signature', 'it came after the start of its tool call, whose id would have carried it');
        }
        return;
      case 'citation':
        return this.#citation(event);
      case 'media-delta':
        return this.#lost(event.kind, 'an Anthropic answer carries no media');
      case 'server-tool':
      case 'opaque':
        return this.#ownPart(event);
      case 'text-start':
        this.#running.add(keyOf(event));
        return;
      default:
        return; // refusal-start, reasoning-start: a block opens with its first content
    }
  }

  #text(event: Event<'text-delta'> | Event<'refusal-delta'>): void {
    if (event.type === 'refusal-delta') {
      this.hasRefusal = true;
      this.#lost('refusal', 'Anthropic has refusals as plain text', 'changed');
    } else if (event.logprobs !== undefined) this.#lost('logprobs', 'Anthropic has no log probabilities');
    if (event.text === '') return;
    if (!this.#isOpen(event)) this.#openText(event);
    this.#writer.delta({ type: 'text_delta', text: event.text });
  }

  /** Anthropic's own citations come before their text, those of others with it or after it. */
  #citation(event: Event<'citation'>): void {
    if (!this.#isOpen(event) && this.#running.has(keyOf(event))) this.#openText(event);
    if (this.#open?.kind !== 'text') return this.#lost('citations', 'it came after the end of its text');
    this.#writer.delta({ type: 'citations_delta', citation: encodeCitation(event.citation) });
  }

  #openText(event: PartEvent): void {
    this.#openBlock({ kind: 'text', key: keyOf(event) }, { type: 'text', text: '' });
  }

  #thinking(event: Event<'reasoning-delta'>): void {
    if (event.text === '') return;
    this.#thought.add(keyOf(event));
    if (!this.#isOpen(event)) {
      this.#openBlock({ kind: 'thinking', key: keyOf(event) }, { type: 'thinking', thinking: '', signature: '' });
    }
    this.#writer.delta({ type: 'thinking_delta', thinking: event.text });
  }

  #endThinking(event: Event<'reasoning-end'>): void {
    const opaque = clientOpaque(event);
    if (opaque === undefined && (event.signature ?? event.encrypted) !== undefined) {
      this.#lost('signature', 'its maker is unknown, so that nobody could be given it back');
    }
    const isOpen = this.#isOpen(event);
    const isOwnEncrypted = event.origin === dialect && event.encrypted !== undefined;
    if (isOpen) {
      if (opaque !== undefined && !isOwnEncrypted && this.#open?.isSigned !== true) {
        this.#writer.delta({ type: 'signature_delta', signature: opaque });
      }
      if (!isOwnEncrypted) return this.#close();
    }
    if (opaque === undefined) {
      if (!this.#thought.has(keyOf(event))) this.#lost('reasoning', 'it has neither text nor a value to give back');
      return;
    }
    if (event.origin === dialect && !isOwnEncrypted) {
      this.#openBlock({ kind: 'thinking', key: keyOf(event) }, { type: 'thinking', thinking: '', signature: '' });
      this.#writer.delta({ type: 'signature_delta', signature: opaque });
    } else this.#openBlock({ kind: 'thinking', key: keyOf(event) }, { type: 'redacted_thinking', data: opaque });
    this.#close();
  }

  #startTool(event: Event<'tool-call-start'>): void {
    this.hasToolCall = true;
    const id = packClientToolCallId(event.id, this.#signatures.get(event.part));
    const isFreeform = event.isFreeform === true;
    const open: OpenBlock = { kind: 'tool', key: keyOf(event), json: new JsonProgress(), isFreeform };
    this.#openBlock(open, { type: 'tool_use', id, name: event.name, input: {} });
    if (!isFreeform) return;
    this.#lost(
      'tool_use.input',
      'Anthropic has no free text as input: it is the member "input" of an object',
      'changed',
    );
    this.#writer.delta({ type: 'input_json_delta', partial_json: '{"input":"' });
  }

  #toolDelta(event: Event<'tool-call-delta'>): void {
    const open = this.#open;
    if (open === undefined || !this.#isOpen(event)) {
      if (event.argumentsDelta.trim() !== '')
        this.#lost('tool_use.input', 'pieces came after the end of the arguments');
      return;
    }
    if (event.argumentsDelta === '') return;
    // Free text becomes the member "input" of an object: each piece is escaped as the inside of a JSON string.
    const piece = open.isFreeform === true ? JSON.stringify(event.argumentsDelta).slice(1, -1) : event.argumentsDelta;
    this.#writer.delta({ type: 'input_json_delta', partial_json: piece });
    if (open.isFreeform !== true) open.json?.push(piece);
    if (this.#held.length > 0 && open.json?.isComplete === true) this.#close();
  }

  #ownPart(event: Event<'server-tool'> | Event<'opaque'>): void {
    if (event.dialect !== dialect || !isJsonObject(event.value)) {
      const kind = event.type === 'server-tool' ? 'server_tool' : 'opaque';
      return this.#lost(
        kind,
        `only ${event.dialect} knows ${event.type === 'server-tool' ? event.name : 'this kind of part'}`,
      );
    }
    const { input, ...block } = event.value;
    const hasInput = typeof input === 'string' || (isJsonObject(input) && Object.keys(input).length > 0);
    const start = input === undefined ? block : { ...block, input: {} };
    this.#openBlock({ kind: 'raw', key: undefined }, hasInput ? start : event.value);
    const written = typeof input === 'string' ? input : JSON.stringify(input);
    if (hasInput) this.#writer.delta({ type: 'input_json_delta', partial_json: written });
    this.#close();
  }

  #lost(what: string, reason: string, action: Loss['action'] = 'dropped'): void {
    this.#losses.add({ action, field: `content.${what}`, reason });
  }
}
