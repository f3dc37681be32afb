import type { StreamEvent } from '@bifrost/sdk';
import type { DialectCodec, StreamDecoder } from '../dialects/codec.ts';
import { SseParser } from '../sse/parser.ts';

/** Counts the characters that a provider's stream has put out: text, reasoning, refusals, tool calls, media. */
export class OutputMeter {
  readonly #codec: DialectCodec;
  readonly #parser = new SseParser();
  readonly #decoder: StreamDecoder;
  characters = 0;
  /** The stream has said its end or an error, or something that cannot be read: its rate says nothing any more. */
  isSettled = false;

  constructor(codec: DialectCodec) {
    this.#codec = codec;
    this.#decoder = codec.createStreamDecoder();
  }

  push(chunk: Buffer): void {
    if (this.isSettled) return;
    try {
      for (const event of this.#parser.push(chunk)) {
        const kind = this.#codec.classifyStreamEvent(event);
        if (kind === 'terminal' || kind === 'error') this.isSettled = true;
        for (const frame of this.#decoder.push(event)) {
          for (const part of frame.events) this.characters += charactersOf(part);
        }
      }
    } catch {
      // Who passes the stream on judges what it says; a meter that cannot read it must not end it.
      this.isSettled = true;
    }
  }
}

function charactersOf(event: StreamEvent): number {
  switch (event.type) {
    case 'text-delta':
    case 'refusal-delta':
    case 'reasoning-delta':
      return event.text.length;
    case 'tool-call-start':
      return event.name.length;
    case 'tool-call-delta':
      return event.argumentsDelta.length;
    case 'media-delta':
      return event.data.length;
    default:
      return 0;
  }
}
