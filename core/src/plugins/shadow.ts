/**
 * A candidate plugin that only watches: for some requests its hooks run on copies of what the plugin saw that it may replace, in a later
 * turn of the event loop, and what both decided is compared. Neither its time nor its failures reach the request.
 */
import { isDeepStrictEqual } from 'node:util';
import { deepFreeze } from '@bifrost/sdk';
import type { Json, RequestFacts } from '@bifrost/sdk';
import { describe } from './check-value.ts';
import { countFailure, countSuccess, messageOf } from './hook-failure.ts';
import type { HookEntry } from './hook-entry.ts';
import type { EndedHookCall, HookCall, HookObserver } from './hook-observer.ts';
import type { PluginTrial } from './instance.ts';
import type { PluginSlot } from './plugin-slot.ts';
import { RequestContext, requestOf } from './request-context.ts';
import type { ContextOwner } from './request-context.ts';
import { requestDraw } from './request-share.ts';
import { isThenable, settleWithin } from './settle-within.ts';
import { maxDifferences } from './shadow-comparison.ts';
import type { ComparedDecision, ShadowComparison, ShadowDifference } from './shadow-comparison.ts';
import { valueChanges } from './value-changes.ts';

/** Calls that wait for their turn or have not settled; beyond this they are dropped and counted. */
const maxPending = 1000;

export interface ShadowOptions {
  readonly slot: PluginSlot;
  readonly trial: PluginTrial;
  /** The candidate's hooks by name. */
  readonly entries: ReadonlyMap<string, HookEntry>;
  readonly running: Int32Array;
  /** A call begins to be pending, and is no more. */
  onBegin(): void;
  onEnd(): void;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** What a hook did: returned something, or failed. */
type Deed = { readonly returned: unknown } | { readonly failed: string };

export class Shadow {
  readonly of: string;
  readonly #options: ShadowOptions;
  #pending = 0;
  #equal = 0;
  #different = 0;
  #failed = 0;
  #dropped = 0;
  #differences: ShadowDifference[] = [];

  constructor(options: ShadowOptions) {
    this.#options = options;
    this.of = options.trial.of;
  }

  get entries(): ReadonlyMap<string, HookEntry> {
    return this.#options.entries;
  }

  wants(facts: RequestFacts): boolean {
    return requestDraw(facts.requestId) < this.#options.trial.share;
  }

