import type { LLMRequest } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import { chainsOf, trace } from './__tests__/chains-of.ts';
import { mergePluginFigures } from './plugin-figures.ts';

const request: LLMRequest = { model: 'm', isStream: false, fallbacks: [] };
const busy = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end;);
};

describe('figures of several threads', () => {
  it('add up, with percentiles of the whole and the gravest state', () => {
    const thread = (calls: number, costMs: number, isBroken: boolean) => {
      const { chains, open } = chainsOf([
        {
          name: 'p',
          breaker: { failures: 1 },
          preRequestHook: {
            filter: { header: 'x-on' },
            handler() {
              busy(costMs);
              if (isBroken) throw new Error('x');
            },
          },
          preLLMHook: () => undefined,
        },
      ]);
      for (let index = 0; index < calls; index += 1) void open({}, { 'x-on': '1' }).preRequest(request);
      void open().preRequest(request);
      return chains.figures();
    };
    const merged = mergePluginFigures([thread(98, 0, false), thread(2, 5, false), thread(1, 0, true)]);
    expect(merged).toMatchObject([
      {
        plugin: 'p',
        state: 'degraded',
        reason: expect.stringContaining('failed 1 times'),
        hooks: { preRequestHook: { calls: 101, errors: 1, skipped: { filter: 3 } } },
      },
    ]);
    expect(merged[0]?.hooks.preRequestHook?.p50Ms).toBeLessThan(1);
    expect(merged[0]?.hooks.preRequestHook?.p99Ms).toBeGreaterThan(4);
    expect(merged[0]?.hooks.preRequestHook?.buckets.reduce((sum, count) => sum + count, 0)).toBe(101);
  });
});

describe('what a plugin adds to the first content', () => {
  it('is the time of its hooks up to then, once for each request that called it', () => {
    const { chains, open } = chainsOf([
      { name: 'early', preRequestHook: () => busy(3), postLLMHook: () => busy(20) },
      { name: 'never', inject: () => undefined },
    ]);
    const run = open();
    void run.preRequest(request);
    run.noteContentOut?.();
    void run.postLLM({ request, statusCode: 200, latencyMs: 1 });
    run.finish({ ...trace, timeToFirstContentMs: 4 });
    const [early, never] = chains.figures();
    expect(early?.addedToFirstContent).toMatchObject({ count: 1 });
    expect(early?.addedToFirstContent.p50Ms).toBeGreaterThan(2.5);
    expect(early?.addedToFirstContent.totalMs).toBeLessThan(15);
    expect(never?.addedToFirstContent).toEqual({ count: 0, totalMs: 0, buckets: [] });
  });
});
