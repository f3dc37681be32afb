import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LLMRequest } from '@bifrost/sdk';
import { chainsOf } from './__tests__/chains-of.ts';
import type { TestPlugin } from './__tests__/chains-of.ts';

const request: LLMRequest = { model: 'm', isStream: false, fallbacks: [] };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A plugin whose `preRequestHook` fails while `isBroken`, and what became of it. */
function fragile(more: Partial<TestPlugin> = {}) {
  const state = { isBroken: true, calls: 0, told: [] as string[] };
  const chains = chainsOf([
    {
      name: 'fragile',
      preRequestHook() {
        state.calls += 1;
        if (state.isBroken) throw new Error('broken');
      },
      onDegraded: (reason) => state.told.push(`degraded: ${reason}`),
      onRecovered: () => state.told.push('recovered'),
      ...more,
    },
  ]);
  const ask = () => chains.open().preRequest(request);
  const times = (count: number): void => {
    for (let index = 0; index < count; index += 1) void ask();
  };
  return { ...chains, state, ask, times };
}

describe('the breaker of a plugin', () => {
  it('opens after 20 failures in a row: the hook is left out, counted, and the plugin is degraded with the reason', () => {
    const { chains, state, times, lines } = fragile();
    times(30);
    expect(state.calls).toBe(20);
    expect(state.told).toEqual([expect.stringContaining('preRequestHook failed 20 times in a row')]);
    expect(chains.figures()[0]).toMatchObject({
      state: 'degraded',
      reason: expect.stringContaining('left out for 10000 ms'),
      hooks: { preRequestHook: { calls: 20, errors: 20, skipped: { breaker: 10 } } },
    });
    expect(lines.at(-1)).toContain('warn fragile plugin fragile is degraded');
  });

  it('lets one call through after the cool-down, and closes when that is right', () => {
    const { chains, state, times } = fragile();
    times(20);
    vi.advanceTimersByTime(9999);
    times(5);
    expect(state.calls).toBe(20);
    vi.advanceTimersByTime(1);
    state.isBroken = false;
    times(3);
    expect(state.calls).toBe(23);
    expect(state.told.at(-1)).toBe('recovered');
    expect(chains.figures()[0]?.state).toBe('active');
  });

  it('waits another cool-down when the trial fails, and opens at the next failure of a hook that never recovered', () => {
    const { chains, state, times, open } = fragile({ preLLMHook: () => undefined });
    times(20);
    vi.advanceTimersByTime(10_000);
    times(5);
    expect(state.calls).toBe(21);
    vi.advanceTimersByTime(10_000);
    // Another hook of the plugin takes the trial and is right.
    void open().preLLM(request);
    expect(chains.figures()[0]?.state).toBe('active');
    times(5);
    expect(state.calls).toBe(22);
    expect(chains.figures()[0]?.state).toBe('degraded');
  });

  it('makes a single trial while it has not ended', async () => {
    let calls = 0;
    const { open } = chainsOf([
      {
        name: 'slow',
        breaker: { failures: 1, coolDownMs: 50 },
        preRequestHook: { timeoutMs: 100, handler: () => ((calls += 1), new Promise(() => undefined)) },
      },
    ]);
    const first = open().preRequest(request);
    await vi.advanceTimersByTimeAsync(100);
    await first;
    await vi.advanceTimersByTimeAsync(50);
    const trials = [open().preRequest(request), open().preRequest(request), open().preRequest(request)];
    expect(calls).toBe(2);
    await vi.advanceTimersByTimeAsync(100);
    for (const trial of trials) await trial;
    expect(calls).toBe(2);
  });

  it('refuses where the hook fails closed, and lets pass what a guard explicitly lets pass', () => {
    const closed = fragile({ guard: true });
    closed.times(20);
    expect(closed.ask()).toMatchObject({
      error: { code: 'BF_PLUGIN_HOOK_FAILED', message: expect.stringContaining('switched off') },
    });
    expect(closed.state.calls).toBe(20);
    const open = fragile({ guard: true, onError: 'continue' });
    open.times(25);
    expect(open.ask()).toBeUndefined();
    expect(open.state.calls).toBe(20);
  });

  it('opens at an error rate over its window too, and not on few calls', () => {
    const { state, ask, chains } = fragile({ breaker: { errorRate: 0.5, windowMs: 1000 } });
    for (let index = 0; index < 18; index += 1) {
      state.isBroken = index % 2 === 0;
      void ask();
    }
    expect(chains.figures()[0]?.state).toBe('active');
    for (let index = 0; index < 6; index += 1) {
      state.isBroken = index % 2 === 0;
      void ask();
    }
    expect(state.told).toEqual([expect.stringMatching(/1\d of the last 2\d calls of preRequestHook failed/)]);
  });

  it('can be switched off', () => {
    const { state, times } = fragile({ breaker: false });
    times(100);
    expect(state.calls).toBe(100);
  });
});

describe("the operator's settings of an entry", () => {
  it('take the place of what the hooks state: deadline and policy', async () => {
    const { open, lines } = chainsOf([
      {
        name: 'slow',
        timeoutMs: 20,
        onError: 'deny',
        preRequestHook: { timeoutMs: 5000, onError: 'continue', handler: () => new Promise(() => undefined) },
      },
    ]);
    const outcome = open().preRequest(request);
    await vi.advanceTimersByTimeAsync(20);
    expect(await outcome).toMatchObject({ error: { code: 'BF_PLUGIN_HOOK_FAILED' } });
    expect(lines[0]).toContain('did not settle within 20 ms');
  });
});

describe('the latency budget of a plugin', () => {
  it('degrades it when the p99 of a window is above, and is told when it is within again', () => {
    let costMs = 5;
    const told: string[] = [];
    const { open, chains, lines } = chainsOf([
      {
        name: 'heavy',
        budgetMs: 1,
        onDegraded: (reason) => told.push(reason),
        onRecovered: () => told.push('recovered'),
        preRequestHook: () => void vi.advanceTimersByTime(costMs),
      },
    ]);
    const window = (): void => {
      for (let index = 0; index < 101; index += 1) void open().preRequest(request);
      vi.advanceTimersByTime(10_000);
      void open().preRequest(request);
    };
    window();
    expect(told).toEqual([expect.stringMatching(/p99 of preRequestHook was [\d.]+ ms .* above its budget of 1 ms/)]);
    expect(chains.figures()[0]).toMatchObject({ state: 'degraded', reason: told[0] });
    expect(lines).toEqual([expect.stringContaining('warn heavy plugin heavy is degraded')]);
    costMs = 0;
    window();
    window();
    expect(told.at(-1)).toBe('recovered');
    expect(chains.figures()[0]?.state).toBe('active');
  });
});

describe('a thenable of a plugin that breaks the rules', () => {
  it('counts as a failed call', async () => {
    const thenable = {
      // oxlint-disable-next-line unicorn/no-thenable -- what a hostile plugin returns
      then() {
        throw new Error('no promise at all');
      },
    };
    const { open, lines } = chainsOf([
      { name: 'odd', preRequestHook: () => thenable as unknown as Promise<undefined> },
    ]);
    expect(await open().preRequest(request)).toBeUndefined();
    expect(lines[0]).toContain('no promise at all');
  });
});
