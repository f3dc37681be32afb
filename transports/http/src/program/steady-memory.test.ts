import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keepSteady, openAllocator } from './steady-memory.ts';

const megabyte = 1_048_576;

describe('memory that has grown', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is given back, and not looked for again before there is as much', () => {
    let resident = 100 * megabyte;
    const allocator = { limit: vi.fn(), trim: vi.fn(() => (resident -= 20 * megabyte)) };
    const stop = keepSteady({ allocator, residentBytes: () => resident, everyMs: 1000, grownBytes: 16 * megabyte });
    expect(allocator.limit).toHaveBeenCalledOnce();
    const grow = (megabytes: number): number => {
      resident += megabytes * megabyte;
      vi.advanceTimersByTime(1000);
      return allocator.trim.mock.calls.length;
    };
    expect(grow(15)).toBe(0);
    expect(grow(25)).toBe(1); // 140 and then 120 MB
    expect(grow(15)).toBe(1);
    // What went by itself counts from where it went to.
    expect(grow(-65)).toBe(1); // 70 MB
    expect(grow(17)).toBe(2);
    stop();
    expect(grow(500)).toBe(2);
  });
});

const allocator = await openAllocator();

describe.skipIf(allocator === undefined)('the allocator of this system', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const residentMegabytes = (): number => process.memoryUsage.rss() / megabyte;
  const fill = (count: number, bytes: number): Buffer[] =>
    Array.from({ length: count }, () => Buffer.allocUnsafeSlow(bytes).fill(1));
  /** What remains of so many megabytes once the garbage is collected, which is freed a little later. */
  async function remaining(before: number, expected: number): Promise<number> {
    for (let tries = 0; ; tries += 1) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 20));
      const more = residentMegabytes() - before;
      if (more <= expected || tries === 50) return more;
    }
  }

  // First: once there is room in an arena, it is used for large blocks as well.
  it('gives large bodies back with their end, also after the first', async () => {
    allocator?.limit();
    fill(2, 4 * megabyte);
    collect();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = residentMegabytes();
    const kept: Buffer[] = [];
    for (let body = 0; body < 30; body += 1) {
      fill(1, 4 * megabyte);
      // Something that stays lies behind each.
      kept.push(...fill(3, 64 * 1024));
    }
    expect(await remaining(before, 40)).toBeLessThan(40);
    expect(kept).toHaveLength(90);
  });

  it('gives back what is free between blocks that are in use', async () => {
    const before = residentMegabytes();
    const blocks = fill(6000, 32 * 1024);
    const kept = blocks.filter((_, index) => index % 30 === 0);
    blocks.length = 0;
    // Freed a little after the collection.
    for (let tries = 0; tries < 50 && residentMegabytes() > before + 60; tries += 1) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 20));
      const untrimmed = residentMegabytes() - before;
      allocator?.trim();
      console.log(`${untrimmed.toFixed(0)} MB remain, and ${(residentMegabytes() - before).toFixed(0)} once trimmed`);
    }
    expect(residentMegabytes() - before).toBeLessThan(60);
    expect(kept).toHaveLength(200);
  });
});
