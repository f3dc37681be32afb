import type { DialectName, Usage } from '@bifrost/sdk';
import type { DialectCodec } from '../dialects/codec.ts';
import { parseSse } from '../sse/parser.ts';
import type { SseEvent } from '../sse/event.ts';
import { isDoneEvent } from './done-marker.ts';

/**
 * Watches a stream whose bytes pass through, without decoding it: until the first content every event is classified; after it
 * only events that look like an error, the end or a usage report are parsed. Works on whole events, wherever the bytes are cut.
 *
 * The tests run on Latin-1 text (one character per byte): the markers are ASCII, and the conversion is a plain copy.
 */
export class StreamWatcher {
  readonly #codec: DialectCodec;
  readonly #markers: readonly string[];
  readonly #finishMarker: RegExp | undefined;
  readonly #areUsageReportsSplit: boolean;
  /** Text after the last whole event, and its last three characters. */
  #pending: string[] = [];
  #seam = '';
  #firstUsage = '';
  #lastUsage = '';

  hasContent = false;
  hasTerminal = false;
  /** `[DONE]` has come. */
  hasDone = false;
  /** The answer says that it is finished, though the terminal event may be missing. */
  hasFinish = false;
  /** The events that the last chunk completed report usage. */
  hasUsageInLast = false;
  /** The last chunk completed events, and the answer is finished: comments alone leave it false. */
  hasEndInLast = false;
  /** Events seen before the first content. */
  lifecycleEvents = 0;
  /** The first error event. */
  error: SseEvent | undefined;

  constructor(codec: DialectCodec) {
    this.#codec = codec;
    this.#markers = markers[codec.name];
    this.#finishMarker = finishMarkers[codec.name];
    this.#areUsageReportsSplit = codec.name === 'anthropic-messages';
  }

  /** Takes a chunk; returns how many of its bytes belong to events that are whole now. */
  push(chunk: Buffer): number {
    this.hasUsageInLast = false;
    this.hasEndInLast = false;
    const text = chunk.toString('latin1', 0, chunk.length);
    if (this.#pending.length === 0 && text.endsWith('\n\n')) {
      this.#inspect(text);
      return chunk.length;
    }
    const end = eventsEnd(this.#seam + text) - this.#seam.length;
    if (end <= 0) {
      this.#keep(text);
      return 0;
    }
    const whole = this.#takePending() + text.slice(0, end);
    if (end < text.length) this.#keep(text.slice(end));
    this.#inspect(whole);
    return end;
  }

  /** Takes the end of the bytes: a last event without its blank line counts. */
  finish(): void {
    const rest = this.#takePending();
    if (rest !== '') this.#inspect(rest);
  }

  /** Some usage has been reported. */
  get hasUsage(): boolean {
    return this.#lastUsage !== '';
  }

  /** The usage reported so far. */
  readUsage(): Usage | undefined {
    const isSplit = this.#areUsageReportsSplit && this.#firstUsage !== this.#lastUsage;
    const text = isSplit ? this.#firstUsage + this.#lastUsage : this.#lastUsage;
    if (text === '') return undefined;
    let usage: Usage | undefined;
    for (const event of parseSse(Buffer.from(text, 'latin1'))) {
      const reported = this.#codec.readStreamUsage(event, usage);
      if (reported !== undefined) usage = { ...usage, ...reported };
    }
    return usage;
  }

  #keep(text: string): void {
    // Long events come in many chunks: only the seam is searched again, so that the work stays linear.
    this.#pending.push(text);
    this.#seam = (this.#seam + text.slice(-3)).slice(-3);
  }

  #takePending(): string {
    const text = this.#pending.join('');
    this.#pending = [];
    this.#seam = '';
    return text;
  }

  #inspect(part: string): void {
    if (this.#finishMarker?.test(part) === true) this.hasFinish = true;
    if (usageMarker.test(part)) this.#noteUsage(part);
    if (!this.hasContent || this.#isMarked(part)) {
      for (const event of parseSse(Buffer.from(part, 'latin1'))) this.#classify(event);
    }
    if (this.hasFinish || this.hasTerminal) this.hasEndInLast = dataLine.test(part);
  }

  #isMarked(part: string): boolean {
    for (const marker of this.#markers) if (part.includes(marker)) return true;
    // The word that all marks of an error have: one search in place of three.
    return part.includes('error') && errorMarks.some((mark) => part.includes(mark));
  }

  #classify(event: SseEvent): void {
    switch (this.#codec.classifyStreamEvent(event)) {
      case 'content':
        this.hasContent = true;
        break;
      case 'lifecycle':
        this.lifecycleEvents += 1;
        break;
      case 'terminal':
        this.hasTerminal = true;
        if (isDoneEvent(event)) this.hasDone = true;
        break;
      case 'error':
        this.error ??= event;
        break;
    }
  }

  /** Totals replace each other, so the last report is enough, with the first where a dialect splits them over two events. */
  #noteUsage(part: string): void {
    this.hasUsageInLast = true;
    if (this.#firstUsage === '') this.#firstUsage = part;
    this.#lastUsage = part;
  }
}

/** The offset after the last blank line, 0 when there is none. */
function eventsEnd(text: string): number {
  let end = text.lastIndexOf('\n\n') + 2;
  if (end === 1) end = 0;
  const mixed = text.lastIndexOf('\n\r\n');
  if (mixed !== -1 && mixed + 3 > end) end = mixed + 3;
  const returns = text.lastIndexOf('\r\r');
  if (returns !== -1 && returns + 2 > end) end = returns + 2;
  return end;
}

/** A usage report with values: `"usage":null` on every chunk is none. */
const usageMarker = /"usage(?:Metadata)?"\s*:\s*\{/;

/** A line of an event, which a comment has not. */
const dataLine = /^data/m;

const errorMarks = ['"error"', 'event: error', 'event:error'];

/**
 * What an event has in it that is worth parsing once content has begun: ends, beside the errors. Plain texts and not one expression: a
 * search for a text is several times cheaper, and one that is found without meaning it costs only a parse.
 */
const markers: Readonly<Record<DialectName, readonly string[]>> = {
  'openai-chat': ['[DONE]'],
  'openai-completions': ['[DONE]'],
  'openai-responses': [
    'response.completed',
    'response.incomplete',
    'response.failed',
    'response.cancelled',
    'response.done',
    '[DONE]',
  ],
  'anthropic-messages': ['message_stop'],
  'gemini-generate-content': ['"finishReason"'],
};

/** A sign within an event that the answer is finished; some servers leave the terminal event away. */
const finishMarkers: Partial<Readonly<Record<DialectName, RegExp>>> = {
  'openai-chat': /"finish_reason"\s*:\s*"[^"]/,
  'openai-completions': /"finish_reason"\s*:\s*"[^"]/,
};
