import type { AttemptTrace } from '@bifrost/sdk';
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
import type { Mutable } from '../mutable.ts';
import type { Target } from './resolve-model.ts';
import type { RequestRun } from './run.ts';

/** With what an attempt is made. */
export interface AttemptMeans {
  readonly target: Target;
  readonly key: KeyConfig;
  /** The place in the provider's queue. */
  readonly place: Place;
  /** `performance.now()` at its start. */
  readonly startedAt: number;
}

/** One attempt: with the plugins' hooks around it where there are any. Never throws. */
export function attemptOnce(run: RequestRun, means: AttemptMeans, done: AttemptDone): void {
  const isEmbedded = means.target.runtime.config.definition.isEmbedded === true;
  run.keyName = isEmbedded ? undefined : means.key.name;
  const { plugins, needs } = run;
  if (plugins === null) callTarget(run, means, means.startedAt, done);
  else if (needs.preLLM === undefined && needs.postLLM === undefined) {
    // No hook around the attempt: the plugins only have to know of it.
    plugins.update(run.facts());
    callTarget(run, means, means.startedAt, done);
  } else hookedAttempt(run, (called) => callTarget(run, means, performance.now(), called), done);
}

/** `startedAt`: when the provider's clocks begin, which is after the hooks before it. */
function callTarget(run: RequestRun, means: AttemptMeans, startedAt: number, done: AttemptDone): void {
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
  new Attempt(run, plan, { startedAt, done }).start();
}

/** Writes an attempt down for the trace. */
export function noteAttempt(run: RequestRun, target: Target, result: AttemptResult, startedAt: number): void {
  const failure = result.kind === 'failed' ? result.failure : undefined;
  const trace: Mutable<AttemptTrace> = {
    provider: target.runtime.name,
    model: target.model,
    latencyMs: performance.now() - startedAt,
  };
  if (run.keyName !== undefined) trace.keyName = run.keyName;
  if (failure !== undefined) {
    trace.statusCode = failure.info.statusCode;
    trace.failure = failure.class;
  } else if (result.kind === 'answered') trace.statusCode = run.statusCode;
  run.attempts = run.attempts.length === 0 ? [trace] : [...run.attempts, trace];
}
