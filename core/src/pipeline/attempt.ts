import type { ErrorInfo, GatewayError } from '@bifrost/sdk';
import { classifyFailure } from '../reliability/failure.ts';
import type { FailureClass } from '../reliability/failure.ts';
import type { UpstreamCall, UpstreamHeaders, UpstreamListener } from '../upstream/call.ts';
import { addressRefusedCode } from '../upstream/guarded-lookup.ts';
import { deadlineCode, deadlineError, silenceError, timeoutCode } from './attempt-errors.ts';
import type { AttemptPlan } from './attempt-plan.ts';
import { createDecompressor } from './decompressor.ts';
import type { Decompressor } from './decompressor.ts';
import { Drain } from './drain.ts';
import { ErrorRelay } from './error-relay.ts';
import type { Relay } from './relay.ts';
import { createRelay, createTail } from './relay-choice.ts';
import type { RequestRun } from './run.ts';
import type { Watched } from './shared-clock.ts';
import { rememberNames } from './state-memory.ts';
import type { GivenNames } from './state-names.ts';
import { isUsageRead } from './usage-readers.ts';

/** A provider's error answer as it came, for a client of the same dialect. */
export interface RawAnswer {
  readonly statusCode: number;
  readonly headers: UpstreamHeaders;
  readonly body: Buffer;
}

export interface AttemptFailure {
  readonly info: ErrorInfo;
  readonly class: FailureClass;
  readonly raw?: RawAnswer;
}

/** How an attempt ended: the client was answered (well or, after the commit point, with an error), nothing was sent, or it left. */
export type AttemptResult =
  | { readonly kind: 'answered' }
  | { readonly kind: 'failed'; readonly failure: AttemptFailure }
  | { readonly kind: 'canceled' };

/** How soon an answer that is over is looked at again where its client has not read it yet. */
const pausedEndMs = 1000;

const answered: AttemptResult = { kind: 'answered' };
const canceled: AttemptResult = { kind: 'canceled' };

/**
 * One call of one provider with one key: sends the request, watches the clocks, and lets a relay make the answer of what comes
 * back. Ends exactly once; when it ends before the answer was complete the connection is destroyed.
 *
 * Its clocks are looked at by the engine's shared clock, at the nearest deadline, and moved on then: a chunk costs a reading of the
 * clock and no timer.
 */
export class Attempt implements UpstreamListener, Watched {
  readonly run: RequestRun;
  readonly plan: AttemptPlan;
  readonly startedAt: number;
  nextLookAt = 0;
  watchedBefore: Watched | null = null;
  watchedAfter: Watched | null = null;
  readonly #call: UpstreamCall;
  #relay: Relay | undefined;
  #decompressor: Decompressor | undefined;
  /** Reads what the answer names, where follow-ups have to find its key again. */
  #names: GivenNames | undefined;
  #done: ((result: AttemptResult) => void) | undefined;
  #hasContent = false;
  #sentAt = 0;
  #lastByteAt = 0;
  #lastWriteAt: number;
  /** When an answer that has been said to its end is taken for ended though its bytes go on. */
  #endsAt = Number.POSITIVE_INFINITY;
  #isComplete = false;
  /** Present once the client has gone and the answer is read on. */
  #drain: Drain | undefined;

  /** `startedAt`: `performance.now()` now; `done` is called once, with how the attempt ended. */
  constructor(
    run: RequestRun,
    plan: AttemptPlan,
    { startedAt, done }: { readonly startedAt: number; readonly done: (result: AttemptResult) => void },
  ) {
    this.run = run;
    this.plan = plan;
    this.startedAt = startedAt;
    this.#done = done;
    this.#lastWriteAt = run.request.startedAt;
    this.#call = plan.runtime.transport.createCall(plan.request, this);
  }

