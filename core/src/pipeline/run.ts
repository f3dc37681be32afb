import type {
  AttemptTrace,
  ConversationRequest,
  ConversationResponse,
  ErrorInfo,
  RequestFacts,
  RequestHead,
  Usage,
} from '@bifrost/sdk';
import type { StoredBody } from '../body/stored-body.ts';
import type { DialectCodec } from '../dialects/codec.ts';
import type { TopLevel } from '../json/peek.ts';
import type { PluginChains, PluginRun } from '../plugins/chain.ts';
import type { EngineServices } from './engine.ts';
import type { KeyPin } from '../reliability/key-selection.ts';
import { ClientWriter } from './client-writer.ts';
import type { Drained } from './drain.ts';
import type { Target } from './resolve-model.ts';
import type { InboundRequest, ResponseSink } from './seam.ts';
import type { SnapshotRuntime } from './snapshot-runtime.ts';

export type Lane = 'identical' | 'spliced' | 'translated' | 'none';

/** Something that is under way for a request and is given up when its client goes. */
export interface Cancelable {
  cancel(): void;
}

const noNeeds: PluginChains['needs'] = Object.freeze({});
const noBytes = Buffer.alloc(0);
const noAttempts: readonly AttemptTrace[] = [];
const doNothing = (): void => undefined;

/** Everything one request gathers on its way through the stages. Attempts read it and derive their own; none changes the request. */
export class RequestRun {
  readonly services: EngineServices;
  readonly snapshot: SnapshotRuntime;
  readonly request: InboundRequest;
  readonly sink: ResponseSink;
  readonly writer: ClientWriter;
  /** Milliseconds since 1970 at arrival. */
  readonly startedAtEpoch: number;

  /** The caller's headers, with the changes of plugins. */
  headers: InboundRequest['headers'];
  /** The caller's body where it is stored: not replaced by a plugin, and not asked for as a whole so far. */
  stored: StoredBody | null;
  #body: Buffer;
  top: TopLevel | undefined;
  /** `top` is of the body as it is now. */
  isPeeked = false;
  /** The model as the caller (or a plugin) named it, provider prefix included. */
  modelText = '';
  /** The model as the body says it; undefined where it does not. */
  bodyModel: string | undefined;
  isStream = false;
  fallbacks: readonly string[] = [];
  /** The decoded request, made only for who reads it; `isConversationChanged`: a plugin replaced it. */
  conversation: ConversationRequest | undefined;
  /** The body holds values that the gateway wrapped; undefined until somebody asks (`holdsWrappedValues`). */
  hasWrappedValues: boolean | undefined;
  isConversationChanged = false;
  /** What a request of the Responses API continues (`continuedNames`); undefined until somebody asks. */
  continued: readonly string[] | undefined;

  plugins: PluginRun | null = null;
  primary: Target | undefined;
  target: Target | undefined;
  fallbackIndex = 0;
  keyName: string | undefined;
  lane: Lane = 'none';
  /** `performance.now()` after which the request has had its time; 0 = never. */
  deadlineAt = 0;

  statusCode = 0;
  /** How many of the losses of a translation the head of the answer has listed. */
  lossesInHead = 0;
  usage: Usage | undefined;
  /** The body has numbers that a double cannot hold: they are written in their own digits. */
  hasRounded = false;
  /** A stream's accumulated answer, where a plugin reads it. */
  response: ConversationResponse | undefined;
  error: ErrorInfo | undefined;
  firstContentAt: number | undefined;
  /** The attempt's post hooks have run: none hears twice of one attempt. */
  isOutcomeTold = false;
  attempts: readonly AttemptTrace[] = noAttempts;

  /** Where the time went: waiting for a place, attempts that failed with the pauses behind them, the attempt that counts. */
  queuedMs = 0;
  retriedMs = 0;
  upstreamMs = 0;
  /** What plugins took within `retriedMs`. */
  retriedPluginMs = 0;
  /** The same, as the head of the answer says it. */
  timing = '';
  /** What plugins had taken by then. */
  timedPluginMs = 0;
  /** `performance.now()` at the start of the last attempt (0: none yet), and what plugins had taken by then. */
  #attemptAt = 0;
  #pluginMsAtAttempt = 0;

  /** True once the client has gone. */
  isCanceled = false;
  /** `performance.now()` when it went. */
  canceledAt = 0;
  /** What was read of the answer after that. */
  drained: Drained | undefined;
  /** What to give up when the client goes: the wait or the attempt under way. */
  waitingFor: Cancelable | null = null;
  /** Called once, when the answer is out and recorded. The engine's own for all requests: no closure is made for each. */
  onEnd: (run: RequestRun) => void = doNothing;
  /** Tells whoever waits for the engine that the request is over. */
  resolve: () => void = doNothing;
  #facts: RequestFacts | undefined;
  #factsTarget: Target | undefined;
  #abort: AbortController | undefined;

