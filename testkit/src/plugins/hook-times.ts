import { hookNames } from '@bifrost/sdk';
import type { HookName } from '@bifrost/sdk';
import type { ObservedCall } from './observe-hooks.ts';

/** What the calls of one hook took in one isolation, in milliseconds. */
export interface HookTimes {
  readonly isolation: string;
  readonly hook: HookName;
  readonly calls: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The value that `share` of the sorted `values` do not exceed; 0 for none. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** The times of all calls, by hook. */
export function timesOf(isolation: string, calls: readonly ObservedCall[]): readonly HookTimes[] {
  return hookNames.flatMap((hook): HookTimes[] => {
    const durations = calls
      .filter((call) => call.hook === hook)
      .map(({ durationMs }) => durationMs)
      .toSorted((a, b) => a - b);
    if (durations.length === 0) return [];
    const [p50Ms, p99Ms] = [percentile(durations, 0.5), percentile(durations, 0.99)];
    return [{ isolation, hook, calls: durations.length, p50Ms, p99Ms }];
  });
}