  /** Sends the request. */
  start(): void {
    const { run } = this;
    run.waitingFor = this;
    if (run.isCanceled) this.#finish(canceled);
    else {
      run.writer.attach(this.#call);
      this.#sentAt = performance.now();
      run.services.clock.watch(this, this.#nextLook(this.startedAt), this.startedAt);
      this.#call.start();
    }
  }

  /** The client has gone. */
  cancel(): void {
    if (this.#readOn()) return;
    this.#relay?.abandon?.();
    this.#finish(canceled);
  }

  /** Where the provider's policy says so, its answer is read on without the client. False where there is nothing to be read. */
  #readOn(): boolean {
    const { run, plan } = this;
    const limits = plan.runtime.drain;
    if (limits === null || this.#isComplete || !this.#call.isSent || !isUsageRead(this)) return false;
    const tail = this.#relay?.detach?.();
    if (this.#relay !== undefined && tail === undefined) return false;
    const startedAt = performance.now();
    const drain = new Drain(tail, {
      limits,
      startedAt,
      expectEnd: (graceMs) => this.expectEnd(graceMs),
      done: (drained) => {
        run.noteDrained(drained);
        this.#finish(canceled);
      },
    });
    this.#hasContent = this.#relay !== undefined;
    this.#relay = this.#drain = drain;
    if (this.#decompressor !== undefined) this.#decompressor.relay = drain;
    run.waitingFor = null;
    run.writer.attach(null);
    run.services.clock.hasten(this, drain.endsAt, startedAt);
    this.#call.readOn();
    return true;
  }

  /** The client's answer is out. */
  answered(): void {
    this.#finish(answered);
  }

  /** Nothing was sent to the client: the next attempt may do better. */
  failed(info: ErrorInfo, raw?: RawAnswer): void {
    this.run.upstreamMs = (this.#isComplete ? this.#lastByteAt : performance.now()) - this.#sentAt;
    const failureClass = info.code === timeoutCode ? 'timeout' : classifyFailure(info);
    this.#finish({ kind: 'failed', failure: { info, class: failureClass, ...(raw === undefined ? {} : { raw }) } });
  }

  /**
   * When the bytes came that a relay is handed, in the time of `performance.now()`: a reading of the clock costs as much as a hook,
   * and one is enough for what happens within one call. With a decompressor in between bytes come later than they were read.
   */
  get arrivedAt(): number {
    return this.#decompressor === undefined ? this.#lastByteAt : performance.now();
  }

  /** The head of the answer is formed: what counts as the provider's time ends with its last byte before, or now where none had content. */
  noteUpstreamTime(now: number): void {
    this.run.upstreamMs = (this.#hasContent ? this.#lastByteAt : now) - this.#sentAt;
  }

  /** The first content has arrived: from now on only silence counts. */
  noteContent(now: number = performance.now()): void {
    if (this.#hasContent) return;
    this.#hasContent = true;
    this.run.firstContentAt ??= now;
    if (this.run.isStream) this.plan.place.release();
  }

  /**
   * The answer has been said to its end: the provider has so long to end its bytes too. Told anew with every event behind it;
   * comments do not count, which some providers send for ever.
   */
  expectEnd(graceMs: number): void {
    const now = performance.now();
    this.#endsAt = now + graceMs;
    this.run.services.clock.hasten(this, this.#endsAt, now);
  }

  /** The relay has a deadline of its own from now on. */
  wakeAt(at: number): void {
    this.run.services.clock.hasten(this, at, performance.now());
  }

  onUpstreamHead(statusCode: number, headers: UpstreamHeaders): void {
    const encoding = headers['content-encoding'];
    const isGood = statusCode >= 200 && statusCode < 300;
    if (isGood) this.#names = rememberNames(this.run, this.plan);
    if (this.#drain === undefined) {
      this.#relay = isGood ? createRelay(this, statusCode, headers) : new ErrorRelay(this, statusCode, headers);
    } else if (isGood) {
      this.#drain.begin(createTail(this, headers));
      this.#hasContent = true;
    } else {
      this.#drain.stop('failed');
      return;
    }
    if (this.#relay !== undefined && encoding !== undefined && encoding !== 'identity') {
      this.#decompressor = createDecompressor(String(encoding), this.#relay);
    }
    this.#lastByteAt = performance.now();
  }

  onUpstreamData(chunk: Buffer): void {
    this.#lastByteAt = performance.now();
    if (this.#hasContent) this.#lastWriteAt = this.#lastByteAt;
    this.#names?.push(chunk);
    if (this.#decompressor === undefined) this.#relay?.push(chunk);
    else this.#decompressor.push(chunk);
  }

  onUpstreamEnd(): void {
    this.#isComplete = true;
    if (this.#decompressor === undefined) this.#relay?.end();
    else this.#decompressor.end();
  }

  onUpstreamFailure(error: GatewayError): void {
    this.#isComplete = true;
    this.#lastByteAt = performance.now();
    if (error.code === addressRefusedCode) this.run.services.logger?.warn(error.message, error.cause);
    this.#break(error);
  }

  #break(error: GatewayError): void {
    if (this.#relay === undefined) this.failed(error.toInfo());
    else this.#relay.fail(error);
  }

  #finish(result: AttemptResult): void {
    const done = this.#done;
    if (done === undefined) return;
    this.#done = undefined;
    this.run.services.clock.forget(this);
    this.run.waitingFor = null;
    this.run.writer.attach(null);
    this.#decompressor?.destroy();
    if (!this.#isComplete) this.#call.abort();
    done(result);
  }

  /** When to look at the clocks again. At least once per idle time, so that the first content need not move the timer. */
  #nextLook(now: number): number {
    const { network } = this.plan.runtime.config;
    let next = this.#hasContent
      ? this.#lastByteAt + network.streamIdleTimeoutMs
      : Math.min(this.startedAt + network.firstContentTimeoutMs, now + network.streamIdleTimeoutMs);
    if (this.run.deadlineAt > 0) next = Math.min(next, this.run.deadlineAt);
    if (this.#endsAt < next) next = this.#endsAt;
    if (this.#drain !== undefined) return Math.min(next, this.#drain.endsAt);
    const dueAt = this.#relay?.dueAt;
    if (dueAt !== undefined && dueAt < next) next = dueAt;
    const keepAlive = this.#keepAliveMs;
    return keepAlive === 0 ? next : Math.min(next, this.#lastWriteAt + keepAlive);
  }

  get #keepAliveMs(): number {
    return this.run.isStream && this.#drain === undefined ? this.run.snapshot.client.keepAliveCommentSeconds * 1000 : 0;
  }

  lookAtClocks(now: number): number {
    // A client that reads slowly has paused us: the provider is not silent, we do not listen. A client that never reads again is
    // ended by its connection.
    this.#relay?.excuse?.(this.#call.isPaused ? now : this.#call.resumedAt);
    if (this.#call.isPaused) {
      this.#lastByteAt = now;
      if (this.#endsAt <= now) this.#endsAt = now + pausedEndMs;
    } else if (this.#call.resumedAt > this.#lastByteAt) this.#lastByteAt = this.#call.resumedAt;
    if (now >= this.#endsAt) {
      this.#endsAt = Number.POSITIVE_INFINITY;
      this.#relay?.endEarly?.();
      return this.#done === undefined ? Number.POSITIVE_INFINITY : this.#nextLook(now);
    }
    const expired = this.#expired(now) ?? this.#relay?.due?.(now);
    if (this.#drain !== undefined && (expired !== undefined || now >= this.#drain.endsAt)) {
      this.#drain.stop(expired === undefined || expired.code === deadlineCode ? 'time' : 'idle');
      return Number.POSITIVE_INFINITY;
    }
    if (expired !== undefined) {
      this.#break(expired);
      return Number.POSITIVE_INFINITY;
    }
    if (this.#keepAliveMs > 0 && now >= this.#lastWriteAt + this.#keepAliveMs) {
      this.#relay?.keepAlive?.();
      this.#lastWriteAt = now;
    }
    return this.#nextLook(now);
  }

  #expired(now: number): GatewayError | undefined {
    const { firstContentTimeoutMs, streamIdleTimeoutMs } = this.plan.runtime.config.network;
    const { deadlineAt, request } = this.run;
    if (deadlineAt > 0 && now >= deadlineAt) return deadlineError(now - request.startedAt);
    if (this.#hasContent) {
      return now >= this.#lastByteAt + streamIdleTimeoutMs
        ? silenceError('went silent', streamIdleTimeoutMs)
        : undefined;
    }
    return now >= this.startedAt + firstContentTimeoutMs
      ? silenceError('sent no content', firstContentTimeoutMs)
      : undefined;
  }
}
