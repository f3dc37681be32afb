import { GatewayError } from '@bifrost/sdk';
import type { ErrorInfo } from '@bifrost/sdk';
import type { UpstreamHeaders } from '../upstream/call.ts';
import type { Attempt } from './attempt.ts';
import { commitAnswer } from './commit-answer.ts';
import { formatSse } from '../sse/parser.ts';
import { doneEvent, endsInDone, mayLackChoices } from './done-marker.ts';
import { endGraceMs } from './end-grace.ts';
import { inBandError } from './in-band-error.ts';
import type { Relay } from './relay.ts';
import { writeStreamError } from './respond-error.ts';
import { StreamWatcher } from './stream-watcher.ts';
import { StreamTail } from './usage-tail.ts';
import type { UsageTail } from './usage-tail.ts';
import { withoutUsageEvents } from './usage-events.ts';

/** What waits before the commit point is bounded: beyond this the stream is committed. */
export const maxHeldEvents = 64;
export const maxHeldBytes = 256 * 1024;
/** A piece of an event waits for its rest, so that an event cut by a broken connection never reaches the client; up to this. */
const maxTailBytes = 64 * 1024;

/**
 * Passes a stream's bytes through as they come, one write per chunk. Before the first content they are held, so that an attempt
 * that fails leaves no trace; after it the watcher still notices errors, the end, and usage.
 */
export class PassStream implements Relay {
  readonly #attempt: Attempt;
  readonly #headers: UpstreamHeaders;
  readonly #watcher: StreamWatcher;
  /** Chunks before the commit point; undefined after it. */
  #held: Buffer[] | undefined = [];
  #heldBytes = 0;
  #heldWholeBytes = 0;
  /** The bytes of an event that is not whole yet. */
  #tail: Buffer[] = [];
  #tailBytes = 0;
  /** A part of an event has been written, its rest not yet. */
  #isInsideEvent = false;
  #isOver = false;

  constructor(attempt: Attempt, headers: UpstreamHeaders) {
    this.#attempt = attempt;
    this.#headers = headers;
    this.#watcher = new StreamWatcher(attempt.plan.codec);
  }