  /** The eyes of this shadow on one request. */
  observe(): HookObserver {
    return new ShadowObserver(this, this.#options.slot);
  }

  comparison(): ShadowComparison {
    return {
      candidate: this.#options.slot.instance.name,
      of: this.of,
      equal: this.#equal,
      different: this.#different,
      failed: this.#failed,
      dropped: this.#dropped,
      differences: [...this.#differences],
    };
  }

  /** Runs the candidate's hook on `input` later, and compares it with what the other plugin did. */
  async compare(
    entry: HookEntry,
    context: RequestContext,
    { input, real }: { readonly input: unknown; readonly real: Deed },
  ): Promise<void> {
    if (this.#pending >= maxPending) {
      this.#dropped += 1;
      return;
    }
    this.#pending += 1;
    this.#options.onBegin();
    await nextTurn();
    const candidate = await this.#run(entry, context, input);
    this.#note(entry, context.facts.requestId, { input, real, candidate });
    this.#pending -= 1;
    this.#options.onEnd();
  }

  async #run(entry: HookEntry, context: RequestContext, input: unknown): Promise<Deed> {
    const { slot } = entry;
    const { running } = this.#options;
    const startedAt = performance.now();
    let deed: Deed;
    try {
      // A copy: what the candidate might change in it is still the request's own.
      const copy = deepFreeze(structuredClone(input));
      const scope = slot.instance.asyncScope;
      running[0] = entry.mark;
      const returned =
        scope === undefined
          ? entry.handler.call(entry.self, context, copy)
          : scope.runInAsyncScope(entry.handler, entry.self, context, copy);
      running[0] = 0;
      deed = isThenable(returned) ? await settled(returned, entry.timeoutMs) : { returned };
    } catch (thrown) {
      running[0] = 0;
      deed = { failed: messageOf(thrown) };
    }
    entry.figures.record(performance.now() - startedAt);
    if ('failed' in deed) {
      entry.figures.errors += 1;
      countFailure(entry);
    } else countSuccess(entry);
    return deed;
  }

  #note(
    { hook }: HookEntry,
    requestId: string,
    { input, real, candidate }: { readonly input: unknown; readonly real: Deed; readonly candidate: Deed },
  ): void {
    const [left, right] = [decisionOf(hook, input, real), decisionOf(hook, input, candidate)];
    if (isSameDeed(hook, { real, candidate, left, right })) {
      this.#equal += 1;
      return;
    }
    this.#different += 1;
    if ('failed' in candidate && !('failed' in real)) this.#failed += 1;
    const difference = { requestId, hook, at: Date.now(), real: left, candidate: right };
    this.#differences = [...this.#differences, difference].slice(-maxDifferences);
  }
}

async function settled(promise: PromiseLike<unknown>, timeoutMs: number): Promise<Deed> {
  const result = await settleWithin(promise, timeoutMs);
  if (result.kind === 'value') return { returned: result.value };
  return { failed: result.kind === 'threw' ? messageOf(result.thrown) : `did not settle within ${timeoutMs} ms` };
}

/** The shadow's context lives beside the request's: it sees the values, and what it sets nobody sees. */
class ShadowObserver implements HookObserver {
  readonly #shadow: Shadow;
  readonly #slot: PluginSlot;
  #own: { readonly context: RequestContext; readonly owner: ContextOwner } | undefined;
  #pending = 0;
  #isEnded = false;
  readonly #inputs = new WeakMap<RequestContext, unknown>();

  constructor(shadow: Shadow, slot: PluginSlot) {
    this.#shadow = shadow;
    this.#slot = slot;
  }

  before({ entry, pass, context }: HookCall): void {
    const candidate = this.#candidateOf(entry);
    // What the candidate asks to read may be more, or less.
    if (candidate !== undefined) this.#inputs.set(context, pass.input(candidate));
  }

  after({ entry, context, returned, failure }: EndedHookCall): void {
    const candidate = this.#candidateOf(entry);
    if (candidate === undefined) return;
    const real: Deed = failure === undefined ? { returned: plain(returned) } : { failed: failure.message };
    this.#own ??= this.#open(requestOf(context));
    this.#pending += 1;
    void this.#shadow.compare(candidate, this.#own.context, { input: this.#inputs.get(context), real }).then(() => {
      this.#pending -= 1;
      this.#tellEnd();
    });
  }

  requestEnds(): void {
    this.#isEnded = true;
    this.#tellEnd();
  }

  #open(request: ContextOwner) {
    const owner = ownerBeside(request);
    return { owner, context: new RequestContext(owner, this.#slot.instance) };
  }

  /** As every plugin that took part hears of it: one that runs elsewhere keeps something for each request. */
  #tellEnd(): void {
    if (!this.#isEnded || this.#pending > 0 || this.#own === undefined) return;
    this.#slot.instance.onRequestEnd?.(this.#own.owner);
    this.#own = undefined;
  }

  #candidateOf(entry: HookEntry): HookEntry | undefined {
    return entry.slot.instance.name === this.#shadow.of ? this.#shadow.entries.get(entry.hook) : undefined;
  }
}

function ownerBeside(request: ContextOwner): ContextOwner {
  const values: Map<string, Json> | null = request.values === null ? null : new Map(request.values);
  const { facts, requestSignal } = request;
  return { facts, requestSignal, areInputsFrozen: true, values, attributes: null, routingNotes: null };
}

/** A stream is its plugin's to iterate: two of them are not compared, only that there is one. */
function plain(returned: unknown): unknown {
  if (typeof returned !== 'object' || returned === null || !('stream' in returned) || returned.stream === undefined) {
    return returned;
  }
  return { stream: '(a stream)' };
}

