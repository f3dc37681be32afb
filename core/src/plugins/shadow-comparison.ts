/** How the decisions of a shadow compare with those of the plugin that it may replace. Plain data. */
import type { HookDecision, ValueChange } from '@bifrost/sdk';

/** One hook call's decision, as far as two can be compared. */
export interface ComparedDecision {
  readonly decision: HookDecision;
  /** What the hook returned, as steps from what it was shown; at most 32. */
  readonly changes?: readonly ValueChange[];
  readonly reason?: string;
}

export interface ShadowDifference {
  readonly requestId: string;
  readonly hook: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly real: ComparedDecision;
  readonly candidate: ComparedDecision;
}

export interface ShadowComparison {
  readonly candidate: string;
  readonly of: string;
  readonly equal: number;
  readonly different: number;
  /** The candidate threw, was too late, or returned a wrong value, where the other plugin did not. Counted in `different` too. */
  readonly failed: number;
  /** Calls that were not compared because too many were waiting. */
  readonly dropped: number;
  /** The last 20, oldest first. */
  readonly differences: readonly ShadowDifference[];
}

export const maxDifferences = 20;

/** Adds up what several threads compared. */
export function mergeShadowComparisons(lists: readonly (readonly ShadowComparison[])[]): readonly ShadowComparison[] {
  const byTrial = Map.groupBy(lists.flat(), ({ candidate, of }) => JSON.stringify([candidate, of]));
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
  return [...byTrial.values()].flatMap((parts) => {
    const [first] = parts;
    if (first === undefined) return [];
    const differences = parts.flatMap((part) => part.differences).toSorted((a, b) => a.at - b.at);
    return [
      {
        candidate: first.candidate,
        of: first.of,
        equal: sum(parts.map((part) => part.equal)),
        different: sum(parts.map((part) => part.different)),
        failed: sum(parts.map((part) => part.failed)),
        dropped: sum(parts.map((part) => part.dropped)),
        differences: differences.slice(-maxDifferences),
      },
    ];
  });
}
