/**
 * What the chains of one snapshot are for requests of one kind: the hooks whose filters say no to its path, or to its being a stream, are
 * left out of them once, and not looked at again by each request. Requests come in few kinds: their plans are remembered.
 */
import type { RequestFacts } from '@bifrost/sdk';
import type { PluginChains } from './chain.ts';
import { createSortedChains } from './create-entries.ts';
import type { EntriesByHook } from './create-entries.ts';
import type { HookEntry } from './hook-entry.ts';
import { needsOf } from './sorted-chains.ts';
import type { SortedChains } from './sorted-chains.ts';

export interface RequestPlan {
  /** Without the hooks that are left out. */
  readonly chains: SortedChains;
  readonly needs: PluginChains['needs'];
  /** Null where no hook is left out. */
  readonly leftOut: ReadonlySet<HookEntry> | null;
  /** Those of the rest that look at each request for itself. */
  readonly tests: readonly HookEntry[];
  /** How many hooks the rest has. */
  readonly size: number;
  /** Requests since the figures of the hooks left out were last brought up to date. */
  requests: number;
}

/** Of paths, which clients may make up, and of plans. */
const maxRemembered = 256;
const maxPathLength = 256;

const isOut = ({ filter }: HookEntry, facts: RequestFacts): boolean => filter.kind?.(facts) === false;

export class RequestPlans {
  readonly #entries: EntriesByHook;
  /** The entries that look at a request's kind. */
  readonly #kindTests: readonly HookEntry[];
  /** The plan of requests that every hook is for. */
  readonly whole: RequestPlan;
  readonly #byVerdict = new Map<string, RequestPlan>();
  readonly #ofStreams = new Map<string, RequestPlan>();
  readonly #ofOthers = new Map<string, RequestPlan>();
  #lastPath: string | undefined;
  #lastIsStream = false;
  #last: RequestPlan;

  constructor(entries: EntriesByHook) {
    this.#entries = entries;
    this.#kindTests = [...entries.values()].flat().filter(({ filter }) => filter.kind !== null);
    this.whole = this.#create(null);
    this.#last = this.whole;
  }

  of(facts: RequestFacts): RequestPlan {
    if (this.#kindTests.length === 0) return this.whole;
    const { path, isStream } = facts;
    if (path === this.#lastPath && isStream === this.#lastIsStream) return this.#last;
    const known = isStream ? this.#ofStreams : this.#ofOthers;
    const plan = known.get(path) ?? this.#judge(facts);
    if (path.length <= maxPathLength) {
      if (known.size >= maxRemembered) known.clear();
      known.set(path, plan);
    }
    this.#lastPath = path;
    this.#lastIsStream = isStream;
    this.#last = plan;
    return plan;
  }

  /** Brings the figures of hooks that were left out up to date. */
  settle(): void {
    for (const plan of this.#byVerdict.values()) settle(plan);
  }

  #judge(facts: RequestFacts): RequestPlan {
    const verdict = this.#kindTests.map((entry) => (isOut(entry, facts) ? '0' : '1')).join('');
    if (!verdict.includes('0')) return this.whole;
    const known = this.#byVerdict.get(verdict);
    if (known !== undefined) return known;
    if (this.#byVerdict.size >= maxRemembered) this.#forget();
    const plan = this.#create(new Set(this.#kindTests.filter((entry) => isOut(entry, facts))));
    this.#byVerdict.set(verdict, plan);
    return plan;
  }

  /** All of them: a plan that is used on must be among those that are settled. */
  #forget(): void {
    this.settle();
    this.#byVerdict.clear();
    this.#ofStreams.clear();
    this.#ofOthers.clear();
  }

  #create(leftOut: ReadonlySet<HookEntry> | null): RequestPlan {
    const rest = new Map(
      [...this.#entries].flatMap(([hook, list]) => {
        const left = list.filter((entry) => leftOut?.has(entry) !== true);
        return left.length === 0 ? [] : [[hook, left] as const];
      }),
    );
    const chains = createSortedChains(rest);
    const all = [...rest.values()].flat();
    const tests = all.filter(({ filter }) => filter.request !== null);
    return { chains, needs: needsOf(chains), leftOut, tests, size: all.length, requests: 0 };
  }
}

function settle(plan: RequestPlan): void {
  for (const { figures } of plan.leftOut ?? []) figures.skipped.filter += plan.requests;
  plan.requests = 0;
}
