import type { AttemptFailure } from './attempt.ts';
import { respondError } from './respond-error.ts';
import { parseQualifiedModel } from './resolve-model.ts';
import type { Target } from './resolve-model.ts';
import type { Lane, RequestRun } from './run.ts';
import { tryTarget } from './try-target.ts';

/** A target's failure, with what the answer's headers say of it. */
interface TargetFailure {
  readonly failure: AttemptFailure;
  readonly target: Target;
  readonly lane: Lane;
  readonly keyName: string | undefined;
}

/**
 * Tries the primary target, then each fallback, with attempt state of its own; the first success wins. When all fail the client
 * hears of the primary's failure; a failure that forbids fallbacks ends the chain and is itself the answer.
 */
export async function attemptTargets(run: RequestRun): Promise<void> {
  const primary = run.target as Target;
  const failure = await tryTarget(run, primary);
  if (failure === undefined) return;
  let first = failureOf(run, primary, failure);
  for (let index = 0; index < run.fallbacks.length && mayFallBack(first.failure); index += 1) {
    const target = fallbackTarget(run, run.fallbacks[index] as string);
    if (target === undefined) continue;
    run.target = target;
    run.fallbackIndex = index + 1;
    const failed = await tryTarget(run, target);
    if (failed === undefined) return;
    if (!mayFallBack(failed)) {
      first = failureOf(run, target, failed);
      break;
    }
  }
  if (first.target === primary) run.fallbackIndex = 0;
  run.target = first.target;
  run.lane = first.lane;
  run.keyName = first.keyName;
  await respondError(run, first.failure);
}

function failureOf(run: RequestRun, target: Target, failure: AttemptFailure): TargetFailure {
  return { failure, target, lane: run.lane, keyName: run.keyName };
}

function mayFallBack(failure: AttemptFailure): boolean {
  return failure.info.allowFallbacks !== false;
}

/** A fallback's target; one that names no configured provider is skipped, as Bifrost does, and logged. */
function fallbackTarget(run: RequestRun, text: string): Target | undefined {
  const target = parseQualifiedModel(text, run.snapshot.providers);
  if (target === undefined)
    run.services.logger?.warn(`a fallback is skipped: it names no configured provider`, { fallback: text });
  return target;
}
