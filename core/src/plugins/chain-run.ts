/**
 * One request's way through the chains. The fast path is a loop without promise, closure or timer; a hook that returns a
 * promise moves the rest of its pass to an async continuation.
 */
import type {
  ErrorInfo,
  HeaderChanges,
  HttpPostResult,
  HttpRequest,
  HttpResponse,
  HttpResponseHead,
  Json,
  LLMOutcome,
  LLMRequest,
  PluginFailure,
  RequestFacts,
  RequestTrace,
  RoutingNote,
  StreamChunk,
  StreamEvent,
} from '@bifrost/sdk';
import { deepFreeze } from '@bifrost/sdk';
import type {
  HttpPreOutcome,
  PluginChains,
  PluginRun,
  PostLLMOutcome,
  PreLLMOutcome,
  PreRequestOutcome,
} from './chain.ts';
import { HookResultError } from './check-value.ts';
import { countTowardsDisabling, denialOf, logFailure, messageOf } from './hook-failure.ts';
import type { HookEntry, PluginSlot } from './hook-entry.ts';
import type { HookPass } from './hook-pass.ts';
import { deniedResponse, HttpPostPass, HttpPrePass, ResponseHeadersPass, StreamChunkPass } from './http-passes.ts';
import { PostLLMPass, PreLLMPass, PreRequestPass } from './llm-passes.ts';
import { checkedStream } from './plugin-stream.ts';
import type { Entries, RunOwner } from './sorted-chains.ts';
import { RequestContext } from './request-context.ts';
import type { ContextOwner } from './request-context.ts';
import { needsOf } from './sorted-chains.ts';
import { isThenable, settleWithin } from './settle-within.ts';
import { walkEvent } from './stream-event-walk.ts';

const maxFailuresOnTrace = 20;

export class ChainRun implements PluginRun, ContextOwner {
  facts: RequestFacts;
  readonly requestSignal: AbortSignal;
  readonly areInputsFrozen: boolean;
  values: Map<string, Json> | null = null;
  attributes: Map<string, Json> | null = null;
  routingNotes: RoutingNote[] | null = null;
  /** Set when a guard failed where the result of the phase cannot say so: in `responseHeaders` and `httpPost`. */
  denial: ErrorInfo | undefined = undefined;
  failures: PluginFailure[] | null = null;

  readonly #owner: RunOwner;
  readonly #contexts: (RequestContext | undefined)[] = [];
  /** 1 at the request-test index of each entry that does not match this request; null when all do. */
  readonly #rejected: Uint8Array | null;
  #skipped: Set<PluginSlot> | null = null;
  #httpReached = Number.POSITIVE_INFINITY;
  #llmReached = Number.POSITIVE_INFINITY;
  #didPreAuth = false;
  #needs: PluginChains['needs'] | undefined;
  #isFinished = false;

  constructor(owner: RunOwner, facts: RequestFacts, signal: AbortSignal, rejected: Uint8Array | null) {
    this.#owner = owner;
    this.facts = Object.freeze({ ...facts });
    this.requestSignal = signal;
    this.areInputsFrozen = owner.areInputsFrozen;
    this.#rejected = rejected;
  }

