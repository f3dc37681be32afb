import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ServingWorker } from './serving-worker.ts';
import { ThreadWatch } from './thread-watch.ts';

/** A thread as the watch sees it; the tests say when it was last heard of and which hook runs. */
class WatchedThread {
  readonly state = 'serving';
  readonly startedAt = 0;
  running = 0;
  heardAt = 0;
  hookSince = 0;
  /** The share of its silence in which it had no processor. */
  starved = 0;

  get pluginMarks(): { readonly running: number; readonly loading: number } {
    return { running: this.running, loading: 0 };
  }

  silenceMs(now: number): number {
    return now - this.heardAt;
  }

  waitedMs(): number {
    return this.starved * this.silenceMs(performance.now());
  }

  hookMs(now: number): number {
    return this.running === 0 ? 0 : now - this.hookSince;
  }

  forgiveSilence(ms: number): void {
    this.heardAt = Math.min(performance.now(), this.heardAt + ms);
  }
}

describe('the watch', () => {
  let worker: WatchedThread;
  let watch: ThreadWatch;
  const said: string[] = [];

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    said.length = 0;
    worker = new WatchedThread();
    worker.heardAt = performance.now();
    watch = new ThreadWatch({
      limits: { blockedAfterMs: 2000, pluginBlockedAfterMs: 1000, maxThreadBytes: 0 },
      workers: () => [worker as unknown as ServingWorker],
      mayGrow: () => false,
      onBlocked: () => said.push('blocked'),
      onSilent: () => said.push('silent'),
      onSuspicion: () => said.push('suspicion'),
      onTooLarge: () => undefined,
      onLate: () => undefined,
      onRefresh: () => undefined,
    });
    watch.start();
  });
  afterEach(() => {
    watch.stop();
    vi.useRealTimers();
  });

  it('suspects a thread inside one hook after a quarter of a second, and finds it blocked after one', () => {
    worker.running = 33;
    worker.hookSince = performance.now();
    vi.advanceTimersByTime(200);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(said).toContain('suspicion');
    vi.advanceTimersByTime(500);
    expect(said).not.toContain('blocked');
    vi.advanceTimersByTime(300);
    expect(said).toContain('blocked');
  });

  it('gives a silent thread that goes from hook to hook the time of any thread', () => {
    worker.running = 33;
    for (let look = 0; look < 18; look += 1) {
      worker.hookSince = performance.now();
      vi.advanceTimersByTime(100);
    }
    expect(said).not.toContain('blocked');
    vi.advanceTimersByTime(400);
    expect(said).toContain('blocked');
  });

  it('has the stack looked at shortly before a plugin has held it for too long, where no hook says who it is', () => {
    vi.advanceTimersByTime(800);
    expect(said).not.toContain('silent');
    vi.advanceTimersByTime(200);
    expect(said).toContain('silent');
    worker.heardAt = performance.now();
    worker.running = 33;
    worker.hookSince = performance.now();
    said.length = 0;
    vi.advanceTimersByTime(1100);
    expect(said).not.toContain('silent');
  });

  it('does not count what a thread waits for a processor, but not for ever', () => {
    worker.starved = 0.95;
    vi.advanceTimersByTime(15_000);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(6000);
    expect(said).toContain('blocked');
  });

  it('gives a hook that holds a thread without a processor the time to have had one', () => {
    worker.starved = 0.9;
    worker.running = 33;
    worker.hookSince = performance.now();
    vi.advanceTimersByTime(3500);
    expect(said).not.toContain('blocked');
    vi.advanceTimersByTime(1000);
    expect(said).toContain('blocked');
  });

  it('holds nothing against a thread that was heard of', () => {
    for (let look = 0; look < 50; look += 1) {
      worker.heardAt = performance.now();
      vi.advanceTimersByTime(100);
    }
    expect(said).toEqual([]);
  });
});
