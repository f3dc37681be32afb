import type { RecordedBatch, RecordingOrder } from '@bifrost/framework/plugins';

/** What keeps the recordings, as the threads know it. */
export interface RecordingKeeper {
  readonly orders: readonly RecordingOrder[];
  receive(batch: RecordedBatch): void;
  close(): Promise<void>;
}

/** Between the serving threads and what keeps their recordings, which is made with the first call of the admin API. */
export class RecordingLink {
  readonly #announce: (orders: readonly RecordingOrder[]) => number;
  #keeper: RecordingKeeper | undefined;

  constructor(announce: (orders: readonly RecordingOrder[]) => number) {
    this.#announce = announce;
  }

  get orders(): readonly RecordingOrder[] {
    return this.#keeper?.orders ?? [];
  }

  attach(keeper: RecordingKeeper): void {
    this.#keeper = keeper;
  }

  /** Tells all threads; returns how many were told. */
  announce(orders: readonly RecordingOrder[]): number {
    return this.#announce(orders);
  }

  receive(batch: RecordedBatch): void {
    this.#keeper?.receive(batch);
  }

  /** Completes the files. Never rejects. */
  async close(): Promise<void> {
    await this.#keeper?.close();
  }
}
