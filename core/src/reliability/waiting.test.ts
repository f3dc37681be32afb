import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { key } from '../pipeline/__tests__/harness.ts';
import { backoffMs } from './backoff.ts';
import { Place, ProviderGate } from './gate.ts';
import { pickKey } from './key-selection.ts';
import { parseRetryAfter } from './retry-after.ts';
import { RetryBudget, retryFloor, retryWindowMs } from './retry-budget.ts';

describe('backoffMs', () => {
  it('doubles, jitters by a fifth and never exceeds the maximum', () => {
    expect([1, 2, 3].map((retry) => backoffMs(retry, 500, 5000, 0.5))).toEqual([500, 1000, 2000]);
    expect(backoffMs(1, 500, 5000, 0)).toBe(400);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.double({ min: 0, max: 1, noNaN: true }), (retry, random) => {
        const wait = backoffMs(retry, 500, 5000, random);
        expect(wait).toBeGreaterThanOrEqual(400);
        expect(wait).toBeLessThanOrEqual(5000);
      }),
    );
  });
});

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-11-21T00:00:00Z');
  it.each([
    [{ 'retry-after': '3' }, 3000],
    [{ 'retry-after': ['1.5', '9'] }, 1500],
    [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'retry-after': 'Sat, 21 Nov 2026 00:00:07 GMT' }, 7000],
    [{ 'retry-after': 'Sat, 21 Nov 2020 00:00:07 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('reads %j', (headers, expected) => {
    expect(parseRetryAfter(headers, now)).toBe(expected);
  });
});

describe('RetryBudget', () => {
  it('allows the floor at any rate, a tenth of many requests, and forgets with time', () => {
    const budget = new RetryBudget();
    const take = (now: number) => {
      let taken = 0;
      while (budget.tryRetry(now)) taken += 1;
      return taken;
    };
    budget.countRequest(1_000_000);
    expect(take(1_000_000)).toBe(retryFloor);
    for (let count = 0; count < 999; count += 1) budget.countRequest(1_000_100);
    expect(take(1_000_100)).toBe(90);
    expect(take(1_000_000 + 3 * retryWindowMs)).toBe(retryFloor);
  });
});

describe('ProviderGate', () => {
  it('never admits more than its limit, in order, whoever leaves the queue', async () => {
    const gate = new ProviderGate(2, 10);
    const order: number[] = [];
    const leavers: (() => void)[] = [];
    expect([gate.tryEnter(), gate.tryEnter(), gate.tryEnter()]).toEqual([true, true, false]);
    for (const id of [1, 2, 3]) void gate.enter(true, (leave) => (leavers[id] = leave)).then(() => order.push(id));
    leavers[2]?.();
    expect(gate.waiting).toBe(2);
    const place = new Place(gate);
    place.release();
    place.release();
    await Promise.resolve();
    expect(order).toEqual([1]);
    expect(gate.active).toBe(2);
    gate.resize(3, 10);
    await Promise.resolve();
    expect(order).toEqual([1, 3]);
  });
});

describe('pickKey', () => {
  it('draws every key by its share and none that is excluded', () => {
    const keys = [key('a', { weight: 0.001 }), key('b', { weight: 0.003 }), key('c', { weight: 0 })];
    const [a, b, c] = keys;
    const drawn = Array.from({ length: 100 }, (_, index) => pickKey(keys, undefined, index / 100));
    expect(drawn.filter((one) => one === a).length).toBe(25);
    expect(drawn).not.toContain(c);
    expect(pickKey(keys, new Set([a as never, b as never]), 0.5)).toBe(c);
    expect(pickKey(keys, new Set(keys), 0.5)).toBeUndefined();
    const even = [key('x', { weight: 0 }), key('y', { weight: 0 })];
    expect(even.map((_, index) => pickKey(even, undefined, index / 2))).toEqual(even);
  });
});
