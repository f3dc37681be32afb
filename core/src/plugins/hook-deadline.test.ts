import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LLMRequest, PreRequestResult } from '@bifrost/sdk';
import { chainsOf, facts } from './__tests__/chains-of.ts';

const request: LLMRequest = { model: 'm', isStream: false, fallbacks: [] };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the deadline of a hook', () => {
  it('aborts the signal, and ignores what the late code returns and writes', async () => {
    const late: { resolve?: (result: PreRequestResult) => void } = {};
    const aborted: unknown[] = [];
    const seen: unknown[] = [];
    const run = chainsOf([
      {
        name: 'slow',
        preRequestHook: {
          timeoutMs: 100,
          handler(context) {
            context.state.set('step', 1);
            context.signal.addEventListener('abort', () => {
              aborted.push(context.signal.reason);
              context.state.set('step', 2);
              context.setValue('late', true);
            });
            return new Promise((resolve) => {
              late.resolve = resolve;
            });
          },
        },
        preLLMHook: (context) =>
          void seen.push(context.state.get('step'), context.getValue('late'), context.signal.aborted),
      },
    ]).open();
    const outcome = run.preRequest(request);
    await vi.advanceTimersByTimeAsync(100);
    expect(await outcome).toBeUndefined();
    late.resolve?.({ model: 'late' });
    void run.preLLM(request);
    expect(aborted).toEqual([new Error('preRequestHook did not settle within 100 ms')]);
    expect(seen).toEqual([1, undefined, false]);
  });

  it('swallows a rejection that comes after it', async () => {
    const late: { reject?: (error: Error) => void } = {};
    const { open, lines } = chainsOf([
      {
        name: 'slow',
        preRequestHook: () =>
          new Promise((_resolve, reject) => {
            late.reject = reject;
          }),
      },
    ]);
    const outcome = open().preRequest(request);
    await vi.advanceTimersByTimeAsync(5000);
    await outcome;
    late.reject?.(new Error('too late'));
    await vi.advanceTimersByTimeAsync(1);
    expect(lines).toHaveLength(1);
  });

  it('leaves no timer behind when the hook is in time', async () => {
    const run = chainsOf([{ name: 'a', preRequestHook: async () => ({ model: 'x' }) }]).open();
    expect(await run.preRequest(request)).toEqual({ model: 'x' });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the fast path', () => {
  it('answers without a promise or a timer while no handler returns a promise', () => {
    const run = chainsOf([{ name: 'a', preRequestHook: () => ({ model: 'x' }), preLLMHook: () => undefined }]).open();
    expect(run.preRequest(request)).not.toBeInstanceOf(Promise);
    expect(run.preLLM(request)).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has taken no time before a hook is called', () => {
    const run = chainsOf([{ name: 'a', preLLMHook: () => undefined }]).open();
    void run.preRequest(request);
    expect(run.spentMs).toBe(0);
  });

  it('opens nothing where no plugin has a hook', () => {
    const { chains } = chainsOf([{ name: 'idle' }]);
    expect(chains.needs).toEqual({});
    expect(chains.open(facts, {}, new AbortController().signal)).toBeNull();
  });
});