  constructor(services: EngineServices, snapshot: SnapshotRuntime, request: InboundRequest, sink: ResponseSink) {
    this.services = services;
    this.snapshot = snapshot;
    this.request = request;
    this.sink = sink;
    this.headers = request.headers;
    const { body } = request;
    if (Buffer.isBuffer(body)) {
      this.#body = body;
      this.stored = null;
    } else {
      this.#body = noBytes;
      this.stored = body;
    }
    this.writer = new ClientWriter(this);
    this.startedAtEpoch = services.now();
  }

  /**
   * The caller's body, or a plugin's in its place. A stored one is read into memory for whoever asks, and stays there: ask only for
   * what cannot be had from `stored`. Throws GatewayError where there is no room for it.
   */
  get body(): Buffer {
    if (this.stored !== null) {
      this.#body = this.stored.whole();
      this.stored = null;
    }
    return this.#body;
  }

  /** Takes the place of the caller's body. */
  replaceBody(body: Buffer): void {
    this.#body = body;
    this.stored = null;
    this.isPeeked = false;
  }

  /** The codec of the dialect that the client speaks. */
  get clientCodec(): DialectCodec {
    return this.services.codecOf(this.request.route.dialect);
  }

  /** What the plugins read whose filters match this request; empty where none does. What nobody reads is neither decoded nor held. */
  get needs(): PluginChains['needs'] {
    if (this.plugins === null) return noNeeds;
    return this.plugins.needs ?? this.snapshot.plugins?.needs ?? noNeeds;
  }

  /** Bifrost's request type, with the stream suffix. */
  get requestType(): string {
    return this.isStream ? `${this.request.route.requestType}_stream` : this.request.route.requestType;
  }

  /**
   * Aborted when the client goes away. Made when a plugin first asks for it: an `AbortController` costs more than a hook, and few
   * hooks look at theirs.
   */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController();
      this.#abort = abort;
      if (this.sink.isClosed && !this.writer.isEnded) abort.abort();
      else if (!this.writer.isEnded) this.sink.onClose(() => abort.abort());
    }
    return this.#abort.signal;
  }

  /** The client has gone: whatever is under way for it ends now. */
  cancel(): void {
    if (this.isCanceled) return;
    this.isCanceled = true;
    this.canceledAt = performance.now();
    this.waitingFor?.cancel();
  }

  /** Another attempt begins: all since the last one was in vain. */
  noteAttemptStart(now: number): void {
    const pluginMs = this.plugins?.spentMs ?? 0;
    if (this.#attemptAt !== 0) {
      this.retriedMs += now - this.#attemptAt;
      this.retriedPluginMs += pluginMs - this.#pluginMsAtAttempt;
      this.upstreamMs = 0;
    }
    this.#attemptAt = now;
    this.#pluginMsAtAttempt = pluginMs;
  }

  /** The answer was read on after the client had gone. */
  noteDrained(drained: Drained): void {
    this.drained = drained;
    if (drained.usage !== undefined) this.usage = drained.usage;
  }

  /** Has waited for a place in a provider's queue. */
  noteWait(waitedMs: number): void {
    this.queuedMs += waitedMs;
    if (this.#attemptAt !== 0) this.#attemptAt += waitedMs;
  }

  /** The first value of one of the caller's headers. */
  header(name: string): string | undefined {
    const value = this.headers[name];
    return typeof value === 'string' ? value : value?.[0];
  }

  /** The stored key that the caller pins, if any. */
  keyPin(): KeyPin | undefined {
    const id = this.header('x-bf-api-key-id');
    if (id !== undefined) return { id };
    const name = this.header('x-bf-api-key');
    return name === undefined ? undefined : { name };
  }

  /** What plugins see of the request without its messages. */
  head(): RequestHead {
    const { target, isStream, fallbacks } = this;
    if (target === undefined) return { model: this.modelText, isStream, fallbacks };
    return { model: target.model, isStream, fallbacks, provider: target.runtime.name };
  }

  /**
   * What plugins see of the request and cannot change: frozen when one looks at it, which most never do. The same object until
   * something of it changes; then another one.
   */
  facts(): RequestFacts {
    const { target, isStream, fallbackIndex } = this;
    let facts = this.#facts;
    if (facts !== undefined && this.#factsTarget === target && facts.isStream === isStream) {
      if (target === undefined || facts.fallbackIndex === fallbackIndex) return facts;
    }
    const { requestId, method, path } = this.request;
    const { requestType } = this;
    facts =
      target === undefined
        ? { requestId, requestType, method, path, isStream }
        : {
            requestId,
            requestType,
            method,
            path,
            isStream,
            provider: target.runtime.name,
            model: target.model,
            fallbackIndex,
          };
    this.#facts = facts;
    this.#factsTarget = target;
    return facts;
  }
}
