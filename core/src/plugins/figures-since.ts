/** What plugins' figures came to since an earlier look at them. */
import type { HookName } from '@bifrost/sdk';
import type { DurationHistogram } from './duration-buckets.ts';
import type { HookFiguresSnapshot } from './hook-figures.ts';
import { mergePluginFigures } from './plugin-figures.ts';
import type { PluginFigures } from './plugin-figures.ts';

/** Never below 0: a thread that ended without a last word takes what it had counted with it. */
function less(now: number, before = 0): number {
  return Math.max(0, now - before);
}

function histogramSince(now: DurationHistogram, before: DurationHistogram | undefined): DurationHistogram {
  const buckets = now.buckets.map((count, index) => less(count, before?.buckets[index]));
  const count = buckets.reduce((sum, one) => sum + one, 0);
  return { count, totalMs: less(now.totalMs, before?.totalMs), buckets };
}

function hookSince(now: HookFiguresSnapshot, before: HookFiguresSnapshot | undefined): HookFiguresSnapshot {
  const { count, totalMs, buckets } = histogramSince(
    { count: now.calls, totalMs: now.totalMs, buckets: now.buckets },
    before && { count: before.calls, totalMs: before.totalMs, buckets: before.buckets },
  );
  const { filter, disabled, breaker, policy } = now.skipped;
  return {
    calls: count,
    errors: less(now.errors, before?.errors),
    timeouts: less(now.timeouts, before?.timeouts),
    dropped: less(now.dropped, before?.dropped),
    skipped: {
      filter: less(filter, before?.skipped.filter),
      disabled: less(disabled, before?.skipped.disabled),
      breaker: less(breaker, before?.skipped.breaker),
      policy: less(policy, before?.skipped.policy),
    },
    totalMs,
    buckets,
  };
}

/** `now` without what `before`, an earlier state of the same counters, has counted; percentiles are of the rest. */
export function pluginFiguresSince(now: PluginFigures, before: PluginFigures | undefined): PluginFigures {
  // The members are hook names: `hooks` has no others.
  const hooks = (Object.keys(now.hooks) as HookName[]).flatMap((hook) => {
    const figures = now.hooks[hook];
    return figures === undefined ? [] : [[hook, hookSince(figures, before?.hooks[hook])] as const];
  });
  const addedToFirstContent = histogramSince(now.addedToFirstContent, before?.addedToFirstContent);
  const rest: PluginFigures = { ...now, hooks: Object.fromEntries(hooks), addedToFirstContent };
  // Merging computes the percentiles anew.
  return mergePluginFigures([[rest]])[0] ?? rest;
}