  push(chunk: Buffer): void {
    if (this.#isOver) return;
    const watcher = this.#watcher;
    const wholeBytes = watcher.push(chunk);
    if (watcher.hasEndInLast) this.#attempt.expectEnd(endGraceMs(this.#attempt.plan.codec.name, watcher));
    if (this.#held === undefined) {
      this.#forward(chunk, wholeBytes);
      return;
    }
    if (watcher.error !== undefined && !watcher.hasContent) {
      this.#failBeforeContent(inBandError(this.#attempt, watcher.error));
      return;
    }
    if (wholeBytes > 0) this.#heldWholeBytes = this.#heldBytes + wholeBytes;
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    const isFull = this.#heldBytes > maxHeldBytes || watcher.lifecycleEvents > maxHeldEvents;
    if (watcher.hasContent || watcher.hasTerminal || isFull) this.#release();
  }

  end(): void {
    if (this.#isOver) return;
    this.#watcher.finish();
    const { hasTerminal, hasFinish, error, hasContent } = this.#watcher;
    if (error !== undefined && !hasContent && this.#held !== undefined) {
      this.#failBeforeContent(inBandError(this.#attempt, error));
    } else if (hasTerminal || hasFinish || error !== undefined) {
      this.#finish();
    } else {
      const message = 'the provider ended the stream before the answer was complete';
      this.#break(new GatewayError(message, { code: 'BF_STREAM_TRUNCATED', statusCode: 502, isRetryable: true }));
    }
  }

  endEarly(): void {
    if (this.#isComplete) this.end();
  }

  fail(error: GatewayError): void {
    if (this.#isOver) return;
    // After the end of the answer everything has been said: that the connection then broke changes nothing for the client.
    if (this.#isComplete) {
      this.#release();
      this.#tail = [];
      this.#finish();
    } else this.#break(error);
  }

  /** The answer has come to its end, though `[DONE]` may be missing; asked where the connection broke. */
  get #isComplete(): boolean {
    const { hasTerminal, hasFinish, hasDone } = this.#watcher;
    return hasDone || ((hasTerminal || hasFinish) && !mayLackChoices(this.#attempt));
  }

  keepAlive(): void {
    if (this.#isOver || this.#isInsideEvent) return;
    commitAnswer(this.#attempt, 200, this.#headers);
    this.#attempt.run.writer.write(': keep-alive\n\n');
  }

  detach(): UsageTail {
    this.#isOver = true;
    this.#held = undefined;
    return new StreamTail(this.#attempt.plan.codec, this.#watcher);
  }

  abandon(): void {
    this.#attempt.run.usage = this.#watcher.readUsage();
  }

  #forward(chunk: Buffer, wholeBytes: number): void {
    if (wholeBytes === chunk.length && this.#tailBytes === 0) {
      this.#isInsideEvent = false;
      this.#write(chunk);
    } else if (wholeBytes > 0) {
      const whole = [...this.#tail, chunk.subarray(0, wholeBytes)];
      this.#tail = [];
      this.#tailBytes = 0;
      this.#isInsideEvent = false;
      this.#write(Buffer.concat(whole));
      if (wholeBytes < chunk.length) this.#keepTail(chunk.subarray(wholeBytes));
    } else this.#keepTail(chunk);
  }

  #keepTail(bytes: Buffer): void {
    this.#tail.push(bytes);
    this.#tailBytes += bytes.length;
    if (this.#tailBytes <= maxTailBytes && !this.#isInsideEvent) return;
    this.#isInsideEvent = true;
    this.#writeTail();
  }

  #writeTail(): void {
    const tail = this.#tail;
    this.#tail = [];
    this.#tailBytes = 0;
    if (tail.length > 0) this.#attempt.run.writer.write(Buffer.concat(tail));
  }

  #write(bytes: Buffer): void {
    const isFiltered = this.#attempt.plan.isUsageWithheld && this.#watcher.hasUsageInLast;
    const kept = isFiltered ? withoutUsageEvents(bytes) : bytes;
    if (kept.length > 0) this.#attempt.run.writer.write(kept);
  }

  /** The commit point: status, headers, and everything held so far. */
  #release(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#attempt.noteContent();
    commitAnswer(this.#attempt, 200, this.#headers);
    if (held.length > 0)
      this.#forward(held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held), this.#heldWholeBytes);
  }

  /** A client of OpenAI's waits for the marker; a provider that has said its finish reason may have left it away. */
  get #isDoneMissing(): boolean {
    return this.#watcher.error === undefined && !this.#watcher.hasDone && endsInDone(this.#attempt);
  }

  #failBeforeContent(info: ErrorInfo): void {
    this.#isOver = true;
    this.#held = undefined;
    this.#attempt.run.usage = this.#watcher.readUsage();
    this.#attempt.failed(info);
  }

  #break(error: GatewayError): void {
    const info = error.toInfo();
    if (this.#held !== undefined) {
      this.#failBeforeContent(info);
      return;
    }
    this.#isOver = true;
    const { run } = this.#attempt;
    run.usage = this.#watcher.readUsage();
    if (this.#isInsideEvent) run.writer.write('\n\n');
    writeStreamError(run, info);
    this.#attempt.answered();
  }

  #finish(): void {
    this.#release();
    this.#isOver = true;
    const { run } = this.#attempt;
    run.usage = this.#watcher.readUsage();
    if (this.#watcher.error !== undefined) run.error = inBandError(this.#attempt, this.#watcher.error);
    if (this.#isDoneMissing) {
      if (this.#isInsideEvent || this.#tail.length > 0) this.#tail.push(Buffer.from('\n\n'));
      this.#tail.push(Buffer.from(formatSse(doneEvent)));
    }
    this.#writeTail();
    run.writer.end();
    this.#attempt.answered();
  }
}
