import type { GatewayError } from '@bifrost/sdk';
import type { UsageTail } from './usage-tail.ts';

/** Takes one upstream answer's bytes and makes the client's answer, or the attempt's failure, of them. */
export interface Relay {
  push(chunk: Buffer): void;
  /** The bytes ended well. */
  end(): void;
  /** They broke off, or a clock expired. */
  fail(error: GatewayError): void;
  /** The answer has been said to its end, and the provider had its time to end the bytes too: end, unless a part may be missing. */
  endEarly?(): void;
  /** `performance.now()` of a deadline of its own; Infinity while it has none. */
  readonly dueAt?: number;
  /** Asked at that time: why the answer cannot go on, if so. */
  due?(now: number): GatewayError | undefined;
  /** Until `at` the provider's bytes were not read because of the client: what its silence says does not count. */
  excuse?(at: number): void;
  /** The client has gone: keep what the provider has reported so far. */
  abandon?(): void;
  /**
   * The client has gone, and the provider's answer is read on by who gets this: nothing more comes here. Undefined where the rest says
   * nothing of usage.
   */
  detach?(): UsageTail | undefined;
  /** The client has heard nothing for a while: write a comment if the answer is a stream between two events. */
  keepAlive?(): void;
}
