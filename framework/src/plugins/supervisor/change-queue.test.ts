import { describe, expect, it } from 'vitest';
import { ChangeQueue } from './change-queue.ts';

describe('changes to the plugins', () => {
  it('are made one after the other, also after one that failed', async () => {
    const queue = new ChangeQueue();
    const steps: string[] = [];
    const first = Promise.withResolvers<void>();
    const failing = queue.add(async () => {
      steps.push('first begins');
      await first.promise;
      throw new Error('no');
    });
    const next = queue.add(async () => (steps.push('next'), 7));
    await Promise.resolve();
    expect(steps).toEqual(['first begins']);
    first.resolve();
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe(7);
    expect(steps).toEqual(['first begins', 'next']);
  });

  it('are refused once the gateway shuts down; the one under way ends first', async () => {
    const queue = new ChangeQueue();
    const underWay = Promise.withResolvers<void>();
    const steps: string[] = [];
    const first = queue.add(() => underWay.promise.then(() => void steps.push('ended')));
    const waiting = queue.add(async () => void steps.push('never'));
    await Promise.resolve();
    const closed = queue.close().then(() => steps.push('closed'));
    underWay.resolve();
    await first;
    await expect(waiting).rejects.toMatchObject({ code: 'BF_PLUGIN_CLOSING', statusCode: 503 });
    await closed;
    expect(steps).toEqual(['ended', 'closed']);
  });
});
