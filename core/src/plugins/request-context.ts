/** The `ctx` of one plugin in one request. Getters make what few hooks use only when it is used. */
import { costOf, deepFreeze, PluginError } from '@bifrost/sdk';
import type {
  HookContext,
  Json,
  JsonObject,
  ModelInfo,
  PluginLog,
  RequestFacts,
  RoutingNote,
  SharedState,
  Usage,
} from '@bifrost/sdk';
import { assertJson, HookResultError } from './check-value.ts';
import type { LogLevel, PluginInstance } from './instance.ts';

/** What the contexts of one request share. */
export interface ContextOwner {
  readonly facts: RequestFacts;
  readonly requestSignal: AbortSignal;
  readonly areInputsFrozen: boolean;
  /** Values of all plugins by `plugin/key`; null until the first is set. */
  values: Map<string, Json> | null;
  /** Trace attributes by `plugin/key`, and routing notes; null until the first. */
  attributes: Map<string, Json> | null;
  routingNotes: RoutingNote[] | null;
}

/** Of one request, over all plugins: a plugin that adds one for each chunk must not grow the trace without end. */
const maxTraceItems = 128;

class RequestLog implements PluginLog {
  readonly #instance: PluginInstance;
  readonly #requestId: string;
  constructor(instance: PluginInstance, requestId: string) {
    this.#instance = instance;
    this.#requestId = requestId;
  }
  debug(message: string, fields?: JsonObject): void {
    this.#write('debug', message, fields);
  }
  info(message: string, fields?: JsonObject): void {
    this.#write('info', message, fields);
  }
  warn(message: string, fields?: JsonObject): void {
    this.#write('warn', message, fields);
  }
  error(message: string, fields?: JsonObject): void {
    this.#write('error', message, fields);
  }
  #write(level: LogLevel, message: string, fields: JsonObject | undefined): void {
    this.#instance.log(level, String(message), {
      ...fields,
      plugin: this.#instance.name,
      requestId: this.#requestId,
    });
  }
}

/**
 * The request that a context belongs to, the same for all contexts of it. For hooks that pass a call on to another realm; not a
 * member, as plugins must not reach what the contexts share.
 */
export let requestOf: (context: RequestContext) => ContextOwner;

export class RequestContext implements HookContext<unknown> {
  static {
    requestOf = (context) => context.#owner;
  }

  readonly #owner: ContextOwner;
  readonly #instance: PluginInstance;
  /** The facts that the plugin has been shown, and that are frozen since. */
  #shownFacts: RequestFacts | undefined;
  #log: RequestLog | undefined;
  #state: Map<string, Json> | undefined;
  #controller: AbortController | undefined;
  #isExpired = false;
  readonly #isBackground: boolean;
  /** Time that this request has spent in the plugin's hooks before its first content left, in milliseconds. */
  spentMs = 0;

  constructor(owner: ContextOwner, instance: PluginInstance, isBackground = false) {
    this.#owner = owner;
    this.#instance = instance;
    this.#isBackground = isBackground;
  }

  get facts(): RequestFacts {
    const { facts } = this.#owner;
    if (facts !== this.#shownFacts) this.#shownFacts = Object.freeze(facts);
    return facts;
  }

  get config(): unknown {
    return this.#instance.config;
  }

  get log(): PluginLog {
    return (this.#log ??= new RequestLog(this.#instance, this.#owner.facts.requestId));
  }

  get state(): Map<string, Json> {
    return (this.#state ??= new Map());
  }

  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal;
    const controller = new AbortController();
    this.#controller = controller;
    const { requestSignal } = this.#owner;
    if (this.#isExpired) controller.abort();
    else if (!this.#isBackground) {
      if (requestSignal.aborted) controller.abort(requestSignal.reason);
      else requestSignal.addEventListener('abort', () => controller.abort(requestSignal.reason), { once: true });
    }
    return controller.signal;
  }

  getValue(key: string): Json | undefined {
    const { values } = this.#owner;
    if (values === null) return undefined;
    return values.get(key.includes('/') ? key : `${this.#instance.name}/${key}`);
  }

  setValue(key: string, value: Json): void {
    if (this.#isExpired) return;
    const { name } = this.#instance;
    const slash = key.indexOf('/');
    if (slash !== -1 && key.slice(0, slash) !== name) {
      throw new PluginError(
        name,
        `setValue("${key.slice(0, 80)}"): a plugin writes only its own values; leave the "/" out, or begin with "${name}/"`,
        { code: 'BF_PLUGIN_VALUE_KEY' },
      );
    }
    this.#assertJson('setValue', key, value);
    this.#owner.values ??= new Map();
    this.#owner.values.set(
      slash === -1 ? `${name}/${key}` : key,
      this.#owner.areInputsFrozen ? deepFreeze(value) : value,
    );
  }

  get shared(): SharedState {
    return this.#instance.shared;
  }

  getModelInfo(provider = this.#owner.facts.provider, model = this.#owner.facts.model): ModelInfo | undefined {
    if (provider === undefined || model === undefined) return undefined;
    return this.#instance.getModelInfo?.(provider, model);
  }

  calculateCost(usage: Usage): number | undefined {
    const prices = this.getModelInfo()?.prices;
    return prices === undefined ? undefined : costOf(usage, prices);
  }

  setTraceAttribute(key: string, value: Json): void {
    if (this.#isExpired) return;
    this.#assertJson('setTraceAttribute', key, value);
    const attributes = (this.#owner.attributes ??= new Map());
    const name = `${this.#instance.name}/${key}`;
    if (attributes.size < maxTraceItems || attributes.has(name)) attributes.set(name, value);
  }

  addRoutingNote(message: string): void {
    if (this.#isExpired) return;
    const notes = (this.#owner.routingNotes ??= []);
    if (notes.length < maxTraceItems) notes.push({ plugin: this.#instance.name, message: String(message) });
  }

  /** Others are shown what is set here: what cannot be written as JSON would be their failure, in another thread or process. */
  #assertJson(call: string, key: string, value: unknown): void {
    try {
      if (value !== undefined) assertJson(value, 'the value');
    } catch (error) {
      if (!(error instanceof HookResultError)) throw error;
      const message = `${call}("${key.slice(0, 80)}"): ${error.message.replaceAll('`', '')}`;
      throw new PluginError(this.#instance.name, message, { code: 'BF_PLUGIN_VALUE_WRONG' });
    }
  }

  /**
   * Ends this context at a hook's deadline: aborts its signal and ignores what the late code writes. Returns the context for
   * the plugin's further hooks, with a copy of its state.
   */
  expire(reason: Error): RequestContext {
    // Copied first: a listener of the signal is late code already.
    const state = this.#state === undefined ? undefined : new Map(this.#state);
    this.#isExpired = true;
    this.#controller?.abort(reason);
    return this.#successor(this.#isBackground, state);
  }

  /** The context of `inject`: same state, but it outlives the client. */
  background(): RequestContext {
    return this.#successor(true, this.#state);
  }

  #successor(isBackground: boolean, state: Map<string, Json> | undefined): RequestContext {
    const next = new RequestContext(this.#owner, this.#instance, isBackground);
    next.#state = state;
    next.spentMs = this.spentMs;
    return next;
  }
}

// All plugins of a thread have the same methods. Not in the class: as it is built for the packages it has no name there yet.
for (const shared of [RequestContext.prototype, RequestLog.prototype]) Object.freeze(shared);
