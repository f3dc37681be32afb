import { GatewayError } from '@bifrost/sdk';
import type { KeyConfig } from '../config.ts';
import { backoffMs } from '../reliability/backoff.ts';
import { failurePolicies } from '../reliability/failure.ts';
import { Place } from '../reliability/gate.ts';
import { eligibleKeys, pickKey } from '../reliability/key-selection.ts';
import { classifyThrown, deadlineError } from './attempt-errors.ts';
import type { AttemptFailure } from './attempt.ts';
import { attemptOnce, noteAttempt } from './attempt-once.ts';
import type { AttemptOutcome } from './attempt-outcome.ts';
import { assertAllowed } from './attempt-plan.ts';
import type { Target } from './resolve-model.ts';
import type { RequestRun } from './run.ts';
import { sleep } from './sleep.ts';
import { rememberedMaker, unknownState } from './state-memory.ts';

/** The longest that a request waits because a provider said `Retry-After`; beyond it the error goes to the client. */
const maxRetryAfterMs = 60_000;

/** Why a target was given up; undefined where the client was answered or has gone. Called once; must not throw. */
export type TrialDone = (failure: AttemptFailure | undefined) => void;

/** Keys that this request cannot use (refused) or should not use again before the others (rate limited). */
class KeyState {
  readonly dead = new Set<KeyConfig>();
  readonly excluded = new Set<KeyConfig>();

  exclude(key: KeyConfig, isDead: boolean): void {
    this.excluded.add(key);
    if (isDead) this.dead.add(key);
  }

  /** Every key has been tried: those that were only rate limited may be tried again. */
  forgive(): void {
    this.excluded.clear();
    for (const key of this.dead) this.excluded.add(key);
  }
}

/**
 * Tries one target until it answers, its keys are dead or its retries are used up. Steps call each other: the common case, one
 * attempt that answers, costs this object and no promise.
 */
export class TargetTrial {
  readonly #run: RequestRun;
  readonly #target: Target;
  readonly #done: TrialDone;
  #keys: readonly KeyConfig[] = [];
  #key: KeyConfig | undefined = undefined;
  /** The only key to be asked: it made what the request continues. */
  #maker: KeyConfig | undefined = undefined;
  /** Why a key could not be asked whether it made what the request continues. */
  #refusal: AttemptFailure | undefined = undefined;
  /** Made by the first key that fails. */
  #failed: KeyState | undefined = undefined;
  #place: Place | undefined = undefined;
  #retries = 0;
  #attemptStartedAt = 0;

  constructor(run: RequestRun, target: Target, done: TrialDone) {
    this.#run = run;
    this.#target = target;
    this.#done = done;
  }

  /** Begins. Never throws. */
  start(): void {
    const run = this.#run;
    const { runtime, model } = this.#target;
    try {
      assertAllowed(run, runtime);
      const pin = run.fallbackIndex === 0 ? run.keyPin() : undefined;
      this.#keys = pin === undefined ? runtime.keysFor(model) : eligibleKeys(runtime.config, model, pin);
      this.#maker = rememberedMaker(run, this.#target, this.#keys);
      if (runtime.gate.tryEnter()) this.#enter();
      else {
        const since = performance.now();
        waitForPlace(run, this.#target).then(
          (isIn) => {
            run.noteWait(performance.now() - since);
            if (isIn) this.#enter();
            else this.#end(undefined);
          },
          (error: unknown) => {
            run.noteWait(performance.now() - since);
            this.#threw(error);
          },
        );
      }
    } catch (error) {
      this.#threw(error);
    }
  }

  #enter(): void {
    const { gate, budget } = this.#target.runtime;
    this.#place = new Place(gate);
    this.#attemptStartedAt = performance.now();
    budget.countRequest(this.#attemptStartedAt);
    this.#attempt();
  }