  get needs(): PluginChains['needs'] {
    if (this.#rejected === null) return this.#owner.needs;
    return (this.#needs ??= needsOf(this.#owner.chains, (entry) => this.#isMatch(entry)));
  }

  update(facts: Partial<RequestFacts>): void {
    this.facts = Object.freeze({ ...this.facts, ...facts });
  }

  httpPreAuth(request: HttpRequest): HttpPreOutcome | undefined | Promise<HttpPreOutcome | undefined> {
    this.#didPreAuth = true;
    return this.#httpForward(this.#owner.chains.httpPreAuth, request);
  }

  httpPre(request: HttpRequest): HttpPreOutcome | undefined | Promise<HttpPreOutcome | undefined> {
    const { chains } = this.#owner;
    return this.#httpForward(this.#didPreAuth ? chains.httpPre : chains.httpPreBoth, request);
  }

  preRequest(request: LLMRequest): PreRequestOutcome | undefined | Promise<PreRequestOutcome | undefined> {
    const entries = this.#owner.chains.preRequest;
    if (entries === null) return undefined;
    const pass = new PreRequestPass(request);
    const stopped = this.#walk(entries, pass, 0, 0);
    return typeof stopped === 'number' ? pass.outcome() : stopped.then(() => pass.outcome());
  }

  preLLM(request: LLMRequest): PreLLMOutcome | undefined | Promise<PreLLMOutcome | undefined> {
    const entries = this.#owner.chains.preLLM;
    this.#llmReached = Number.POSITIVE_INFINITY;
    if (entries === null) return undefined;
    const pass = new PreLLMPass(request, (entry, stream) =>
      checkedStream(stream, (thrown) => this.#failStream(entry, thrown)),
    );
    const stopped = this.#walk(entries, pass, 0, 0);
    if (typeof stopped === 'number') return this.#endPreLLM(entries, pass, stopped);
    return stopped.then((index) => this.#endPreLLM(entries, pass, index));
  }

  postLLM(outcome: LLMOutcome): PostLLMOutcome | undefined | Promise<PostLLMOutcome | undefined> {
    const entries = this.#owner.chains.postLLM;
    if (entries === null) return undefined;
    const pass = new PostLLMPass(outcome);
    const stopped = this.#walk(entries, pass, this.#llmReached, 0);
    return typeof stopped === 'number' ? pass.outcome() : stopped.then(() => pass.outcome());
  }

  streamEvent(event: StreamEvent): readonly StreamEvent[] | Promise<readonly StreamEvent[]> {
    if (this.denial !== undefined) return [{ type: 'error', error: this.denial }];
    const entries = this.#owner.chains.streamEvent;
    if (entries === null) return [event];
    return walkEvent(event, 0, {
      count: entries.length,
      walk: (pass, from) => this.#walk(entries, pass, this.#llmReached, from),
    });
  }

  responseHeaders(head: HttpResponseHead): HeaderChanges | undefined | Promise<HeaderChanges | undefined> {
    const entries = this.#owner.chains.responseHeaders;
    if (entries === null) return undefined;
    const pass = new ResponseHeadersPass(head);
    const stopped = this.#walk(entries, pass, this.#httpReached, 0);
    return typeof stopped === 'number' ? pass.outcome() : stopped.then(() => pass.outcome());
  }

  streamChunk(
    chunk: StreamChunk,
  ): StreamChunk | null | { readonly error: ErrorInfo } | Promise<StreamChunk | null | { readonly error: ErrorInfo }> {
    if (this.denial !== undefined) return { error: this.denial };
    const entries = this.#owner.chains.streamChunk;
    if (entries === null) return chunk;
    const pass = new StreamChunkPass(chunk);
    const stopped = this.#walk(entries, pass, this.#httpReached, 0);
    return typeof stopped === 'number' ? pass.outcome() : stopped.then(() => pass.outcome());
  }

  httpPost(response: HttpResponse): HttpPostResult | undefined | Promise<HttpPostResult | undefined> {
    if (this.denial !== undefined) return deniedResponse(this.denial);
    const entries = this.#owner.chains.httpPost;
    if (entries === null) return undefined;
    const pass = new HttpPostPass(response);
    const stopped = this.#walk(entries, pass, this.#httpReached, 0);
    return typeof stopped === 'number' ? pass.outcome() : stopped.then(() => pass.outcome());
  }

  finish(trace: RequestTrace): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    const { failures, attributes, routingNotes } = this;
    if (failures === null && attributes === null && routingNotes === null) {
      this.#owner.finish(this, trace);
      return;
    }
    this.#owner.finish(this, {
      ...trace,
      ...(failures === null ? {} : { pluginFailures: failures }),
      ...(attributes === null ? {} : { attributes: Object.fromEntries(attributes) }),
      ...(routingNotes === null ? {} : { routingNotes }),
    });
  }

  /** The context in which the plugin's `inject` runs. */
  backgroundContext(slot: PluginSlot): RequestContext {
    return this.#contextOf(slot).background();
  }

  /** Tells the plugins of `slots` that took part in the request that it is over. */
  release(slots: readonly PluginSlot[]): void {
    for (const { index, instance } of slots) {
      if (this.#contexts[index] !== undefined) instance.onRequestEnd?.(this);
    }
  }

  /** Whether the hook is to be called for this request; `target` is provider and model where they are known. */
  isDue(entry: HookEntry, pass: HookPass | null, reached: number): boolean {
    if (entry.rank > reached || !this.#isMatch(entry)) return false;
    if (entry.filter.target !== null && !entry.filter.target(pass?.target ?? this.facts)) return false;
    return this.#skipped === null || !this.#skipped.has(entry.slot);
  }

  /** Counts, logs and remembers a failed call. */
  recordFailure(entry: HookEntry, kind: PluginFailure['kind'], message: string): void {
    if (kind === 'timeout') entry.figures.timeouts += 1;
    else entry.figures.errors += 1;
    const failure: PluginFailure = { plugin: entry.slot.instance.name, hook: entry.hook, kind, message };
    logFailure(entry, failure, this.facts.requestId);
    countTowardsDisabling(entry);
    this.failures ??= [];
    if (this.failures.length < maxFailuresOnTrace) this.failures.push(failure);
  }

  #httpForward(
    entries: Entries,
    request: HttpRequest,
  ): HttpPreOutcome | undefined | Promise<HttpPreOutcome | undefined> {
    if (entries === null) return undefined;
    const pass = new HttpPrePass(request);
    const stopped = this.#walk(entries, pass, 0, 0);
    if (typeof stopped === 'number') return this.#endHttpPre(entries, pass, stopped);
    return stopped.then((index) => this.#endHttpPre(entries, pass, index));
  }

  #endHttpPre(entries: readonly HookEntry[], pass: HttpPrePass, stopped: number): HttpPreOutcome | undefined {
    const last = entries[stopped];
    if (last !== undefined) this.#httpReached = last.slot.httpRank;
    return pass.outcome();
  }

  #endPreLLM(entries: readonly HookEntry[], pass: PreLLMPass, stopped: number): PreLLMOutcome | undefined {
    const last = entries[stopped];
    if (last !== undefined) this.#llmReached = last.slot.llmRank;
    return pass.outcome();
  }

  #contextOf(slot: PluginSlot): RequestContext {
    return (this.#contexts[slot.index] ??= new RequestContext(this, slot.instance));
  }

  /** Whether the entry's filter matches what the request had from its start. */
  #isMatch(entry: HookEntry): boolean {
    return this.#rejected === null || entry.requestTestIndex < 0 || this.#rejected[entry.requestTestIndex] !== 1;
  }

