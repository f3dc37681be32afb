import { GatewayError } from '@bifrost/sdk';
import type { GenerationChange, ThreadAnswer } from '@bifrost/framework/plugins';
import type { FromThread, ThreadConfig, ToThread } from './messages.ts';
import type { PostedMessage, ServingWorker } from './serving-worker.ts';

type Refusal = Extract<FromThread, { readonly type: 'refused' }>;

/** A generation that threads are preparing, or have prepared. */
interface Pending {
  readonly change: GenerationChange;
  readonly config: ThreadConfig | undefined;
  /** Threads that have been told and have not answered. */
  readonly waiting: Set<ServingWorker>;
  readonly answers: Map<ServingWorker, ThreadAnswer>;
  failure: Error | undefined;
}

/** The generation that serves. Threads that start are brought to it. */
interface Committed {
  readonly change: GenerationChange;
  readonly config: ThreadConfig;
}

/**
 * The two phases of a change: who was told what, who has answered. It waits for nothing itself; the supervisor asks it after
 * every event of a thread.
 */
export class GenerationExchange {
  readonly #pending = new Map<number, Pending>();
  /** By thread, the generation that it serves. */
  readonly #served = new Map<ServingWorker, number>();
  #committed: Committed | undefined;

  get committedGeneration(): number {
    return this.#committed?.change.generation ?? 0;
  }

  /** Tells `workers` to prepare. */
  begin(change: GenerationChange, workers: readonly ServingWorker[]): void {
    // The manager passes on what it was given with the entries.
    const config = change.settings as ThreadConfig | undefined;
    const pending: Pending = { change, config, waiting: new Set(), answers: new Map(), failure: undefined };
    this.#pending.set(change.generation, pending);
    for (const worker of workers) this.#send(worker, pending);
  }

  /** Tells those of `workers` that were not told yet to prepare it. */
  tell(generation: number, workers: readonly ServingWorker[]): void {
    const pending = this.#pending.get(generation);
    if (pending === undefined) return;
    for (const worker of workers) {
      if (!pending.waiting.has(worker) && !pending.answers.has(worker)) this.#send(worker, pending);
    }
  }

  /** True where those that were told to prepare it have ended, and nobody else was told. */
  isNobodyTold(generation: number): boolean {
    const pending = this.#pending.get(generation);
    return pending !== undefined && pending.waiting.size === 0 && pending.answers.size === 0;
  }

  /** Brings a thread that starts to the generation that serves, and has it prepare those on their way. */
  join(worker: ServingWorker): void {
    const committed = this.#committed;
    if (committed !== undefined) {
      const { change, config } = committed;
      worker.enqueue(() => prepareMessage(worker, change, config));
      worker.enqueue(() => ({ type: 'commit', generation: change.generation, isReserveKept: false }));
    }
    for (const pending of this.#pending.values()) this.#send(worker, pending);
  }

  prepared(worker: ServingWorker, answer: ThreadAnswer): void {
    const pending = this.#pending.get(answer.report.generation);
    if (pending?.waiting.delete(worker) === true) pending.answers.set(worker, answer);
  }

  refused(worker: ServingWorker, { generation, code, message }: Refusal): void {
    const pending = this.#pending.get(generation);
    if (pending === undefined) return;
    pending.waiting.delete(worker);
    pending.failure ??= new GatewayError(`serving thread ${worker.threadNumber}: ${message}`, {
      code,
      statusCode: 503,
    });
  }

  served(worker: ServingWorker, generation: number): void {
    this.#served.set(worker, generation);
  }

  left(worker: ServingWorker): void {
    this.#served.delete(worker);
    for (const pending of this.#pending.values()) {
      pending.waiting.delete(worker);
      pending.answers.delete(worker);
    }
  }

  /** The threads' answers once all that were told have prepared; undefined before. Throws where one has refused. */
  answersOf(generation: number): readonly ThreadAnswer[] | undefined {
    const pending = this.#pending.get(generation);
    if (pending?.failure !== undefined) throw pending.failure;
    // None at all: the threads have ended, and others are about to take their place.
    if (pending === undefined || pending.waiting.size > 0 || pending.answers.size === 0) return undefined;
    return [...pending.answers.values()];
  }

  /** Tells `workers` to serve on it; threads that start from now on are brought to it. */
  commit(generation: number, isReserveKept: boolean, workers: readonly ServingWorker[]): void {
    const pending = this.#pending.get(generation);
    const config = pending?.config ?? this.#committed?.config;
    if (pending === undefined || config === undefined) throw new TypeError(`generation ${generation} is not prepared`);
    this.#committed = { change: pending.change, config };
    this.#pending.delete(generation);
    const message: ToThread = { type: 'commit', generation, isReserveKept };
    for (const worker of workers) worker.enqueue(() => message);
  }

  isServedBy(worker: ServingWorker, generation: number): boolean {
    return (this.#served.get(worker) ?? 0) >= generation;
  }

  abort(generation: number, workers: readonly ServingWorker[]): void {
    if (!this.#pending.delete(generation)) return;
    const message: ToThread = { type: 'abort', generation };
    for (const worker of workers) worker.enqueue(() => message);
  }

  #send(worker: ServingWorker, pending: Pending): void {
    pending.waiting.add(worker);
    worker.enqueue(() => prepareMessage(worker, pending.change, pending.config));
  }
}

async function prepareMessage(
  worker: ServingWorker,
  change: GenerationChange,
  config: ThreadConfig | undefined,
): Promise<PostedMessage> {
  const { plan, transfer } = await change.planFor(worker.threadNumber);
  return { message: { type: 'prepare', plan, ...(config === undefined ? {} : { config }) }, transfer };
}
