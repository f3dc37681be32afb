import type { GenerationChange, ThreadAnswer } from '@bifrost/framework/plugins';
import { gatewayIsClosing } from '@bifrost/framework/plugin-manager';
import { GatewayError } from '@bifrost/sdk';
import type { Condition } from './condition.ts';
import { GenerationExchange } from './generation-exchange.ts';
import type { FromThread } from './messages.ts';
import { ReportExchange } from './report-exchange.ts';
import type { ServingWorker } from './serving-worker.ts';
import type { ThreadRoster } from './thread-roster.ts';

const commitWithinMs = 30_000;

/** Brings generations into all threads at once and asks them for reports: what waits, while the exchanges keep the books. */
export class ThreadChanges {
  readonly #roster: ThreadRoster;
  readonly #condition: Condition;
  readonly #generations = new GenerationExchange();
  readonly #reports = new ReportExchange();
  #endReason: Error | undefined;
  #isClosing = false;

  constructor(roster: ThreadRoster, condition: Condition) {
    this.#roster = roster;
    this.#condition = condition;
  }

  /** The thread answers, or has been told, no more. */
  left(worker: ServingWorker): void {
    this.#generations.left(worker);
    this.#reports.left(worker);
  }

  join(worker: ServingWorker): void {
    this.#generations.join(worker);
  }

  /** What is waited for rejects. */
  close(): void {
    this.#isClosing = true;
    this.#condition.changed();
  }

  /** As `close`, with the reason: a first thread cannot start. */
  fail(reason: Error): void {
    this.#endReason ??= reason;
    this.#condition.changed();
  }

  async prepare(change: GenerationChange): Promise<readonly ThreadAnswer[]> {
    const { generation, isRightIn } = change;
    if (isRightIn === undefined) {
      this.#generations.begin(change, this.#roster.taking);
      return this.#answersTo(change);
    }
    this.#generations.begin(change, this.#roster.taking.slice(0, 1));
    const first = await this.#answersTo(change);
    if (!isRightIn(first)) return first;
    this.#generations.tell(generation, this.#roster.taking);
    return this.#answersTo(change);
  }

  async #answersTo({ generation, deadlineMs }: GenerationChange): Promise<readonly ThreadAnswer[]> {
    let answers: readonly ThreadAnswer[] | undefined;
    await this.#untilWithin(deadlineMs, `did not prepare generation ${generation}`, () => {
      answers = this.#generations.answersOf(generation);
      // The one thread that was to prepare first has ended: another one is.
      if (answers === undefined && this.#generations.isNobodyTold(generation))
        this.#generations.tell(generation, this.#roster.taking.slice(0, 1));
      return answers !== undefined;
    });
    return answers ?? [];
  }

  async commit(generation: number, isReserveKept: boolean): Promise<void> {
    this.#generations.commit(generation, isReserveKept, this.#roster.taking);
    await this.#untilWithin(commitWithinMs, `did not take generation ${generation}`, () => {
      const { taking } = this.#roster;
      return taking.length > 0 && taking.every((worker) => this.#generations.isServedBy(worker, generation));
    });
  }

  abort(generation: number): void {
    this.#generations.abort(generation, this.#roster.taking);
  }

  settle(): void {
    for (const worker of this.#roster.taking) worker.enqueue(() => ({ type: 'settle' }));
  }

  collect(hasTotals: boolean): Promise<readonly ThreadAnswer[]> {
    const workers = this.#roster.taking.filter(({ state }) => state !== 'starting');
    return this.#reports.collect(workers, hasTotals);
  }

  /** True where the thread is on the generation that serves now: it started later. */
  prepared(worker: ServingWorker, answer: ThreadAnswer): boolean {
    this.#generations.prepared(worker, answer);
    return answer.report.generation === this.#generations.committedGeneration;
  }

  refused(worker: ServingWorker, refusal: Extract<FromThread, { readonly type: 'refused' }>): void {
    this.#generations.refused(worker, refusal);
  }

  committed(worker: ServingWorker, generation: number): void {
    this.#generations.served(worker, generation);
  }

  reported(worker: ServingWorker, { id, report }: Extract<FromThread, { readonly type: 'reported' }>): void {
    this.#reports.receive(worker, id, report);
  }

  #untilWithin(withinMs: number, what: string, isDone: () => boolean): Promise<void> {
    const late = (): GatewayError =>
      new GatewayError(`not all serving threads answered: some ${what} within ${withinMs} ms`, {
        code: 'BF_HTTP_THREAD_FAILED',
        statusCode: 500,
      });
    const check = (): boolean => {
      if (this.#endReason !== undefined) throw this.#endReason;
      if (isDone()) return true;
      if (this.#isClosing) throw gatewayIsClosing();
      return false;
    };
    return this.#condition.untilWithin(withinMs, check, late);
  }
}