  /** Calls the hooks from `from` on. Returns the index at which the pass was stopped, -1 when all hooks ran. */
  #walk(entries: readonly HookEntry[], pass: HookPass, reached: number, from: number): number | Promise<number> {
    for (let index = from; index < entries.length; index += 1) {
      const entry = entries[index];
      if (entry === undefined || !this.isDue(entry, pass, reached)) continue;
      const { slot } = entry;
      if (slot.isDisabled) {
        if (this.#isPassable(entry, pass)) continue;
        return index;
      }
      const input = pass.input(entry);
      if (this.areInputsFrozen) deepFreeze(input);
      const context = this.#contextOf(slot);
      const scope = slot.instance.asyncScope;
      const startedAt = performance.now();
      let returned: unknown;
      try {
        returned =
          scope === undefined
            ? entry.handler.call(entry.self, context, input)
            : scope.runInAsyncScope(entry.handler, entry.self, context, input);
        if (returned !== undefined && isThenable(returned)) {
          return this.#walkAsync(entries, pass, { reached, index, promise: returned, startedAt });
        }
      } catch (thrown) {
        entry.figures.record(performance.now() - startedAt);
        if (this.#fail(entry, pass, 'threw', messageOf(thrown))) return index;
        continue;
      }
      entry.figures.record(performance.now() - startedAt);
      if (returned === undefined) entry.failuresInARow = 0;
      else if (this.#accept(entry, pass, returned)) return index;
    }
    return -1;
  }

  async #walkAsync(
    entries: readonly HookEntry[],
    pass: HookPass,
    at: {
      readonly reached: number;
      readonly index: number;
      readonly promise: PromiseLike<unknown>;
      readonly startedAt: number;
    },
  ): Promise<number> {
    const entry = entries[at.index];
    if (entry === undefined) return -1;
    const settled = await settleWithin(at.promise, entry.timeoutMs);
    entry.figures.record(performance.now() - at.startedAt);
    let isStopped = false;
    if (settled.kind === 'timeout') {
      const message = `did not settle within ${entry.timeoutMs} ms`;
      this.#contexts[entry.slot.index] = this.#contextOf(entry.slot).expire(new Error(`${entry.hook} ${message}`));
      isStopped = this.#fail(entry, pass, 'timeout', message);
    } else if (settled.kind === 'threw') isStopped = this.#fail(entry, pass, 'threw', messageOf(settled.thrown));
    else if (settled.value === undefined) entry.failuresInARow = 0;
    else isStopped = this.#accept(entry, pass, settled.value);
    return isStopped ? at.index : this.#walk(entries, pass, at.reached, at.index + 1);
  }

  /** Applies a result; true ends the pass. */
  #accept(entry: HookEntry, pass: HookPass, returned: unknown): boolean {
    try {
      const isStopped = pass.accept(entry, returned);
      entry.failuresInARow = 0;
      return isStopped;
    } catch (thrown) {
      // Anything else was thrown by the returned object itself: a getter, a proxy, an iterator.
      const message =
        thrown instanceof HookResultError ? thrown.message : `a member cannot be read: ${messageOf(thrown)}`;
      return this.#fail(entry, pass, 'invalid-result', `returned a wrong value: ${message}`);
    }
  }

