import { describe, expect, it } from 'vitest';
import { pluginFiguresSince } from './figures-since.ts';
import { HookFigures } from './hook-figures.ts';
import type { PluginFigures } from './plugin-figures.ts';

function figures(durations: readonly number[], errors: number): PluginFigures {
  const hook = new HookFigures();
  for (const ms of durations) hook.record(ms);
  hook.errors = errors;
  const { calls: count, totalMs, buckets } = hook.snapshot();
  const added = { count, totalMs, buckets };
  return {
    plugin: 'p',
    hooks: { preLLMHook: hook.snapshot() },
    failuresInARow: 0,
    state: 'active',
    addedToFirstContent: added,
  };
}

describe('figures since an earlier look', () => {
  it('count what came after, with percentiles of that alone', () => {
    const since = pluginFiguresSince(figures([1, 1, 1, 1, 100], 3), figures([1, 1, 1, 1], 1));
    expect(since.hooks.preLLMHook).toMatchObject({ calls: 1, errors: 2 });
    expect(since.hooks.preLLMHook?.p50Ms).toBeGreaterThan(80);
    expect(since.addedToFirstContent).toMatchObject({ count: 1, totalMs: 100 });
  });

  it('are all of them where nothing was counted before, and never below 0', () => {
    expect(pluginFiguresSince(figures([1, 2], 1), undefined).hooks.preLLMHook).toMatchObject({ calls: 2, errors: 1 });
    expect(pluginFiguresSince(figures([1], 0), figures([1, 1, 1], 2)).hooks.preLLMHook).toMatchObject({
      calls: 0,
      errors: 0,
      totalMs: 0,
    });
  });
});
