/** The runner's side of one serving thread's channel: calls hooks, keeps what each request needs, serves streams. */
import { isThenable } from '@bifrost/core/plugins';
import type { PluginInstance, RequestContext } from '@bifrost/core/plugins';
import { deepFreeze } from '@bifrost/sdk';
import type { HookName, ModelInfo } from '@bifrost/sdk';
import { fewCalls } from '../channel.ts';
import type { Channel, Urgency } from '../channel.ts';
import type { CallMessage, ContextEffects, ReplyMessage, RunnerMessage, ThreadMessage } from '../protocol.ts';
import { extractSame } from '../same-parts.ts';
import { describeThrown } from '../thrown-data.ts';
import { RunnerRequest } from './runner-request.ts';
import { RunnerStream } from './runner-stream.ts';

/** Told what the realm is busy with: for the supervisor, which cannot ask a realm that is blocked. */
export interface ActivityMark {
  enter(hook: HookName): void;
  leave(): void;
}

export interface RunnerConnectionOptions {
  readonly instance: PluginInstance;
  readonly areInputsFrozen: boolean;
  readonly activity: ActivityMark;
  readonly onModelInfo: (info: ModelInfo) => void;
  /** Says of a refusal by the realm how to grant what was refused; anything else comes back as it is. */
  readonly explain: (thrown: unknown) => unknown;
}

type Handler = (context: unknown, input: unknown) => unknown;

interface RunnerHook {
  readonly handler: Handler;
  readonly self: unknown;
}

interface PendingCall {
  readonly request: RunnerRequest;
  readonly context: RequestContext;
}

/** Handlers as the chains call them: a bare function on the plugin, a hook object's on the object. */
function hooksOf(instance: PluginInstance): ReadonlyMap<string, RunnerHook> {
  const hooks = new Map<string, RunnerHook>();
  for (const [name, declared] of Object.entries<unknown>(instance.hooks)) {
    if (typeof declared === 'function') hooks.set(name, { handler: declared as Handler, self: instance.self });
    // The loader has checked that it has a handler.
    else hooks.set(name, { handler: (declared as { readonly handler: Handler }).handler, self: declared });
  }
  return hooks;
}

export class RunnerConnection {
  readonly #channel: Channel<RunnerMessage, ThreadMessage>;
  readonly #options: RunnerConnectionOptions;
  readonly #hooks: ReadonlyMap<string, RunnerHook>;
  readonly #requests = new Map<number, RunnerRequest>();
  readonly #calls = new Map<number, PendingCall>();
  readonly #streams = new Map<number, RunnerStream>();
  #lastStream = 0;

  constructor(channel: Channel<RunnerMessage, ThreadMessage>, options: RunnerConnectionOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#hooks = hooksOf(options.instance);
    channel.onMessages((messages) => {
      for (const message of messages) this.#receive(message);
    });
    channel.onClose(() => this.#end());
  }

  /** A message that has no written form: the thread is told why in its place. */
  static replace(this: void, message: RunnerMessage, why: unknown): RunnerMessage | undefined {
    const reason = why instanceof Error ? why.message : String(why);
    const thrown = { name: 'TypeError', message: `what it returned cannot leave its realm: ${reason}` };
    if (message.kind === 'event') return { kind: 'event', stream: message.stream, thrown };
    return { kind: 'threw', call: message.call, thrown };
  }

  #receive(message: ThreadMessage): void {
    switch (message.kind) {
      case 'call':
        this.#call(message);
        break;
      case 'abort':
        this.#abort(message);
        break;
      case 'end':
        this.#endRequest(message.request);
        break;
      case 'pull':
        this.#streams.get(message.stream)?.pull();
        break;
      case 'cancel':
        this.#streams.get(message.stream)?.cancel();
        break;
    }
  }

