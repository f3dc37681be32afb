/**
 * The guard against streams that trickle. A clock of silence does not see them: every second a character comes. It holds a stream back
 * until its beginning has shown the rate that the operator wants, so that another attempt may take its place unseen, and may go on
 * watching after that. Only where it is configured: the stream is then decoded for it, and leaves in its own bytes all the same.
 */
import { GatewayError } from '@bifrost/sdk';
import type { ThroughputGuard } from '../config.ts';
import type { Attempt } from './attempt.ts';
import { OutputMeter } from './output-meter.ts';
import type { Relay } from './relay.ts';
import type { UsageTail } from './usage-tail.ts';

/** So many characters prove the rate of a beginning, however fast it has to be. Source: Bifrost's probe. */
const maxProbeCharacters = 256;
const minProbeMs = 100;
const maxHeldBytes = 1024 * 1024;
const never = Number.POSITIVE_INFINITY;

export class GuardedStream implements Relay {
  readonly #attempt: Attempt;
  readonly #inner: Relay;
  readonly #guard: ThroughputGuard;
  readonly #meter: OutputMeter;
  readonly #target: number;
  /** What came while the beginning is judged; undefined after that. */
  #held: Buffer[] | undefined = [];
  #heldBytes = 0;
  /** The window under way: its beginning, its length (0: none), the characters before it. */
  #windowAt = 0;
  #windowMs = 0;
  #charactersBefore = 0;

  constructor(attempt: Attempt, inner: Relay, guard: ThroughputGuard) {
    this.#attempt = attempt;
    this.#inner = inner;
    this.#guard = guard;
    this.#meter = new OutputMeter(attempt.plan.codec);
    this.#target = Math.min((guard.minCharactersPerSecond * guard.probeWindowMs) / 1000, maxProbeCharacters);
  }

  get dueAt(): number {
    return this.#windowMs === 0 ? never : this.#windowAt + this.#windowMs;
  }

  push(chunk: Buffer): void {
    const meter = this.#meter;
    if (this.#held !== undefined) this.#judge(this.#held, chunk);
    else {
      if (this.#windowMs > 0) meter.push(chunk);
      if (meter.isSettled) this.#windowMs = 0;
      this.#inner.push(chunk);
    }
  }

  end(): void {
    this.#release();
    this.#windowMs = 0;
    this.#inner.end();
  }

  endEarly(): void {
    this.#inner.endEarly?.();
  }

  /** What is held has not been heard by anyone: the attempt may be replaced. */
  fail(error: GatewayError): void {
    this.#held = undefined;
    this.#windowMs = 0;
    this.#inner.fail(error);
  }

  abandon(): void {
    if (this.#held === undefined) this.#inner.abandon?.();
    else {
      const usage = this.detach()?.read();
      if (usage !== undefined) this.#attempt.run.usage = usage;
    }
  }

  detach(): UsageTail | undefined {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#windowMs = 0;
    const tail = this.#inner.detach?.();
    for (const chunk of held) tail?.push(chunk);
    return tail;
  }

  keepAlive(): void {
    this.#inner.keepAlive?.();
  }

  /** Until `at` the client has let nothing through: the window begins anew. */
  excuse(at: number): void {
    if (at > this.#windowAt) this.#open(at, this.#windowMs);
  }

  due(now: number): GatewayError | undefined {
    if (now < this.dueAt) return undefined;
    const characters = this.#meter.characters - this.#charactersBefore;
    const isProbe = this.#held !== undefined;
    const wanted = isProbe ? this.#target : (this.#guard.minCharactersPerSecond * this.#windowMs) / 1000;
    if (characters < wanted) return tooSlow(this.#guard, { characters, windowMs: this.#windowMs });
    this.#open(now, this.#windowMs);
    return undefined;
  }

  #judge(held: Buffer[], chunk: Buffer): void {
    const meter = this.#meter;
    meter.push(chunk);
    held.push(chunk);
    this.#heldBytes += chunk.length;
    if (meter.isSettled || meter.characters >= this.#target) this.#release();
    else if (this.#heldBytes > maxHeldBytes) this.fail(tooMuchHeld());
    else if (meter.characters > 0 && this.#windowMs === 0) {
      // Thinking in silence before the first character is the matter of another clock.
      const { minCharactersPerSecond } = this.#guard;
      this.#open(performance.now(), Math.max(minProbeMs, (this.#target / minCharactersPerSecond) * 1000));
      this.#charactersBefore = 0;
      this.#attempt.wakeAt(this.dueAt);
    }
  }

  #release(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#windowMs = 0;
    const { watchWindowMs } = this.#guard;
    if (watchWindowMs > 0 && !this.#meter.isSettled) {
      this.#open(performance.now(), watchWindowMs);
      this.#attempt.wakeAt(this.dueAt);
    }
    const [first] = held;
    if (first !== undefined) this.#inner.push(held.length === 1 ? first : Buffer.concat(held));
  }

  #open(at: number, windowMs: number): void {
    this.#windowAt = at;
    this.#windowMs = windowMs;
    this.#charactersBefore = this.#meter.characters;
  }
}

function tooSlow(
  { minCharactersPerSecond }: ThroughputGuard,
  { characters, windowMs }: { readonly characters: number; readonly windowMs: number },
): GatewayError {
  const rate = `${characters} characters in ${Math.round(windowMs)} ms`;
  return new GatewayError(
    `the provider's stream is too slow: ${rate}, less than ${minCharactersPerSecond} in a second`,
    { code: 'stream_throughput_below_minimum', statusCode: 503, isRetryable: true },
  );
}

function tooMuchHeld(): GatewayError {
  return new GatewayError(
    `the provider's stream brought ${maxHeldBytes / 1024 / 1024} MiB before its rate of output was known`,
    { code: 'stream_throughput_probe_buffer_exceeded', statusCode: 503, isRetryable: true },
  );
}
