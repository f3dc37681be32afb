/** Runs `inject` hooks after the answer went out: all plugins of a request at once, bounded in time and number. */
import type { RequestTrace } from '@bifrost/sdk';
import { deepFreeze } from '@bifrost/sdk';
import type { ChainRun } from './chain-run.ts';
import { countSuccess, messageOf } from './hook-failure.ts';
import type { HookEntry } from './hook-entry.ts';
import { isThenable, settleWithin } from './settle-within.ts';

interface Finished {
  readonly run: ChainRun;
  readonly trace: RequestTrace;
}

export interface InjectQueueOptions {
  readonly entries: readonly HookEntry[];
  /** Calls of one plugin that may be under way at once; further traces are dropped and counted. */
  readonly concurrency: number;
  readonly areInputsFrozen: boolean;
  /** As of RunOwner. */
  readonly running: Int32Array;
  /** Called once for each request whose `inject` hooks have all ended. */
  readonly onDone: (run: ChainRun) => void;
}

export class InjectQueue {
  readonly #options: InjectQueueOptions;
  /** Calls under way, by the entry's index. */
  readonly #underWay: number[];
  #waiting: Finished[] = [];

  constructor(options: InjectQueueOptions) {
    this.#options = options;
    this.#underWay = options.entries.map(() => 0);
  }

  /** Queues a finished request. Its hooks run in a later turn of the event loop: never before the answer's last write. */
  push(run: ChainRun, trace: RequestTrace): void {
    // All plugins are shown the same.
    Object.freeze(trace.facts);
    this.#waiting.push({ run, trace });
    if (this.#waiting.length === 1) setImmediate(this.#drain);
  }

  readonly #drain = (): void => {
    const batch = this.#waiting;
    this.#waiting = [];
    for (const finished of batch) this.#runAll(finished);
  };

  #runAll({ run, trace }: Finished): void {
    const { entries, areInputsFrozen, onDone } = this.#options;
    if (areInputsFrozen) deepFreeze(trace);
    let pending: Promise<void>[] | undefined;
    for (const [index, entry] of entries.entries()) {
      const promise = this.#start(entry, index, { run, trace });
      if (promise !== undefined) (pending ??= []).push(promise);
    }
    if (pending === undefined) onDone(run);
    else void Promise.all(pending).then(() => onDone(run));
  }

  #start(entry: HookEntry, index: number, { run, trace }: Finished): Promise<void> | undefined {
    const { slot, figures } = entry;
    if (!run.isDue(entry, null, 0) || (slot.health.isOff && !run.isAdmitted(entry))) return undefined;
    const underWay = this.#underWay[index] ?? 0;
    if (underWay >= this.#options.concurrency) {
      figures.dropped += 1;
      return undefined;
    }
    const context = run.backgroundContext(slot);
    const scope = slot.instance.asyncScope;
    const { running } = this.#options;
    const startedAt = performance.now();
    running[0] = entry.mark;
    try {
      const returned =
        scope === undefined
          ? entry.handler.call(entry.self, context, trace)
          : scope.runInAsyncScope(entry.handler, entry.self, context, trace);
      running[0] = 0;
      if (isThenable(returned)) {
        this.#underWay[index] = underWay + 1;
        return this.#await(entry, index, { run, promise: returned, startedAt, expire: (why) => context.expire(why) });
      }
      figures.record(performance.now() - startedAt);
      countSuccess(entry);
    } catch (thrown) {
      running[0] = 0;
      figures.record(performance.now() - startedAt);
      run.recordFailure(entry, 'threw', messageOf(thrown));
    }
    return undefined;
  }

  async #await(
    entry: HookEntry,
    index: number,
    call: {
      readonly run: ChainRun;
      readonly promise: PromiseLike<unknown>;
      readonly startedAt: number;
      readonly expire: (why: Error) => unknown;
    },
  ): Promise<void> {
    const settled = await settleWithin(call.promise, entry.timeoutMs);
    this.#underWay[index] = (this.#underWay[index] ?? 1) - 1;
    entry.figures.record(performance.now() - call.startedAt);
    if (settled.kind === 'value') countSuccess(entry);
    else if (settled.kind === 'threw') call.run.recordFailure(entry, 'threw', messageOf(settled.thrown));
    else {
      const message = `did not settle within ${entry.timeoutMs} ms`;
      call.expire(new Error(`inject ${message}`));
      call.run.recordFailure(entry, 'timeout', message);
    }
  }
}
