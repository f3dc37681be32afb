/** The serving threads as the plugin manager sees them, whatever they serve and whoever keeps them. */
import type { JsonObject } from '@bifrost/sdk';
import type { ConfigViewName } from '../config-view.ts';
import type { PluginReport, ThreadPlan } from '../plugin-plan.ts';

/** What of a config is stored, or shown? */
export interface ConfigQuestion {
  readonly plugin: string;
  readonly view: ConfigViewName;
  readonly config: JsonObject;
}

/** A generation on its way into all threads. */
export interface GenerationChange {
  readonly generation: number;
  /** Makes the plan of one thread: for those that run now, and for each that starts while the generation serves. Never rejects. */
  planFor(thread: number): Promise<ThreadPlan>;
  /** What the group changes together with the plugins; absent: all else stays. The manager only passes it on. */
  readonly settings?: object;
  /**
   * Given: one thread prepares alone first, and the others only where this says of its answer that they may. What stands still or ends
   * a thread while it is loaded costs one.
   */
  readonly isRightIn?: (answers: readonly ThreadAnswer[]) => boolean;
  /** A thread that has not prepared by then keeps the change from being made. */
  readonly deadlineMs: number;
}

export interface ThreadAnswer {
  readonly thread: number;
  readonly report: PluginReport;
}

/** A thread that stands still, has ended by itself or takes too much memory. */
export interface ThreadFault {
  readonly thread: number;
  /** What follows on "the plugin ... ": `blocked serving thread 3 for 1.2 s`. */
  readonly what: string;
  /** The mark of the hook that ran inline at that moment (see `readRunningMark`); 0: none. */
  readonly running: number;
  /** The load that was being imported or initialised; 0: none. */
  readonly loading: number;
}

/** Told of what threads do by themselves. */
export interface ThreadGroupObserver {
  /** Whether code of plugins runs in the threads. */
  readonly hasInlinePlugins: boolean;
  /** A thread that started later is ready to serve on the committed generation. */
  onJoined(answer: ThreadAnswer): void;
  /** A thread's instance of this load was cleaned up, or was never begun. */
  onReleased(thread: number, load: number): void;
  /** A plugin changed by itself: disabled by its failures, or something that it left running failed. */
  onChanged(thread: number, load: number): void;
  /** Called before a new thread takes its place. Returns the plugin that is to blame, where there is one. */
  onFault(fault: ThreadFault): string | undefined;
  /** `last`: what it said at its end, with totals, where it said it. */
  onEnded(thread: number, last?: PluginReport): void;
}

/**
 * A thread that is being ended or drained takes no part. One that ends meanwhile is not waited for; one that starts meanwhile
 * is on the committed generation and then takes part like the others.
 */
export interface ThreadGroup {
  observe(observer: ThreadGroupObserver): void;
  /**
   * Resolves with what each thread says when all have prepared, or the first has in a way that is not right. Rejects where one
   * refuses; nothing else is changed then.
   */
  prepare(change: GenerationChange): Promise<readonly ThreadAnswer[]>;
  /**
   * All threads serve on the prepared generation from now on. With `isReserveKept` the generation before stays ready until
   * `settle`, or until the next commit; else it is retired. Resolves when no new request begins with the one before.
   */
  commit(generation: number, options: { readonly isReserveKept: boolean }): Promise<void>;
  /** Lets a prepared generation go. */
  abort(generation: number): void;
  /** Lets the generation in reserve go. */
  settle(): void;
  /** What each thread says of the generation that it serves. A thread that does not answer soon is left out. */
  collect(options?: { readonly hasTotals?: boolean }): Promise<readonly ThreadAnswer[]>;
  /** Asks a thread that has this load what its plugin makes of a config. Rejects with PluginError, also where no thread answers. */
  viewConfig(load: number, question: ConfigQuestion): Promise<JsonObject>;
  /** Replaces these threads one after the other by new ones; their requests run to their end. Ignored while that is going on. */
  recycle(threads: readonly number[], reason: string): void;
}
