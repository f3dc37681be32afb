import { performance } from 'node:perf_hooks';
import type { Transferable, Worker } from 'node:worker_threads';
import { realmEntry, startThread } from '@bifrost/framework/realms';
import { clearLedgerCell } from '../serving/bodies/body-ledger.ts';
import { beatCells } from './messages.ts';
import type { FromThread, ThreadStart, ToThread } from './messages.ts';
import { endsInTime, ProcessorWait } from './processor-wait.ts';

/**
 * Where a serving thread is in its life, as the supervisor sees it. A spare one has no place yet. One that lingers accepts no connection
 * any more, but serves those that it has, on the generation of all; one that leaves takes part in nothing.
 */
export type WorkerState = 'spare' | 'starting' | 'serving' | 'lingering' | 'leaving' | 'ended';

export interface WorkerListener {
  onMessage(worker: ServingWorker, message: FromThread): void;
  /** The thread has ended; `error` where it did not do so on request. */
  onExit(worker: ServingWorker, error: Error | undefined, exitCode: number): void;
}

/** A message with the ports that go with it. */
export interface PostedMessage {
  readonly message: ToThread;
  readonly transfer: readonly Transferable[];
}

const servingThread = realmEntry('serving-thread', new URL('../serving/thread-main.ts', import.meta.url));

/** For objects that die young, half of what the engine takes by itself: saves some 25 MB of each thread under load, costs 0.2 µs of a request. */
const resourceLimits = { maxYoungGenerationSizeMb: 48 };

/** The supervisor's end of one serving thread. */
export class ServingWorker {
  readonly threadNumber: number;
  /** When it got its place. */
  startedAt: number = performance.now();
  state: WorkerState = 'starting';
  /** The thread's duplicates of the listening socket, once it serves. */
  descriptors: readonly number[] = [];
  readonly #worker: Worker;
  readonly #heartbeat: Int32Array;
  #lastBeat = 0;
  #lastSeenAt: number = performance.now();
  /** The mark of the hook that ran at the last look, and since when every look has found it. */
  #lastMark = 0;
  #markedAt = 0;
  /** Since it was last seen turning. */
  readonly #silentWait = new ProcessorWait(() => this.#kernelThread);
  #error: Error | undefined;
  #outbox: Promise<void> = Promise.resolve();

  constructor(start: Omit<ThreadStart, 'heartbeat'>, listener: WorkerListener) {
    this.threadNumber = start.threadNumber;
    const heartbeat = new SharedArrayBuffer(beatCells.count * 4);
    this.#heartbeat = new Int32Array(heartbeat);
    const workerData: ThreadStart = { ...start, heartbeat };
    this.#worker = startThread(servingThread, { name: `serving ${start.threadNumber}`, workerData, resourceLimits });
    this.#worker.on('message', (message: FromThread) => listener.onMessage(this, message));
    this.#worker.on('error', (error) => {
      this.#error = error instanceof Error ? error : new Error(String(error));
    });
    this.#worker.on('exit', (exitCode) => {
      clearLedgerCell(start.bodyCells, start.threadNumber);
      const wasAsked = this.state === 'leaving';
      this.state = 'ended';
      listener.onExit(
        this,
        wasAsked ? undefined : (this.#error ?? new Error(`it exited with code ${exitCode}`)),
        exitCode,
      );
    });
  }

  post(message: ToThread, transfer: readonly Transferable[] = []): void {
    if (this.state !== 'ended') this.#worker.postMessage(message, transfer);
  }

  /** A spare thread gets its place. */
  beginStart(): void {
    this.state = 'starting';
    this.startedAt = performance.now();
  }

  /** Posts what `make` gives after everything that was enqueued before: messages that change the thread keep their order. */
  enqueue(make: () => ToThread | Promise<PostedMessage>): void {
    this.#outbox = this.#outbox.then(async () => {
      if (this.state === 'ended') return;
      const made = await make();
      if ('message' in made && 'transfer' in made) this.post(made.message, made.transfer);
      else this.post(made);
    });
  }

  /** The thread as Node counts; -1 once it has ended. */
  get threadId(): number {
    return this.#worker.threadId;
  }

  /** What of a plugin runs in the thread, or ran when it ended: see `beatCells`. */
  get pluginMarks(): { readonly running: number; readonly loading: number } {
    return {
      running: Atomics.load(this.#heartbeat, beatCells.running),
      loading: Atomics.load(this.#heartbeat, beatCells.loading),
    };
  }

  /** Bytes of the thread's heap and of the buffers that hang on it; undefined where it has ended. */
  async memoryBytes(): Promise<number | undefined> {
    try {
      const { total_heap_size: heap, external_memory: external } = await this.#worker.getHeapStatistics();
      return heap + external;
    } catch {
      return undefined;
    }
  }

  /** Milliseconds since the thread's event loop was last seen turning. */
  silenceMs(now: number): number {
    const beat = Atomics.load(this.#heartbeat, beatCells.beat);
    if (beat !== this.#lastBeat) {
      this.#lastBeat = beat;
      this.#lastSeenAt = now;
      this.#silentWait.reset();
    }
    return now - this.#lastSeenAt;
  }

  /** Milliseconds of its silence, since the first call in it, for which the thread had no processor though it was ready to run. */
  waitedMs(): number {
    return this.#silentWait.look();
  }

  /**
   * Milliseconds for which every look has found the same hook running; 0 while none runs. A thread that is only short of time is
   * silent too, but goes from one call to the next.
   */
  hookMs(now: number): number {
    const { running } = this.pluginMarks;
    if (running === 0 || running !== this.#lastMark) this.#markedAt = now;
    this.#lastMark = running;
    return now - this.#markedAt;
  }

  /** Forgets silence that was not the thread's: for `ms` nobody looked. */
  forgiveSilence(ms: number): void {
    this.#lastSeenAt = Math.min(performance.now(), this.#lastSeenAt + ms);
  }

  /**
   * Ends the thread. False where it does not end within `withinMs`, in which it had a processor or wanted none (a call into native code that
   * does not return): it is then abandoned.
   */
  async terminate(withinMs: number): Promise<boolean> {
    if (this.state === 'ended') return true;
    this.state = 'leaving';
    const hasEnded = await endsInTime(this.#worker.terminate(), withinMs, new ProcessorWait(() => this.#kernelThread));
    if (!hasEnded) this.#worker.unref();
    return hasEnded;
  }

  get #kernelThread(): number {
    return Atomics.load(this.#heartbeat, beatCells.kernelThread);
  }
}