  /** Follows the policy of a failed hook; true ends the pass. */
  #fail(entry: HookEntry, pass: HookPass, kind: PluginFailure['kind'], message: string): boolean {
    this.recordFailure(entry, kind, message);
    if (entry.policy === 'skip') (this.#skipped ??= new Set()).add(entry.slot);
    if (entry.policy !== 'deny') return false;
    this.#deny(entry, pass);
    return true;
  }

  /** A disabled plugin is passed over, unless it is a guard. */
  #isPassable(entry: HookEntry, pass: HookPass): boolean {
    if (!entry.slot.instance.isGuard) return true;
    this.#deny(entry, pass);
    return false;
  }

  #deny(entry: HookEntry, pass: HookPass): void {
    const error = denialOf(entry, this.facts.requestId);
    pass.deny(error);
    if (entry.hook === 'httpTransportResponseHeadersHook' || entry.hook === 'httpTransportPostHook') {
      this.denial = error;
    }
  }

  #failStream(entry: HookEntry, thrown: unknown): ErrorInfo {
    const message = thrown instanceof HookResultError ? thrown.message : messageOf(thrown);
    this.recordFailure(entry, 'threw', `its stream failed: ${message}`);
    const { name } = entry.slot.instance;
    return {
      statusCode: 500,
      code: 'BF_PLUGIN_STREAM_FAILED',
      type: 'plugin_error',
      message: `The stream that plugin "${name}" answered with broke off.`,
      origin: 'plugin',
    };
  }
}
