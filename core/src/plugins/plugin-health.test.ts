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

  it('counts a rate from anew when it has opened', () => {
    const { state, times, chains } = fragile({
      breaker: { failures: 1000, errorRate: 0.5, windowMs: 60_000, coolDownMs: 10 },
    });
    times(20);
    expect(chains.figures()[0]?.state).toBe('degraded');
    vi.advanceTimersByTime(10);
    state.isBroken = false;
    times(1);
    expect(chains.figures()[0]?.state).toBe('active');
    state.isBroken = true;
    times(19);
    expect(chains.figures()[0]?.state).toBe('active');
    times(1);
    expect(chains.figures()[0]?.state).toBe('degraded');
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
  /** A plugin whose hook takes `costMs`, and windows of its budget of 1 ms. */
  function heavy(more: Partial<TestPlugin> = {}) {
    const state = { costMs: 5, calls: 0, told: [] as string[] };
    const chains = chainsOf([
      {
        name: 'heavy',
        budgetMs: 1,
        onDegraded: (reason) => state.told.push(reason),
        onRecovered: () => state.told.push('recovered'),
        onDisabled: (reason) => state.told.push(`disabled: ${reason}`),
        preRequestHook: () => {
          state.calls += 1;
          vi.advanceTimersByTime(state.costMs);
        },
        ...more,
      },
    ]);
    const ask = () => chains.open().preRequest(request);
    const window = (): void => {
      for (let index = 0; index < 101; index += 1) void ask();
      vi.advanceTimersByTime(10_000);
      void ask();
    };
    return { ...chains, state, ask, window };
  }

  it('opens its breaker when the p99 of a window is above: the hook is left out, and degraded is why', () => {
    const { chains, state, ask, window, lines } = heavy();
    window();
    expect(state.told).toEqual([
      expect.stringMatching(/p99 of preRequestHook was [\d.]+ ms .* above its budget of 1 ms; its hooks are left out/),
    ]);
    expect(chains.figures()[0]).toMatchObject({ state: 'degraded', reason: state.told[0] });
    expect(lines).toEqual([expect.stringContaining('warn heavy plugin heavy is degraded')]);
    const before = state.calls;
    expect(ask()).toBeUndefined();
    expect(state.calls).toBe(before);
  });

  it('takes a slow trial for a failed one, and is told when a whole window is within the budget again', () => {
    const { chains, state, ask, window } = heavy();
    window();
    vi.advanceTimersByTime(10_000);
    const before = state.calls;
    void ask();
    void ask();
    expect(state.calls).toBe(before + 1);
    state.costMs = 0;
    vi.advanceTimersByTime(10_000);
    void ask();
    expect(chains.figures()[0]?.state).toBe('degraded');
    window();
    expect(state.told.at(-1)).toBe('recovered');
    expect(chains.figures()[0]?.state).toBe('active');
  });

  it('follows the policy of the hook: what fails closed refuses, what is disabled after n windows is', () => {
    const closed = heavy({ guard: true });
    closed.window();
    expect(closed.ask()).toMatchObject({ error: { code: 'BF_PLUGIN_HOOK_FAILED' } });
    const limited = heavy({ onError: { disableAfter: 2 } });
    limited.window();
    expect(limited.chains.figures()[0]?.state).toBe('degraded');
    vi.advanceTimersByTime(10_000);
    limited.state.costMs = 0;
    void limited.ask();
    limited.state.costMs = 5;
    limited.window();
    expect(limited.state.told.at(-1)).toMatch(/^disabled: the p99 .* window number 2 in a row$/);
    expect(limited.chains.figures()[0]?.state).toBe('disabled');
  });

  it('is one of the named hooks only where it says so, and only a report without a breaker', () => {
    const other = heavy({ budgetMs: { postLLMHook: 1 } });
    other.window();
    expect(other.state.told).toEqual([]);
    const reporting = heavy({ breaker: false });
    reporting.window();
    expect(reporting.state.told).toEqual([expect.stringMatching(/above its budget of 1 ms$/)]);
    expect(reporting.chains.figures()[0]?.state).toBe('degraded');
    const before = reporting.state.calls;
    void reporting.ask();
    expect(reporting.state.calls).toBe(before + 1);
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
