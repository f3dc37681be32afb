/**
 * The loads that run outside the serving threads and that somebody may still use. What they count goes on in sums, so that a load which
 * nobody uses any more leaves nothing behind, however often plugins are reloaded.
 */
import type { InstanceCounts } from '../plugin-plan.ts';
import { RemoteLoad } from './remote-load.ts';
import type { RemoteCounts, RemoteLoadOptions } from './remote-load.ts';

export class RemoteLoads {
  readonly #used = new Map<number, RemoteLoad>();
  readonly #counts: RemoteCounts = { inits: 0, cleanups: 0, exits: 0 };

  /** How many there are. */
  get size(): number {
    return this.#used.size;
  }

  /** Instances begun and ended since the start. */
  get counts(): InstanceCounts {
    const { inits, cleanups, exits } = this.#counts;
    return { inits, cleanups, live: inits - cleanups - exits };
  }

  /** A load that has not begun; `load` is its number. */
  create(load: number, options: Pick<RemoteLoadOptions, 'start' | 'isPerThread' | 'onExit'>): RemoteLoad {
    const remote = new RemoteLoad({
      ...options,
      counts: this.#counts,
      onUsed: () => void this.#used.set(load, remote),
      onUnused: () => void this.#used.delete(load),
    });
    return remote;
  }

  /** The thread uses this load no more. */
  release(thread: number, load: number): void {
    this.#used.get(load)?.release(thread);
  }

  /** The thread has ended. */
  releaseAll(thread: number): void {
    for (const remote of this.#used.values()) remote.release(thread);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#used.values()].map((remote) => remote.close()));
  }
}
