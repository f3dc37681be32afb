import type { GatewayError } from '@bifrost/sdk';
import type { UpstreamHeaders } from '../upstream/call.ts';
import type { Attempt } from './attempt.ts';
import { answerHeaders } from './commit-answer.ts';
import { ErrorRelay } from './error-relay.ts';
import type { Relay } from './relay.ts';
import { WholeUsage } from './whole-usage.ts';

/** A body that begins like this is an error inside a 200; `"error":null` is none. */
export const errorFirst = /^\s*\{\s*"error"\s*:\s*[{"]/;

/** Passes a whole answer's bytes through as they come, with the provider's content length. Nothing is held. */
export class PassWhole implements Relay {
  readonly #attempt: Attempt;
  readonly #statusCode: number;
  readonly #headers: UpstreamHeaders;
  readonly #usage: WholeUsage | undefined;
  #hasBegun = false;
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
    if (!this.#hasBegun) {
      if (errorFirst.test(chunk.toString('latin1', 0, Math.min(chunk.length, 64)))) {
        this.#error = new ErrorRelay(this.#attempt, this.#statusCode, this.#headers);
        this.#error.push(chunk);
        return;
      }
      this.#begin();
    }
    this.#usage?.push(chunk);
    this.#attempt.run.writer.write(chunk);
  }

  end(): void {
    if (this.#error !== undefined) {
      this.#error.end();
      return;
    }
    if (!this.#hasBegun) this.#begin();
    const { run } = this.#attempt;
    run.writer.end();
    run.usage = this.#usage?.read();
    this.#attempt.answered();
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

  #begin(): void {
    this.#hasBegun = true;
    this.#attempt.noteContent();
    const headers = answerHeaders(this.#attempt, this.#headers);
    const length = this.#headers['content-length'];
    if (length !== undefined && headers['x-bf-decompressed'] === undefined) headers['content-length'] = length;
    this.#attempt.run.writer.begin(this.#statusCode, headers);
  }
}

/** Somebody hears of the usage, and the answer has one. */
function isUsageRead({ run }: Attempt): boolean {
  return run.request.route.operation !== 'count-tokens' && (run.services.onTrace !== undefined || run.plugins !== null);
}
