/** One content block of a stream while it is open: its events, and what has to be remembered until its end. */
import type { Json, StreamEvent } from '@bifrost/sdk';
import { decodeCitation } from './citations.ts';
import { isServerToolBlock } from './blocks.ts';
import { parseObject, present, putBack, takeArray, takeObject, takeString } from './fields.ts';
import type { Fields } from './fields.ts';
import { readOpaque } from './reasoning.ts';
import { dialect } from './residue.ts';
import { unpackClientToolCallId } from './tool-call-id.ts';

type Kind = 'text' | 'reasoning' | 'tool-call' | 'raw' | 'ended';

function isEmptyObject(value: Json | undefined): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

export class StreamBlock {
  readonly #part: string;
  #kind: Kind = 'raw';
  /** The signature of a thinking block, as the wire said it. */
  #signature: string | undefined;
  #hasArguments = false;
  #toolCallSignature: string | undefined;
  /** A block without a canonical name, and the pieces of its input. */
  #raw: Fields = {};
  #rawInput = '';

  constructor(part: string) {
    this.#part = part;
  }

  /** Nothing is said of it before its end. */
  get isRaw(): boolean {
    return this.#kind === 'raw';
  }

  /** Reads `content_block_start` and takes out of it what the returned events say. */
  start(fields: Fields): StreamEvent[] {
    const block = takeObject(fields, 'content_block') ?? {};
    const events = this.#start(block);
    putBack(fields, 'content_block', block);
    return events;
  }

  #start(block: Fields): StreamEvent[] {
    const part = this.#part;
    switch (block['type']) {
      case 'text':
        return this.#startText(block);
      case 'thinking': {
        this.#kind = 'reasoning';
        const text = takeString(block, 'thinking') ?? '';
        this.#signature = typeof block['signature'] === 'string' ? block['signature'] : undefined;
        return [{ type: 'reasoning-start', part }, ...delta(text, { type: 'reasoning-delta', part, text })];
      }
      case 'redacted_thinking': {
        this.#kind = 'ended';
        const opaque = readOpaque(takeString(block, 'data'), 'encrypted');
        return [
          { type: 'reasoning-start', part },
          { type: 'reasoning-end', part, ...opaque },
        ];
      }
      case 'tool_use':
        return this.#startToolCall(block);
      default: {
        this.#raw = { ...block };
        const { type } = block;
        if (!isServerToolBlock(type) || type.endsWith('_use')) return [];
        // A result comes whole in its start; its value is in the event, so it need not be in the residue again.
        this.#kind = 'ended';
        for (const key of Object.keys(block)) delete block[key];
        return [{ type: 'server-tool', dialect, name: type, value: this.#raw }];
      }
    }
  }

  #startText(block: Fields): StreamEvent[] {
    this.#kind = 'text';
    const part = this.#part;
    const text = takeString(block, 'text') ?? '';
    const isCited = Array.isArray(block['citations']) && block['citations'].length > 0;
    const citations = isCited ? (takeArray(block, 'citations') ?? []) : [];
    return [
      { type: 'text-start', part },
      ...delta(text, { type: 'text-delta', part, text }),
      ...citations.flatMap((wire): StreamEvent[] => {
        const citation = decodeCitation(wire);
        return citation === undefined ? [] : [{ type: 'citation', part, citation }];
      }),
    ];
  }

  #startToolCall(block: Fields): StreamEvent[] {
    this.#kind = 'tool-call';
    const part = this.#part;
    const { id, signature } = unpackClientToolCallId(takeString(block, 'id') ?? '');
    this.#toolCallSignature = signature;
    const name = takeString(block, 'name') ?? '';
    const start = present({ type: 'tool-call-start', part, id, name, signature } as const);
    const { input } = block;
    if (input === undefined || input === null || isEmptyObject(input)) return [start];
    delete block['input'];
    this.#hasArguments = true;
    return [start, { type: 'tool-call-delta', part, argumentsDelta: JSON.stringify(input) }];
  }

  /** Reads `content_block_delta` and takes out of it what the returned events say. */
  delta(fields: Fields): StreamEvent[] {
    const wire = takeObject(fields, 'delta') ?? {};
    const events = this.#delta(wire);
    putBack(fields, 'delta', wire);
    return events;
  }

  #delta(wire: Fields): StreamEvent[] {
    const part = this.#part;
    switch (wire['type']) {
      case 'text_delta': {
        if (this.#kind !== 'text' || wire['text'] === '') return [];
        const text = takeString(wire, 'text');
        return text === undefined ? [] : [{ type: 'text-delta', part, text }];
      }
      case 'thinking_delta': {
        if (this.#kind !== 'reasoning' || wire['thinking'] === '') return [];
        const text = takeString(wire, 'thinking');
        return text === undefined ? [] : [{ type: 'reasoning-delta', part, text }];
      }
      case 'signature_delta':
        if (typeof wire['signature'] === 'string') this.#signature = wire['signature'];
        return [];
      case 'input_json_delta':
        return this.#inputDelta(wire);
      case 'citations_delta': {
        const citation = this.#kind === 'text' ? decodeCitation(wire['citation']) : undefined;
        if (citation === undefined) return [];
        delete wire['citation'];
        return [{ type: 'citation', part, citation }];
      }
      default: {
        // compaction_delta and the like: the members of the delta are those of the block.
        const { type: _, ...members } = wire;
        if (this.#kind === 'raw') this.#raw = { ...this.#raw, ...members };
        return [];
      }
    }
  }

  #inputDelta(wire: Fields): StreamEvent[] {
    if (this.#kind === 'raw' && typeof wire['partial_json'] === 'string') this.#rawInput += wire['partial_json'];
    if (this.#kind !== 'tool-call' || wire['partial_json'] === '') return [];
    const argumentsDelta = takeString(wire, 'partial_json');
    if (argumentsDelta === undefined) return [];
    this.#hasArguments = true;
    return [{ type: 'tool-call-delta', part: this.#part, argumentsDelta }];
  }

  /** The events at the block's end. */
  end(): StreamEvent[] {
    const part = this.#part;
    switch (this.#kind) {
      case 'text':
        return [{ type: 'text-end', part }];
      case 'reasoning':
        return [{ type: 'reasoning-end', part, ...readOpaque(this.#signature, 'signature') }];
      case 'tool-call': {
        const end = present({ type: 'tool-call-end', part, signature: this.#toolCallSignature } as const);
        return this.#hasArguments ? [end] : [{ type: 'tool-call-delta', part, argumentsDelta: '{}' }, end];
      }
      case 'raw':
        return this.#endRaw();
      case 'ended':
        return [];
    }
  }

  #endRaw(): StreamEvent[] {
    // Input that is no JSON object (cut off, or of a kind of tomorrow) stays a text: who looks at the part sees it all the same.
    const input = this.#rawInput === '' ? undefined : (parseObject(this.#rawInput) ?? this.#rawInput);
    const value = input === undefined ? this.#raw : { ...this.#raw, input };
    const { type } = this.#raw;
    if (isServerToolBlock(type)) return [{ type: 'server-tool', dialect, name: type, value }];
    return [{ type: 'opaque', dialect, value }];
  }
}

function delta(text: string, event: StreamEvent): readonly StreamEvent[] {
  return text === '' ? [] : [event];
}
