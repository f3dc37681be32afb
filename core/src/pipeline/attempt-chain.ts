import type { AttemptFailure } from './attempt.ts';
import { respondError } from './respond-error.ts';
import { parseQualifiedModel } from './resolve-model.ts';
import type { Target } from './resolve-model.ts';
import type { Lane, RequestRun } from './run.ts';
import { TargetTrial } from './target-trial.ts';

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
export class AttemptChain {
  readonly #run: RequestRun;
  readonly #onEnd: (run: RequestRun) => void;
  /** What the client hears of if nothing succeeds. */
  #told: TargetFailure | undefined = undefined;
  #next = 0;

  /** `onEnd` is called once, when the client was answered or has gone. */
  constructor(run: RequestRun, onEnd: (run: RequestRun) => void) {
    this.#run = run;
    this.#onEnd = onEnd;
  }

  start(): void {
    this.#try(this.#run.target as Target);
  }

  #try(target: Target): void {
    new TargetTrial(this.#run, target, this.#tried).start();
  }

  readonly #tried = (failure: AttemptFailure | undefined): void => {
    if (failure === undefined) {
      this.#onEnd(this.#run);
      return;
    }
    const run = this.#run;
    if (this.#told === undefined || !mayFallBack(failure)) {
      this.#told = { failure, target: run.target as Target, lane: run.lane, keyName: run.keyName };
    }
    const target = mayFallBack(failure) ? this.#nextTarget() : undefined;
    if (target === undefined) this.#respond(this.#told);
    else this.#try(target);
  };

  /** The next fallback's target; one that names no configured provider is skipped, as Bifrost does, and logged. */
  #nextTarget(): Target | undefined {
    const run = this.#run;
    for (; this.#next < run.fallbacks.length; this.#next += 1) {
      const fallback = run.fallbacks[this.#next] as string;
      const target = parseQualifiedModel(fallback, run.snapshot.providers);
      if (target !== undefined) {
        this.#next += 1;
        run.target = target;
        run.fallbackIndex = this.#next;
        return target;
      }
      run.services.logger?.warn(`a fallback is skipped: it names no configured provider`, { fallback });
    }
    return undefined;
  }

  #respond(told: TargetFailure): void {
    const run = this.#run;
    if (told.target === run.primary) run.fallbackIndex = 0;
    run.target = told.target;
    run.lane = told.lane;
    run.keyName = told.keyName;
    try {
      const responded = respondError(run, told.failure);
      if (responded instanceof Promise) {
        responded.then(
          () => this.#onEnd(run),
          (error: unknown) => this.#giveUp(error),
        );
      } else this.#onEnd(run);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /** Not even the error could be written in the client's dialect: the connection must not stay open. */
  #giveUp(error: unknown): void {
    this.#run.services.logger?.error('an error could not be rendered', error);
    this.#run.writer.destroy();
    this.#onEnd(this.#run);
  }
}

function mayFallBack(failure: AttemptFailure): boolean {
  return failure.info.allowFallbacks !== false;
}
