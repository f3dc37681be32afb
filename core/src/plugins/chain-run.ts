/** One request's way through the chains: the phases, each a walk of one value through the hooks of one kind. */
import type {
  ErrorInfo,
  HeaderChanges,
  HttpPostResult,
  HttpRequest,
  HttpResponse,
  HttpResponseHead,
  LLMOutcome,
  LLMRequest,
  MCPConnectOutcome,
  MCPConnectRequest,
  MCPOutcome,
  MCPRequest,
  RequestFacts,
  RequestTrace,
  StreamChunk,
  StreamEvent,
} from '@bifrost/sdk';
import type {
  HttpPreOutcome,
  OpenStreamOptions,
  PluginChains,
  PluginRun,
  PostLLMOutcome,
  PostMCPOutcome,
  PreLLMOutcome,
  PreMCPConnectionOutcome,
  PreMCPOutcome,
  PreRequestOutcome,
  StreamHookRun,
} from './chain.ts';
import { HookResultError } from './check-value.ts';
import { messageOf } from './hook-failure.ts';
import type { HookEntry } from './hook-entry.ts';
import { HookWalker } from './hook-walker.ts';
import { deniedResponse, HttpPostPass, HttpPrePass, ResponseHeadersPass, StreamChunkPass } from './http-passes.ts';
import { andThen } from './maybe-promise.ts';
import type { MaybePromise } from './maybe-promise.ts';
import { PostMCPConnectionPass, PostMCPPass, PreMCPConnectionPass, PreMCPPass } from './mcp-passes.ts';
import { PostLLMPass, PreLLMPass, PreRequestPass } from './llm-passes.ts';
import { checkedStream } from './plugin-stream.ts';
import type { Entries } from './sorted-chains.ts';
import { needsOf } from './sorted-chains.ts';
import { StreamEventPass } from './stream-event-pass.ts';
import { StreamHooks } from './stream-hooks.ts';
import { StreamStage } from './stream-stage.ts';
import type { StageAnswer } from './stream-stage.ts';

function isWhole(facts: Partial<RequestFacts>): facts is RequestFacts {
  return facts.requestId !== undefined;
}

export class ChainRun extends HookWalker implements PluginRun {
  #httpReached = Number.POSITIVE_INFINITY;
  #llmReached = Number.POSITIVE_INFINITY;
  #mcpReached = Number.POSITIVE_INFINITY;
  #connectionReached = Number.POSITIVE_INFINITY;
  #didPreAuth = false;
  #needs: PluginChains['needs'] | undefined;
  #isFinished = false;

