/** One hook of one plugin, ready to be called: options resolved, filter compiled, figures beside it. */
import type { ChunkMode, HoldBack, HookFilter, HookName, OnError, Reads } from '@bifrost/sdk';
import { HookFigures } from './hook-figures.ts';
import { compileFilter } from './hook-filter.ts';
import type { CompiledFilter, RequestTest } from './hook-filter.ts';
import type { PluginInstance } from './instance.ts';
import { LatencyBudget } from './latency-budget.ts';
import type { PluginSlot } from './plugin-slot.ts';
import { runningMark } from './running-mark.ts';

export const defaultTimeoutMs = 5000;

/** A hook's handler without its types: they were checked when the plugin was written, results are checked at run time. */
export type AnyHandler = (this: unknown, context: unknown, input: unknown) => unknown;

/** What happens to the request when the hook fails. */
export type FailurePolicy = 'continue' | 'deny' | 'skip';

export interface HookEntry {
  readonly slot: PluginSlot;
  readonly hook: HookName;
  readonly handler: AnyHandler;
  /** `this` of the handler. */
  readonly self: object;
  readonly reads: Reads;
  /** What is decoded for it: its own `reads`, or a shadow's where that is more. */
  readonly demand: Reads;
  readonly hookOrder: -1 | 0 | 1;
  readonly filter: CompiledFilter;
  /** Index among the entries that look at each request for itself; -1 for those that do not. */
  readonly requestTestIndex: number;
  readonly timeoutMs: number;
  readonly policy: FailurePolicy;
  /** Failures in a row that disable the plugin; 0 = never. */
  readonly disableAfter: number;
  /** A post hook runs only where the forward pass reached this rank; -1 for forward hooks: always. */
  readonly rank: number;
  readonly figures: HookFigures;
  /** Undefined where the plugin has no latency budget. */
  readonly budget: LatencyBudget | undefined;
  /** What `running` holds while the hook runs. */
  readonly mark: number;
  /** How much of a stream the hook is shown at once; undefined where it did not say. */
  readonly chunks: ChunkMode | undefined;
  readonly holdBack: HoldBack | undefined;
  readonly isInputFrozen: boolean;
  failuresInARow: number;
  /** Windows of its budget that were above it, in a row. */
  slowWindowsInARow: number;
  /** `performance.now()` of the last failure that was logged, and how many were not since. */
  lastLoggedAt: number;
  unloggedFailures: number;
}

interface LooseHookObject {
  readonly handler: AnyHandler;
  readonly reads?: Reads;
  readonly order?: 'pre' | 'post';
  readonly filter?: HookFilter;
  readonly timeoutMs?: number;
  readonly onError?: OnError;
  readonly chunks?: ChunkMode;
  readonly holdBack?: HoldBack;
}

const defaultReads: Partial<Record<HookName, Reads>> = {
  streamEventHook: 'messages',
  httpTransportStreamChunkHook: 'body',
  preMCPHook: 'body',
  postMCPHook: 'body',
  preMCPConnectionHook: 'body',
  postMCPConnectionHook: 'body',
};

const hookOrders = { pre: -1, post: 1 } as const;

/** The hook of `instance` as an object, or undefined where it has none. */
function hookObject(instance: PluginInstance, hook: HookName): LooseHookObject | undefined {
  const declared: unknown = instance.hooks[hook];
  if (declared === undefined) return undefined;
  // The loader has checked the shape: a function, or an object with a handler.
  return typeof declared === 'function'
    ? { handler: declared as AnyHandler }
    : (declared as unknown as LooseHookObject);
}

/** The order that a hook's options ask for within the placement group. */
export function hookOrderOf(instance: PluginInstance, hook: HookName): -1 | 0 | 1 {
  const order = hookObject(instance, hook)?.order;
  return order === undefined ? 0 : hookOrders[order];
}

/** The rank that a forward pass has to have reached for a post hook of the plugin; -1 for forward hooks. */
export function rankOf(slot: PluginSlot, hook: HookName): number {
  switch (hook) {
    case 'postLLMHook':
    case 'streamEventHook':
      return slot.ranks.llm;
    case 'httpTransportPostHook':
    case 'httpTransportResponseHeadersHook':
    case 'httpTransportStreamChunkHook':
      return slot.ranks.http;
    case 'postMCPHook':
      return slot.ranks.mcp;
    case 'postMCPConnectionHook':
      return slot.ranks.mcpConnection;
    default:
      return -1;
  }
}

function policyOf(onError: OnError | undefined, isGuard: boolean): FailurePolicy {
  if (typeof onError === 'string') return onError;
  return isGuard ? 'deny' : 'continue';
}

function budgetOf({ budgetMs }: PluginInstance, hook: HookName): LatencyBudget | undefined {
  const ms = typeof budgetMs === 'object' ? budgetMs[hook] : budgetMs;
  return ms === undefined ? undefined : new LatencyBudget(ms);
}

/** Both the hook's own filter and the plugin's share have to let a request through. */
function withShare(filter: CompiledFilter, share: RequestTest | null): CompiledFilter {
  const { request } = filter;
  if (share === null) return filter;
  if (request === null) return { ...filter, request: share };
  return {
    ...filter,
    request: (facts, headers, sample) => share(facts, headers, sample) && request(facts, headers, sample),
  };
}

/** Makes the entry of one hook, or undefined where the plugin has none. `requestTestIndex` numbers entries with a request test. */
export function createHookEntry(slot: PluginSlot, hook: HookName, requestTestIndex: number): HookEntry | undefined {
  const { instance } = slot;
  const options = hookObject(instance, hook);
  if (options === undefined) return undefined;
  const onError = instance.onError ?? options.onError;
  const reads = options.reads ?? defaultReads[hook] ?? 'head';
  const policy = policyOf(onError, instance.isGuard);
  const filter = withShare(compileFilter(options.filter), slot.share);
  return {
    slot,
    hook,
    handler: options.handler,
    self: typeof instance.hooks[hook] === 'function' ? instance.self : options,
    reads,
    demand: reads,
    hookOrder: hookOrderOf(instance, hook),
    filter,
    requestTestIndex: filter.request === null ? -1 : requestTestIndex,
    timeoutMs: instance.timeoutMs ?? options.timeoutMs ?? defaultTimeoutMs,
    policy,
    disableAfter: typeof onError === 'object' ? onError.disableAfter : 0,
    rank: rankOf(slot, hook),
    figures: new HookFigures(),
    budget: budgetOf(instance, hook),
    mark: runningMark(slot.number, hook),
    chunks: options.chunks,
    holdBack: options.holdBack,
    isInputFrozen: instance.areInputsFrozen === true,
    failuresInARow: 0,
    slowWindowsInARow: 0,
    lastLoggedAt: Number.NEGATIVE_INFINITY,
    unloggedFailures: 0,
  };
}
