import type { KeyConfig } from '../config.ts';
import type { Place } from '../reliability/gate.ts';
import { answerEmbedded } from './answer-embedded.ts';
import { Attempt } from './attempt.ts';
import type { AttemptResult } from './attempt.ts';
import { planAttempt } from './attempt-plan.ts';
import { hookedAttempt } from './hooked-attempt.ts';
import type { Target } from './resolve-model.ts';
import type { RequestRun } from './run.ts';

/** One attempt: with the plugins' hooks around it where there are any. Throws GatewayError where the request cannot be formed. */
export function attemptOnce(run: RequestRun, target: Target, key: KeyConfig, place: Place): Promise<AttemptResult> {
  run.keyName = target.runtime.config.definition.isEmbedded === true ? undefined : key.name;
  if (run.plugins === null) return callTarget(run, target, key, place);
  return hookedAttempt(run, () => callTarget(run, target, key, place));
}

function callTarget(run: RequestRun, target: Target, key: KeyConfig, place: Place): Promise<AttemptResult> {
  if (target.runtime.config.definition.isEmbedded === true) return answerEmbedded(run, target);
  const plan = planAttempt(run, target, key, place);
  run.lane = plan.lane;
  return new Attempt(run, plan).execute();
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
