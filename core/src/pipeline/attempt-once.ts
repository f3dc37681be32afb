import type { KeyConfig } from '../config.ts';
import type { Place } from '../reliability/gate.ts';
import { answerEmbedded } from './answer-embedded.ts';
import { Attempt } from './attempt.ts';
import type { AttemptResult } from './attempt.ts';
import { deliver } from './attempt-outcome.ts';
import type { AttemptDone } from './attempt-outcome.ts';
import { planAttempt } from './attempt-plan.ts';
import type { AttemptPlan } from './attempt-plan.ts';
import { hookedAttempt } from './hooked-attempt.ts';
import type { Target } from './resolve-model.ts';
import type { RequestRun } from './run.ts';

/** With what an attempt is made. */
export interface AttemptMeans {
  readonly target: Target;
  readonly key: KeyConfig;
  /** The place in the provider's queue. */
  readonly place: Place;
}

/** One attempt: with the plugins' hooks around it where there are any. Never throws. */
export function attemptOnce(run: RequestRun, means: AttemptMeans, done: AttemptDone): void {
  const isEmbedded = means.target.runtime.config.definition.isEmbedded === true;
  run.keyName = isEmbedded ? undefined : means.key.name;
  if (run.plugins === null) callTarget(run, means, done);
  else hookedAttempt(run, (called) => callTarget(run, means, called), done);
}

function callTarget(run: RequestRun, means: AttemptMeans, done: AttemptDone): void {
  if (means.target.runtime.config.definition.isEmbedded === true) {
    deliver(() => answerEmbedded(run, means.target), done);
    return;
  }
  let plan: AttemptPlan;
  try {
    plan = planAttempt(run, means.target, means.key, means.place);
  } catch (error) {
    done({ kind: 'thrown', error });
    return;
  }
  run.lane = plan.lane;
  new Attempt(run, plan, done).start();
}

/** Writes an attempt down for the trace. */
export function noteAttempt(run: RequestRun, target: Target, result: AttemptResult, startedAt: number): void {
  const failure = result.kind === 'failed' ? result.failure : undefined;
  run.attempts.push({
    provider: target.runtime.name,
    model: target.model,
    latencyMs: performance.now() - startedAt,
    ...(run.keyName === undefined ? {} : { keyName: run.keyName }),
    ...(failure === undefined ? {} : { statusCode: failure.info.statusCode, failure: failure.class }),
    ...(result.kind === 'answered' ? { statusCode: run.statusCode } : {}),
  });
}
