import type { GenerationChange, PluginReport } from '@bifrost/framework/plugins';
import { describe, expect, it } from 'vitest';
import { Condition } from './condition.ts';
import type { ServingWorker } from './serving-worker.ts';
import { ThreadChanges } from './thread-changes.ts';
import type { ThreadRoster } from './thread-roster.ts';

/** Threads of which only is kept what they were told. */
class Threads {
  readonly condition = new Condition();
  readonly taking: ServingWorker[] = [];
  readonly told: number[] = [];
  readonly changes = new ThreadChanges({ taking: this.taking } as unknown as ThreadRoster, this.condition);

  constructor(count: number) {
    for (let threadNumber = 1; threadNumber <= count; threadNumber += 1) {
      const enqueue = (): void => void this.told.push(threadNumber);
      this.taking.push({ threadNumber, enqueue } as unknown as ServingWorker);
    }
  }

  prepared(thread: number): void {
    const worker = this.taking.find(({ threadNumber }) => threadNumber === thread);
    const report = { generation: 1 } as PluginReport;
    if (worker !== undefined) this.changes.prepared(worker, { thread, report });
    this.condition.changed();
  }

  end(): void {
    const worker = this.taking.shift();
    if (worker !== undefined) this.changes.left(worker);
    this.condition.changed();
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function change(isRight: boolean): GenerationChange {
  const planFor = (): never => {
    throw new TypeError('no thread asks here');
  };
  return { generation: 1, planFor, deadlineMs: 60_000, isRightIn: () => isRight };
}

describe('a change that one thread tries first', () => {
  it('goes to the others when it is right there', async () => {
    const threads = new Threads(3);
    const answers = threads.changes.prepare(change(true));
    await settled();
    expect(threads.told).toEqual([1]);
    threads.prepared(1);
    await settled();
    expect(threads.told).toEqual([1, 2, 3]);
    threads.prepared(2);
    threads.prepared(3);
    expect((await answers).map(({ thread }) => thread)).toEqual([1, 2, 3]);
  });

  it('goes to no other when it is wrong there', async () => {
    const threads = new Threads(3);
    const answers = threads.changes.prepare(change(false));
    threads.prepared(1);
    expect((await answers).map(({ thread }) => thread)).toEqual([1]);
    expect(threads.told).toEqual([1]);
  });

  it('is tried by another thread where that one ends', async () => {
    const threads = new Threads(2);
    const answers = threads.changes.prepare(change(true));
    threads.end();
    expect(threads.told).toEqual([1, 2]);
    threads.prepared(2);
    expect((await answers).map(({ thread }) => thread)).toEqual([2]);
  });

  it('is refused as what it is when the gateway shuts down', async () => {
    const threads = new Threads(2);
    const answers = threads.changes.prepare(change(true));
    threads.changes.close();
    await expect(answers).rejects.toMatchObject({
      code: 'BF_PLUGIN_CLOSING',
      statusCode: 503,
      message: 'the gateway is shutting down',
    });
  });
});
