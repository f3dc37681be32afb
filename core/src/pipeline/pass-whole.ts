import type { GatewayError } from '@bifrost/sdk';
import type { UpstreamHeaders } from '../upstream/call.ts';
import type { Attempt } from './attempt.ts';
import { answerHeaders } from './commit-answer.ts';
import { ErrorRelay } from './error-relay.ts';
import { maySayFailure, saysFailure, startsWithError } from './failed-answer.ts';
import { isUsageRead } from './usage-readers.ts';
import type { Relay } from './relay.ts';
import { WholeTail } from './usage-tail.ts';
import type { UsageTail } from './usage-tail.ts';
import { WholeUsage } from './whole-usage.ts';

/** So much is held before anything is sent: a failure that a provider says inside a 200 is short, or says so at its beginning. */
const judgedBytes = 1024;
/** An answer that may be a failure is held up to here to be judged whole. */
const maxSuspectedBytes = 1024 * 1024;

const noBytes = Buffer.alloc(0);

/** Passes a whole answer's bytes through as they come, with the provider's content length. Only its beginning is held. */
export class PassWhole implements Relay {
  readonly #attempt: Attempt;
  readonly #statusCode: number;
  readonly #headers: UpstreamHeaders;
  readonly #usage: WholeUsage | undefined;
  /** What is held, mostly in one piece: a list of one would be made for every answer. */
  #held: Buffer | undefined = undefined;
  #heldMore: Buffer[] | undefined = undefined;
  #heldBytes = 0;
  /** Known once the beginning is there. */
  #isSuspected: boolean | undefined;
  #hasBegun = false;
  /** Bytes of the body still to come; undefined where its length was not stated. */
  #missing: number | undefined = undefined;
  /** The last of the body, which leaves together with the end: one system call and no turn of the tick queue in between. */
  #last: Buffer | undefined = undefined;
  #error: ErrorRelay | undefined;

  constructor(attempt: Attempt, statusCode: number, headers: UpstreamHeaders) {
    this.#attempt = attempt;
    this.#statusCode = statusCode;
    this.#headers = headers;
    this.#usage = isUsageRead(attempt) ? new WholeUsage(attempt.plan.codec) : undefined;
  }

  push(chunk: Buffer): void {
    if (this.#error !== undefined) {
      this.#error.push(chunk);
      return;
    }
    if (this.#hasBegun) {
      this.#write(chunk);
      return;
    }
    this.#hold(chunk);
    if (this.#heldBytes < judgedBytes) return;
    if (this.#isSuspected === undefined) {
      const start = this.#takeHeld();
      if (startsWithError(start)) {
        this.#failWith(start);
        return;
      }
      this.#hold(start);
      this.#isSuspected = maySayFailure(this.#attempt.plan.codec.name, start);
    }
    if (this.#isSuspected && this.#heldBytes <= maxSuspectedBytes) return;
    this.#begin(this.#attempt.arrivedAt);
    this.#write(this.#takeHeld());
  }

  end(): void {
    if (!this.#hasBegun && this.#error === undefined) {
      const body = this.#takeHeld();
      if (saysFailure(this.#attempt.plan.codec.name, body)) this.#failWith(body);
      else {
        this.#begin(performance.now());
        this.#usage?.push(body);
        this.#last = body;
      }
    }
    if (this.#error !== undefined) {
      this.#error.end();
      return;
    }
    const { run } = this.#attempt;
    run.writer.end(this.#last);
    run.usage = this.#usage?.read();
    this.#attempt.answered();
  }

  detach(): UsageTail | undefined {
    if (this.#usage === undefined || this.#error !== undefined) return undefined;
    return new WholeTail(this.#usage, this.#heldBytes === 0 ? [] : [this.#takeHeld()]);
  }

  fail(error: GatewayError): void {
    const { run } = this.#attempt;
    if (!this.#hasBegun) {
      this.#attempt.failed(error.toInfo());
      return;
    }
    // The length was announced, or the end would look like one: a broken connection is the only honest end.
    run.error = error.toInfo();
    run.writer.destroy();
    this.#attempt.answered();
  }

  #hold(chunk: Buffer): void {
    this.#heldBytes += chunk.length;
    if (this.#held === undefined) this.#held = chunk;
    else (this.#heldMore ??= []).push(chunk);
  }

  #takeHeld(): Buffer {
    const [first, more] = [this.#held ?? noBytes, this.#heldMore];
    this.#held = undefined;
    this.#heldMore = undefined;
    this.#heldBytes = 0;
    return more === undefined ? first : Buffer.concat([first, ...more]);
  }

  #failWith(start: Buffer): void {
    this.#error = new ErrorRelay(this.#attempt, this.#statusCode, this.#headers);
    this.#error.push(start);
  }

  #write(chunk: Buffer): void {
    this.#usage?.push(chunk);
    if (this.#missing !== undefined) {
      this.#missing -= chunk.length;
      if (this.#missing === 0 && this.#last === undefined) {
        this.#last = chunk;
        return;
      }
    }
    this.#attempt.run.writer.write(chunk);
  }

  #begin(now: number): void {
    this.#hasBegun = true;
    this.#attempt.noteContent(now);
    const headers = answerHeaders(this.#attempt, this.#headers, now);
    const length = this.#headers['content-length'];
    if (length !== undefined && headers['x-bf-decompressed'] === undefined) {
      headers['content-length'] = length;
      this.#missing = Number(length);
    }
    this.#attempt.run.writer.begin(this.#statusCode, headers);
  }
}