  #attempt(): void {
    this.#run.noteAttemptStart(this.#attemptStartedAt);
    let key = this.#maker ?? pickKey(this.#keys, this.#failed?.excluded, Math.random());
    if (key === undefined) {
      this.#failed?.forgive();
      key = pickKey(this.#keys, this.#failed?.excluded, Math.random()) as KeyConfig;
    }
    this.#key = key;
    const startedAt = this.#attemptStartedAt;
    attemptOnce(this.#run, { target: this.#target, key, place: this.#place as Place, startedAt }, this.#attempted);
  }

  readonly #attempted = (outcome: AttemptOutcome): void => {
    if (outcome.kind === 'thrown') {
      this.#threw(outcome.error);
      return;
    }
    noteAttempt(this.#run, this.#target, outcome, this.#attemptStartedAt);
    if (outcome.kind === 'failed') this.#judge(outcome.failure);
    else this.#end(undefined);
  };

  /** What follows a failure: another key, a retry after a pause, or the end of this target. */
  #judge(failure: AttemptFailure): void {
    const policy = failurePolicies[failure.class];
    if (!policy.isRetried || failure.info.allowFallbacks === false) {
      this.#end(failure);
      return;
    }
    const failed = (this.#failed ??= new KeyState());
    if (policy.key === 'dead') {
      this.#bury(failure, failed);
      return;
    }
    const { config, budget } = this.#target.runtime;
    if (this.#retries >= config.network.maxRetries || !budget.tryRetry(performance.now())) {
      this.#end(failure);
      return;
    }
    this.#retries += 1;
    if (policy.key === 'used') failed.exclude(this.#key as KeyConfig, false);
    this.#pause(failure, failed);
  }

  /** The key cannot serve this request. What it made no other key has, so where it is known as the maker that is the end. */
  #bury(failure: AttemptFailure, failed: KeyState): void {
    const isForeign = failure.class === 'foreign-state';
    if (this.#maker !== undefined && !isForeign) {
      this.#end(exhausted(failure, this.#target, this.#maker));
      return;
    }
    this.#maker = undefined;
    if (!isForeign) this.#refusal = failure;
    failed.exclude(this.#key as KeyConfig, true);
    if (failed.dead.size < this.#keys.length) this.#again();
    else if (this.#refusal !== undefined) this.#end(exhausted(this.#refusal, this.#target));
    else this.#end(unknownState(failure, this.#target, this.#keys.length));
  }

  #pause(failure: AttemptFailure, failed: KeyState): void {
    // What a provider asks of one key does not hold for the next one.
    const isAnyLeft = this.#maker === undefined && failed.excluded.size > 0 && failed.excluded.size < this.#keys.length;
    const asked = isAnyLeft ? 0 : (failure.info.retryAfterSeconds ?? 0) * 1000;
    const wait = retryDelay(this.#run, this.#target, this.#retries, asked);
    if (wait === undefined) this.#end(failure);
    else if (wait === 0) this.#again();
    else void sleep(this.#run, wait).then((isThere) => (isThere ? this.#again() : this.#end(undefined)));
  }

  #again(): void {
    this.#attemptStartedAt = performance.now();
    this.#attempt();
  }

  #threw(error: unknown): void {
    if (!GatewayError.isInstance(error)) {
      this.#run.services.logger?.error('an attempt failed inside the engine', error);
    }
    this.#end(classifyThrown(error));
  }

  #end(failure: AttemptFailure | undefined): void {
    this.#place?.release();
    this.#done(failure);
  }
}

/** True once a place is free, false when the client left the queue. Throws 429 when the queue is full, 504 at the deadline. */
async function waitForPlace(run: RequestRun, target: Target): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<boolean>((resolve, reject) => {
      const { gate } = target.runtime;
      let leave: (() => void) | undefined;
      const entered = gate.enter(run.snapshot.client.dropExcessRequests, (leaveQueue) => (leave = leaveQueue));
      run.waitingFor = {
        cancel() {
          leave?.();
          resolve(false);
        },
      };
      if (run.deadlineAt > 0) {
        timer = setTimeout(
          () => {
            leave?.();
            reject(deadlineError(performance.now() - run.request.startedAt));
          },
          Math.max(1, run.deadlineAt - performance.now()),
        );
      }
      entered.then(() => resolve(true), reject);
    });
  } finally {
    clearTimeout(timer);
    run.waitingFor = null;
  }
}

/**
 * Milliseconds to wait before a retry, or undefined when it would come too late: after the request's deadline, or, for a
 * provider that asks for a long pause, later than a fallback would answer.
 */
function retryDelay(run: RequestRun, target: Target, retry: number, askedMs: number): number | undefined {
  const { network } = target.runtime.config;
  const backoff = backoffMs(retry, network.retryBackoffInitialMs, network.retryBackoffMaxMs, Math.random());
  const hasFallback = run.fallbackIndex < run.fallbacks.length;
  if (askedMs > (hasFallback ? Math.max(network.retryBackoffMaxMs, backoff) : maxRetryAfterMs)) return undefined;
  const wait = Math.max(backoff, askedMs);
  return run.deadlineAt > 0 && performance.now() + wait >= run.deadlineAt ? undefined : wait;
}

/** Every key (or the only one that has what is continued) was refused. 401, 402 and 403 speak of our keys, which a caller must not take for its own: 502. */
function exhausted(failure: AttemptFailure, target: Target, maker?: KeyConfig): AttemptFailure {
  const { statusCode } = failure.info;
  if (statusCode !== 401 && statusCode !== 402 && statusCode !== 403) return failure;
  const { name } = target.runtime;
  const refused =
    maker === undefined
      ? `every configured key for the model ${target.model}`
      : `the key ${maker.name}, which alone has what this request continues`;
  return {
    class: failure.class,
    info: {
      statusCode: 502,
      code: 'upstream_credentials_exhausted',
      type: 'upstream_credentials_exhausted',
      message: `the provider ${name} refused ${refused} (last answer: ${statusCode}); check providers.${name}.keys`,
      origin: 'gateway',
      provider: name,
      model: target.model,
    },
  };
}
