import type { ConfigQuestion, RecordedBatch, RecordingOrder, ThreadGroupObserver } from '@bifrost/framework/plugins';
import type { JsonObject } from '@bifrost/sdk';
import type { AdminAnswer, AdminRequest } from '../admin/admin-message.ts';
import type { ExplainedRequest } from '../admin/explain/explained-request.ts';
import type { LogSink } from '../logging/logger.ts';
import { ConfigViewExchange } from './config-view-exchange.ts';
import type { FromThread } from './messages.ts';
import { MetricsExchange } from './metrics-exchange.ts';
import type { ServingWorker } from './serving-worker.ts';
import type { ThreadRoster } from './thread-roster.ts';

export interface ThreadServicesOptions {
  /** Takes the records of the threads, which have passed their threshold. */
  readonly logSink: LogSink;
  /** Answers calls of the admin API. Never rejects. */
  readonly handleAdmin?: (request: AdminRequest) => Promise<AdminAnswer>;
  /** Gets what requests had explained, from all threads. */
  readonly onExplained?: (request: ExplainedRequest) => void;
  /** Gets what threads have recorded, and says what a thread that starts is to record. */
  readonly recordings?: {
    readonly orders: readonly RecordingOrder[];
    receive(batch: RecordedBatch): void;
  };
}

/** What a thread says of its own life: the supervisor's business. The rest is asked of others, or told to them. */
export type LifeMessage = Extract<
  FromThread,
  { readonly type: 'ready' | 'prepared' | 'refused' | 'committed' | 'reported' | 'failed' | 'drained' }
>;

/** What passes between the threads and the rest of the program, and changes nothing about the threads. */
export class ThreadServices {
  readonly #options: ThreadServicesOptions;
  readonly #roster: ThreadRoster;
  readonly #observer: () => ThreadGroupObserver | undefined;
  readonly #metrics = new MetricsExchange();
  readonly #views = new ConfigViewExchange();

  constructor(
    options: ThreadServicesOptions,
    threads: { readonly roster: ThreadRoster; readonly observer: () => ThreadGroupObserver | undefined },
  ) {
    this.#options = options;
    this.#roster = threads.roster;
    this.#observer = threads.observer;
  }

  receive(worker: ServingWorker, message: Exclude<FromThread, LifeMessage>): void {
    switch (message.type) {
      case 'log':
        this.#options.logSink(message.record);
        break;
      case 'admin-call':
        void this.#options.handleAdmin?.(message.request).then((answer) => {
          worker.post({ type: 'admin-answer', id: message.id, answer });
        });
        break;
      case 'explained':
        this.#options.onExplained?.(message.request);
        break;
      case 'recorded':
        this.#options.recordings?.receive(message.batch);
        break;
      case 'part':
        this.#metrics.receive(worker, message.id, message.part);
        break;
      case 'gather':
        this.#gather(worker, message.id);
        break;
      case 'config-viewed':
        this.#views.receive(message);
        break;
      case 'plugin-released':
        this.#observer()?.onReleased(worker.threadNumber, message.load);
        break;
      case 'plugin-changed':
        this.#observer()?.onChanged(worker.threadNumber, message.load);
        break;
    }
  }

  /** A thread joins: it is told what it is to record. */
  join(worker: ServingWorker): void {
    const orders = this.#options.recordings?.orders ?? [];
    if (orders.length > 0) worker.post({ type: 'record', orders });
  }

  /** A thread takes part in nothing any more: what it counted is kept. */
  left(worker: ServingWorker): void {
    this.#metrics.retire(worker);
  }

  /** Has the counts of those that serve at hand, should they end. */
  refresh(): void {
    this.#metrics.refresh(this.#roster.serving);
  }

  /** Tells all threads what is recorded from now on; returns how many. */
  record(orders: readonly RecordingOrder[]): number {
    const workers = this.#roster.all.filter(({ state }) => state !== 'ended');
    for (const worker of workers) worker.post({ type: 'record', orders });
    return workers.length;
  }

  viewConfig(load: number, question: ConfigQuestion): Promise<JsonObject> {
    return this.#views.ask(this.#roster.serving, load, question);
  }

  #gather(worker: ServingWorker, id: number): void {
    const others = this.#roster.all.filter((other) => other !== worker && other.state !== 'starting');
    this.#metrics.gather(worker, id, others);
  }
}
