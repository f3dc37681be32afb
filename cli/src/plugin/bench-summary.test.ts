import { describe, expect, it } from 'vitest';
import type { MeasuredHook } from '@bifrost/testkit/plugins';
import { benchSummary } from './bench-summary.ts';

const hook = (name: MeasuredHook['hook'], isolation: string, p50Ms: number): MeasuredHook => ({
  hook: name,
  isolation,
  calls: 10,
  p50Ms,
  p99Ms: p50Ms * 2,
  failures: 0,
});

describe('the summary of a bench', () => {
  it('adds up what a request waits for, compares isolations with the first, and leaves out what nobody waits for', () => {
    const lines = benchSummary([
      hook('preLLMHook', 'inline', 0.002),
      hook('httpTransportResponseHeadersHook', 'inline', 0.003),
      hook('streamEventHook', 'inline', 0.01),
      hook('inject', 'inline', 5),
      hook('preLLMHook', 'process', 0.06),
      hook('httpTransportResponseHeadersHook', 'process', 0.04),
      hook('streamEventHook', 'process', 0.025),
      hook('inject', 'process', 5),
    ]);
    expect(lines).toEqual([
      'A request waits for it:        inline 5.0 us, process 100 us (20 times)',
      'An event of a stream does:     inline 10 us, process 25 us (2.5 times)',
      'Of an answer after 500 ms that is 0.02 % at most, without the events.',
    ]);
  });

  it('has nothing to say of a plugin that only looks on', () => {
    expect(benchSummary([hook('inject', 'inline', 1)])).toEqual([]);
  });
});
