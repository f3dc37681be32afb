import { GatewayError } from '@bifrost/sdk';
import type { KeyConfig } from '../config.ts';
import { backoffMs } from '../reliability/backoff.ts';
import { failurePolicies } from '../reliability/failure.ts';
import { Place } from '../reliability/gate.ts';
import { eligibleKeys, pickKey } from '../reliability/key-selection.ts';
import { classifyThrown, deadlineError } from './attempt.ts';
import type { AttemptFailure } from './attempt.ts';
import { assertAllowed } from './attempt-plan.ts';
import { attemptOnce, noteAttempt } from './attempt-once.ts';
import type { Target } from './resolve-model.ts';
import type { RequestRun } from './run.ts';
import { sleep } from './sleep.ts';

/** The longest that a request waits because a provider said `Retry-After`; beyond it the error goes to the client. */
const maxRetryAfterMs = 60_000;

/** Keys that this request cannot use (refused) or should not use again before the others (rate limited). */
class KeyState {
  readonly dead = new Set<KeyConfig>();
  excluded: Set<KeyConfig> | undefined;

  exclude(key: KeyConfig, isDead: boolean): void {
    (this.excluded ??= new Set()).add(key);
    if (isDead) this.dead.add(key);
  }
}

/**
 * Tries one target until it answers, its keys are dead or its retries are used up. Returns undefined when the client was
 * answered or has gone, else why it failed. Never rejects.
 */
export async function tryTarget(run: RequestRun, target: Target): Promise<AttemptFailure | undefined> {
  const { runtime } = target;
  let place: Place | undefined;
  try {
    assertAllowed(run, runtime);
    const pin = run.fallbackIndex === 0 ? run.keyPin() : undefined;
    const keys = pin === undefined ? runtime.keysFor(target.model) : eligibleKeys(runtime.config, target.model, pin);
    if (!runtime.gate.tryEnter() && !(await waitForPlace(run, target))) return undefined;
    place = new Place(runtime.gate);
    runtime.budget.countRequest(performance.now());
    return await tryKeys(run, target, keys, place);
  } catch (error) {
    if (!GatewayError.isInstance(error)) run.services.logger?.error('an attempt failed inside the engine', error);
    return classifyThrown(error);
  } finally {
    place?.release();
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

async function tryKeys(
  run: RequestRun,
  target: Target,
  keys: readonly KeyConfig[],
  place: Place,
): Promise<AttemptFailure | undefined> {
  const { network } = target.runtime.config;
  const state = new KeyState();
  for (let retries = 0; ;) {
    let key = pickKey(keys, state.excluded, Math.random());
    if (key === undefined) {
      // Every key has been tried: those that were only rate limited may be tried again.
      state.excluded = new Set(state.dead);
      key = pickKey(keys, state.excluded, Math.random()) as KeyConfig;
    }
    const startedAt = performance.now();
    const result = await attemptOnce(run, target, key, place);
    noteAttempt(run, target, result, startedAt);
    if (result.kind !== 'failed') return undefined;
    const { failure } = result;
    const policy = failurePolicies[failure.class];
    if (!policy.isRetried || failure.info.allowFallbacks === false) return failure;
    if (policy.key === 'dead') {
      state.exclude(key, true);
      if (state.dead.size === keys.length) return exhausted(failure, target);
      continue;
    }
    if (retries >= network.maxRetries || !target.runtime.budget.tryRetry(performance.now())) return failure;
    retries += 1;
    if (policy.key === 'used') state.exclude(key, false);
    // What a provider asks of one key does not hold for the next one.
    const asked = isAnyLeft(keys, state) ? 0 : (failure.info.retryAfterSeconds ?? 0) * 1000;
    const wait = retryDelay(run, target, retries, asked);
    if (wait === undefined) return failure;
    if (wait > 0 && !(await sleep(run, wait))) return undefined;
  }
}

function isAnyLeft(keys: readonly KeyConfig[], state: KeyState): boolean {
  return state.excluded !== undefined && state.excluded.size < keys.length;
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

/** Every key was refused. 401, 402 and 403 speak of our keys, which a caller must not take for its own: 502. */
function exhausted(failure: AttemptFailure, target: Target): AttemptFailure {
  const { statusCode } = failure.info;
  if (statusCode !== 401 && statusCode !== 402 && statusCode !== 403) return failure;
  const { name } = target.runtime;
  return {
    class: failure.class,
    info: {
      statusCode: 502,
      code: 'upstream_credentials_exhausted',
      type: 'upstream_credentials_exhausted',
      message: `the provider ${name} refused every configured key for the model ${target.model} (last answer: ${statusCode}); check providers.${name}.keys`,
      origin: 'gateway',
      provider: name,
      model: target.model,
    },
  };
}