  get needs(): PluginChains['needs'] {
    return (this.#needs ??= this.plannedNeeds ?? needsOf(this.chains, (entry) => this.isMatch(entry)));
  }

  update(facts: Partial<RequestFacts>): void {
    // The engine hands over whole facts, and the same ones until they change.
    if (facts !== this.facts) this.facts = isWhole(facts) ? facts : { ...this.facts, ...facts };
    // The provider is known from the first attempt on, and stated anew for each.
    if (this.observer !== null && facts.provider !== undefined) this.observer.attemptBegins?.();
  }

  httpPreAuth(request: HttpRequest): HttpPreOutcome | undefined | Promise<HttpPreOutcome | undefined> {
    this.#didPreAuth = true;
    return this.#httpForward(this.chains.httpPreAuth, request);
  }

  httpPre(request: HttpRequest): HttpPreOutcome | undefined | Promise<HttpPreOutcome | undefined> {
    const { chains } = this;
    return this.#httpForward(this.#didPreAuth ? chains.httpPre : chains.httpPreBoth, request);
  }

  preRequest(request: LLMRequest): PreRequestOutcome | undefined | Promise<PreRequestOutcome | undefined> {
    const entries = this.chains.preRequest;
    if (entries === null) return undefined;
    const pass = new PreRequestPass(request);
    const stopped = this.walk(entries, pass, 0, 0);
    return typeof stopped === 'number' ? pass.outcome() : stopped.then(() => pass.outcome());
  }

  preLLM(request: LLMRequest): PreLLMOutcome | undefined | Promise<PreLLMOutcome | undefined> {
    const entries = this.chains.preLLM;
    this.#llmReached = Number.POSITIVE_INFINITY;
    if (entries === null) return undefined;
    const pass = new PreLLMPass(request, (entry, stream) =>
      checkedStream(stream, (thrown) => this.#failStream(entry, thrown)),
    );
    const stopped = this.walk(entries, pass, 0, 0);
    if (typeof stopped === 'number') return this.#endPreLLM(entries, pass, stopped);
    return stopped.then((index) => this.#endPreLLM(entries, pass, index));
  }

  postLLM(outcome: LLMOutcome): PostLLMOutcome | undefined | Promise<PostLLMOutcome | undefined> {
    const entries = this.chains.postLLM;
    if (entries === null) return undefined;
    const pass = new PostLLMPass(outcome);
    const stopped = this.walk(entries, pass, this.#llmReached, 0);
    return typeof stopped === 'number' ? pass.outcome() : stopped.then(() => pass.outcome());
  }

  openStream(options: OpenStreamOptions): StreamHookRun | null {
    const stages = (this.chains.streamEvent ?? [])
      .filter((entry) => this.isWanted(entry, null, this.#llmReached))
      .map((entry) => {
        const entries = [entry];
        const call = (event: StreamEvent): MaybePromise<StageAnswer> => {
          if (this.denial !== undefined) return { denial: this.denial };
          const pass = new StreamEventPass(event, options);
          const stopped = this.walk(entries, pass, this.#llmReached, 0);
          return typeof stopped === 'number' ? pass : stopped.then(() => pass);
        };
        return new StreamStage({ entry, call, overflow: (message) => this.failOutsideCall(entry, message) });
      });
    if (stages.length === 0 && this.denial === undefined) return null;
    return new StreamHooks(stages, { onDue: () => options.onDue(), denial: this.denial });
  }

  responseHeaders(head: HttpResponseHead): HeaderChanges | undefined | Promise<HeaderChanges | undefined> {
    const entries = this.chains.responseHeaders;
    if (entries === null) return undefined;
    const pass = new ResponseHeadersPass(head);
    const stopped = this.walk(entries, pass, this.#httpReached, 0);
    return typeof stopped === 'number' ? pass.outcome() : stopped.then(() => pass.outcome());
  }

  streamChunk(
    chunk: StreamChunk,
  ): StreamChunk | null | { readonly error: ErrorInfo } | Promise<StreamChunk | null | { readonly error: ErrorInfo }> {
    if (this.denial !== undefined) return { error: this.denial };
    const entries = this.chains.streamChunk;
    if (entries === null) return chunk;
    const pass = new StreamChunkPass(chunk);
    const stopped = this.walk(entries, pass, this.#httpReached, 0);
    return typeof stopped === 'number' ? pass.outcome() : stopped.then(() => pass.outcome());
  }

  httpPost(response: HttpResponse): HttpPostResult | undefined | Promise<HttpPostResult | undefined> {
    if (this.denial !== undefined) return deniedResponse(this.denial);
    const entries = this.chains.httpPost;
    if (entries === null) return undefined;
    const pass = new HttpPostPass(response);
    const stopped = this.walk(entries, pass, this.#httpReached, 0);
    return typeof stopped === 'number' ? pass.outcome() : stopped.then(() => pass.outcome());
  }

  preMCP(request: MCPRequest): MaybePromise<PreMCPOutcome | undefined> {
    const entries = this.chains.preMCP;
    this.#mcpReached = Number.POSITIVE_INFINITY;
    if (entries === null) return undefined;
    const pass = new PreMCPPass(request);
    return andThen(this.walk(entries, pass, 0, 0), (stopped) => {
      this.#mcpReached = entries[stopped]?.slot.ranks.mcp ?? this.#mcpReached;
      return pass.outcome();
    });
  }

  postMCP(outcome: MCPOutcome): MaybePromise<PostMCPOutcome | undefined> {
    const entries = this.chains.postMCP;
    if (entries === null) return undefined;
    const pass = new PostMCPPass(outcome);
    return andThen(this.walk(entries, pass, this.#mcpReached, 0), () => pass.outcome());
  }

  preMCPConnection(request: MCPConnectRequest): MaybePromise<PreMCPConnectionOutcome | undefined> {
    const entries = this.chains.preMCPConnection;
    this.#connectionReached = Number.POSITIVE_INFINITY;
    if (entries === null) return undefined;
    const pass = new PreMCPConnectionPass(request);
    return andThen(this.walk(entries, pass, 0, 0), (stopped) => {
      this.#connectionReached = entries[stopped]?.slot.ranks.mcpConnection ?? this.#connectionReached;
      return pass.outcome();
    });
  }

  postMCPConnection(outcome: MCPConnectOutcome): MaybePromise<ErrorInfo | undefined> {
    const entries = this.chains.postMCPConnection;
    if (entries === null) return undefined;
    const pass = new PostMCPConnectionPass(outcome);
    return andThen(this.walk(entries, pass, this.#connectionReached, 0), () => pass.denial);
  }

  finish(trace: RequestTrace): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    if (trace.timeToFirstContentMs !== undefined) this.noteContentOut();
    if (this.observer !== null) this.observer.requestEnds?.();
    this.owner.finish(this, this.complete(trace));
  }

  complete(trace: RequestTrace): RequestTrace {
    const { failures, attributes, routingNotes } = this;
    const explanation = this.explanation?.result();
    if (failures === null && attributes === null && routingNotes === null && explanation === undefined) return trace;
    return {
      ...trace,
      ...(failures === null ? {} : { pluginFailures: failures }),
      ...(attributes === null ? {} : { attributes: Object.fromEntries(attributes) }),
      ...(routingNotes === null ? {} : { routingNotes }),
      ...(explanation === undefined ? {} : { explanation }),
    };
  }

  #httpForward(
    entries: Entries,
    request: HttpRequest,
  ): HttpPreOutcome | undefined | Promise<HttpPreOutcome | undefined> {
    if (entries === null) return undefined;
    const pass = new HttpPrePass(request);
    const stopped = this.walk(entries, pass, 0, 0);
    if (typeof stopped === 'number') return this.#endHttpPre(entries, pass, stopped);
    return stopped.then((index) => this.#endHttpPre(entries, pass, index));
  }

  #endHttpPre(entries: readonly HookEntry[], pass: HttpPrePass, stopped: number): HttpPreOutcome | undefined {
    const last = entries[stopped];
    if (last !== undefined) this.#httpReached = last.slot.ranks.http;
    return pass.outcome();
  }

  #endPreLLM(entries: readonly HookEntry[], pass: PreLLMPass, stopped: number): PreLLMOutcome | undefined {
    const last = entries[stopped];
    if (last !== undefined) this.#llmReached = last.slot.ranks.llm;
    return pass.outcome();
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