  #call(message: CallMessage): void {
    const { call, hook, input, modelInfo } = message;
    const { instance, areInputsFrozen, activity, onModelInfo } = this.#options;
    if (modelInfo !== undefined) onModelInfo(modelInfo);
    const entry = this.#hooks.get(hook);
    const request = this.#requestOf(message);
    if (entry === undefined || request === undefined) return;
    const context = request.begin(message);
    if (areInputsFrozen) deepFreeze(input);
    let returned: unknown;
    activity.enter(hook);
    try {
      const scope = instance.asyncScope;
      returned =
        scope === undefined
          ? entry.handler.call(entry.self, context, input)
          : scope.runInAsyncScope(entry.handler, entry.self, context, input);
    } catch (thrown) {
      activity.leave();
      this.#threw(call, request, thrown);
      return;
    }
    activity.leave();
    if (!isThenable(returned)) {
      this.#reply(message, request, context, returned);
      return;
    }
    this.#calls.set(call, { request, context });
    returned.then(
      (value) => {
        if (this.#calls.delete(call)) this.#reply(message, request, context, value);
      },
      (thrown: unknown) => {
        if (this.#calls.delete(call)) this.#threw(call, request, thrown);
      },
    );
  }

  #requestOf({ request: number, facts }: CallMessage): RunnerRequest | undefined {
    const known = this.#requests.get(number);
    if (known !== undefined || facts === undefined) return known;
    const request = new RunnerRequest(facts, this.#options.instance, this.#options.areInputsFrozen);
    this.#requests.set(number, request);
    return request;
  }

  #reply({ call, input }: CallMessage, request: RunnerRequest, context: RequestContext, value: unknown): void {
    const message: { -readonly [Key in keyof ReplyMessage]: ReplyMessage[Key] } = { kind: 'reply', call };
    try {
      if (value !== undefined) this.#put(message, { value, input, request, context });
    } catch (thrown) {
      // A getter or proxy of the result.
      this.#threw(call, request, thrown);
      return;
    }
    const effects = request.takeEffects();
    if (effects !== undefined) message.effects = effects;
    this.#channel.send(message, this.#urgency);
  }

  /** A call that is nearly alone is answered as soon as its hook has; many share one message. */
  get #urgency(): Urgency {
    return this.#calls.size + this.#streams.size < fewCalls ? 'tick' : 'turn';
  }

  /** Puts the result into the reply: what it shares with the input is named, a stream is numbered. */
  #put(
    message: { -readonly [Key in keyof ReplyMessage]: ReplyMessage[Key] },
    result: Pick<CallMessage, 'input'> & PendingCall & { readonly value: unknown },
  ): void {
    let { value } = result;
    if (typeof value === 'object' && value !== null && 'stream' in value) {
      const { stream, ...rest } = value;
      const iterator = RunnerStream.iteratorOf(stream);
      if (iterator !== undefined) {
        message.stream = this.#openStream(iterator, result.request);
        value = rest;
      }
    }
    const extracted = extractSame(value, result.input);
    message.value = extracted?.value ?? value;
    if (extracted !== undefined) message.same = extracted.same;
  }

  #openStream(iterator: NonNullable<ReturnType<typeof RunnerStream.iteratorOf>>, request: RunnerRequest): number {
    this.#lastStream += 1;
    const stream = this.#lastStream;
    const { asyncScope } = this.#options.instance;
    request.streams.add(stream);
    this.#streams.set(
      stream,
      new RunnerStream(iterator, {
        ...(asyncScope === undefined ? {} : { scope: asyncScope }),
        explain: this.#options.explain,
        send: (event) => {
          const effects = request.takeEffects();
          this.#channel.send({ kind: 'event', stream, ...event, ...effectsMember(effects) }, this.#urgency);
        },
        onEnd: () => {
          this.#streams.delete(stream);
          request.streams.delete(stream);
        },
      }),
    );
    return stream;
  }

  #threw(call: number, request: RunnerRequest, thrown: unknown): void {
    const effects = effectsMember(request.takeEffects());
    const data = describeThrown(this.#options.explain(thrown));
    this.#channel.send({ kind: 'threw', call, thrown: data, ...effects }, this.#urgency);
  }

  #abort({ call, isExpired, reason }: Extract<ThreadMessage, { readonly kind: 'abort' }>): void {
    const pending = this.#calls.get(call);
    if (pending === undefined) return;
    const error = new Error(reason);
    if (!isExpired) {
      pending.request.abort(error);
      return;
    }
    this.#calls.delete(call);
    pending.request.expire(pending.context, error);
  }

  #endRequest(number: number): void {
    const request = this.#requests.get(number);
    if (request === undefined) return;
    this.#requests.delete(number);
    for (const stream of request.streams) this.#streams.get(stream)?.cancel();
  }

  /** The thread has gone: what ran for it is told so. */
  #end(): void {
    const reason = new Error('the serving thread has gone');
    for (const request of this.#requests.values()) request.abort(reason);
    for (const stream of this.#streams.values()) stream.cancel();
    this.#requests.clear();
    this.#calls.clear();
  }
}

function effectsMember(effects: ContextEffects | undefined): { readonly effects?: ContextEffects } {
  return effects === undefined ? {} : { effects };
}