interface BothDeeds {
  readonly real: Deed;
  readonly candidate: Deed;
  readonly left: ComparedDecision;
  readonly right: ComparedDecision;
}

function isSameDeed(hook: string, { real, candidate, left, right }: BothDeeds): boolean {
  if ('failed' in real || 'failed' in candidate) return 'failed' in real && 'failed' in candidate;
  if (left.decision === 'unchanged' && right.decision === 'unchanged') return true;
  const [one, other] = [plain(real.returned), plain(candidate.returned)];
  return (
    isDeepStrictEqual(one, other) || (hasHeaderPatch(hook) && isDeepStrictEqual(lowerCased(one), lowerCased(other)))
  );
}

/** The patch with the names of headers as they are sent. */
function lowerCased(returned: unknown): unknown {
  if (typeof returned !== 'object' || returned === null) return returned;
  const patch = headersOf(returned);
  if (patch === undefined) return returned;
  const headers = Object.fromEntries(Object.entries(patch).map(([name, value]) => [name.toLowerCase(), value]));
  return { ...returned, headers };
}

function decisionOf(hook: string, input: unknown, deed: Deed): ComparedDecision {
  if ('failed' in deed) return { decision: 'failed', reason: deed.failed };
  const returned = plain(deed.returned);
  if (returned === undefined) return { decision: 'unchanged' };
  if (Array.isArray(returned)) return withChanges('changed', valueChanges([input], returned));
  if (typeof returned !== 'object' || returned === null) return { decision: 'changed', reason: describe(returned) };
  if ('error' in returned) return withChanges('error', valueChanges({}, returned));
  if ('response' in returned || 'result' in returned) return withChanges('response', valueChanges({}, returned));
  if ('stream' in returned) return { decision: 'stream' };
  if (hasHeaderPatch(hook)) return withChanges('changed', headerPatchChanges(input, returned));
  return withChanges('changed', valueChanges(shownMembers(input, returned), returned));
}

/** Hooks that return changes of headers in the place of all headers. */
function hasHeaderPatch(hook: string): boolean {
  return hook === 'httpTransportResponseHeadersHook' || hook === 'httpTransportPostHook';
}

/** What such a hook changed: of the headers that it was shown, those that its patch does not name stay as they are. */
function headerPatchChanges(input: unknown, returned: object): ComparedDecision['changes'] {
  const shown = shownMembers(input, returned);
  const [before, patch] = [headersOf(shown), headersOf(returned)];
  if (patch === undefined) return valueChanges(shown, returned);
  const named = Object.keys(patch);
  const given = named.flatMap((name) => (patch[name] === null ? [] : [[name.toLowerCase(), patch[name]] as const]));
  const old = named.flatMap((name) => {
    const value = before?.[name.toLowerCase()];
    return value === undefined ? [] : [[name.toLowerCase(), value] as const];
  });
  const left = { ...shown, headers: Object.fromEntries(old) };
  return valueChanges(left, { ...returned, headers: Object.fromEntries(given) });
}

function headersOf(value: object): Readonly<Record<string, unknown>> | undefined {
  const headers: unknown = 'headers' in value ? value.headers : undefined;
  // Names and values of a plain object, whatever they are.
  return typeof headers === 'object' && headers !== null ? (headers as Readonly<Record<string, unknown>>) : undefined;
}

function withChanges(
  decision: 'changed' | 'error' | 'response',
  changes: ComparedDecision['changes'],
): ComparedDecision {
  if (decision === 'changed' && changes?.length === 0) return { decision: 'unchanged' };
  return { decision, ...(changes === undefined ? {} : { changes }) };
}

/** Of what the hook was shown: the members that it returned, so that the steps say what it changed in them. */
function shownMembers(input: unknown, returned: object): object {
  const shown = typeof input === 'object' && input !== null ? Object.entries(input) : [];
  return Object.fromEntries(shown.filter(([name]) => Object.hasOwn(returned, name)));
}
