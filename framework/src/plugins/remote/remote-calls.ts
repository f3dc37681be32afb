/**
 * The thread's side of a channel: calls under way, what each request has told the runner already, streams. The fast path makes one
 * promise and one message for a call; whether the client has gone is asked only for calls that take longer than a sweep.
 */
import { requestOf } from '@bifrost/core';
import type { ContextOwner, RequestContext } from '@bifrost/core';
import { isJsonObject } from '@bifrost/sdk';
import type { HookName, Json, ModelInfo, RequestFacts } from '@bifrost/sdk';
import { breachWords, fewCalls } from './channel.ts';
import type { Channel } from './channel.ts';
import type { CallMessage, ReplyMessage, RunnerMessage, ThreadMessage } from './protocol.ts';
import { applyEffects, newValues } from './request-effects.ts';
import { restoreSame } from './same-parts.ts';
import { RemoteStream } from './remote-stream.ts';
import { Strays } from './strays.ts';
import { reviveThrown } from './thrown-data.ts';

/** How often calls under way are looked at for a client that has gone or a deadline that has passed. */
const sweepMs = 10;

interface PendingCall {
  readonly known: KnownRequest;
  readonly context: RequestContext;
  readonly hook: HookName;
  readonly input: unknown;
  resolve(value: unknown): void;
  reject(thrown: unknown): void;
  /** Set once the call's signal is listened to. */
  onAbort?: () => void;
}

/** What the runner knows of a request. */
interface KnownRequest {
  readonly number: number;
  /** Calls and streams under way. */
  open: number;
  facts: RequestFacts | undefined;
  /** The values as they were last sent, by key. */
  values: Map<string, Json> | undefined;
}

export interface RemoteCallsOptions {
  readonly pluginName: string;
  readonly getModelInfo?: (provider: string, model: string) => ModelInfo | undefined;
  /** The channel has ended from its other side: the plugin is called no more, and may live on. */
  readonly onLost?: (reason: string) => void;
}

export class RemoteCalls {
  readonly #channel: Channel<ThreadMessage, RunnerMessage>;
  readonly #options: RemoteCallsOptions;
  readonly #pending = new Map<number, PendingCall>();
  readonly #requests = new Map<ContextOwner, KnownRequest>();
  readonly #streams = new Map<number, RemoteStream>();
  #lastCall = 0;
  #lastRequest = 0;
  #sweep: NodeJS.Timeout | undefined;
  /** The newest call at the last sweep. */
  #sweptCall = 0;
  readonly #strays = new Strays();
  #endReason: string | undefined;

  constructor(channel: Channel<ThreadMessage, RunnerMessage>, options: RemoteCallsOptions) {
    this.#channel = channel;
    this.#options = options;
    channel.onMessages((messages) => this.#receiveAll(messages));
    channel.onClose((reason) => this.#lose(reason));
  }

  /** Why calls fail; undefined while they are answered. */
  get endReason(): string | undefined {
    return this.#endReason;
  }

  /** Calls under way and requests that the runner keeps something for. */
  get size(): { readonly calls: number; readonly requests: number; readonly streams: number } {
    return { calls: this.#pending.size, requests: this.#requests.size, streams: this.#streams.size };
  }

  call(hook: HookName, context: RequestContext, input: unknown): Promise<unknown> {
    if (this.#endReason !== undefined) return Promise.reject(this.#gone());
    this.#lastCall += 1;
    const call = this.#lastCall;
    const known = this.#knownOf(requestOf(context));
    const message = this.#messageOf({ known, hook, context, input, call });
    known.open += 1;
    return new Promise((resolve, reject) => {
      this.#pending.set(call, { known, context, hook, input, resolve, reject });
      this.#startSweep();
      this.#channel.send(message, this.#pending.size <= fewCalls ? 'tick' : 'turn');
    });
  }

  /** A call that has no written form: it fails at once, and not when its deadline passes. For the channel's `replace`. */
  failUnsent(message: ThreadMessage, why: unknown): void {
    const call = message.kind === 'call' ? this.#pending.get(message.call) : undefined;
    if (message.kind !== 'call' || call === undefined) return;
    this.#pending.delete(message.call);
    this.#forget(call);
    call.reject(new Error(`it cannot be shown its input: ${why instanceof Error ? why.message : String(why)}`));
  }

  /** To be called at the end of each request that had a call. */
  endRequest(request: ContextOwner): void {
    const known = this.#requests.get(request);
    if (known === undefined) return;
    this.#requests.delete(request);
    if (known.open > 0) this.#abandon(known);
    this.#channel.send({ kind: 'end', request: known.number }, 'idle');
  }

  /** Fails what is under way and every later call. The first reason stays. */
  end(reason: string): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    clearTimeout(this.#sweep);
    this.#channel.close();
    const pending = [...this.#pending.values()];
    const streams = [...this.#streams.values()];
    this.#pending.clear();
    this.#streams.clear();
    this.#requests.clear();
    for (const call of pending) {
      this.#forget(call);
      call.reject(this.#gone());
    }
    for (const stream of streams) stream.fail(this.#gone());
  }

  #lose(reason: string): void {
    if (this.#endReason !== undefined) return;
    this.end(reason);
    this.#options.onLost?.(reason);
  }

  #gone(): Error {
    return new Error(`plugin "${this.#options.pluginName}" is not running: ${this.#endReason}`);
  }

  #knownOf(request: ContextOwner): KnownRequest {
    let known = this.#requests.get(request);
    if (known === undefined) {
      this.#lastRequest += 1;
      known = { number: this.#lastRequest, open: 0, facts: undefined, values: undefined };
      this.#requests.set(request, known);
    }
    return known;
  }

  #messageOf({
    known,
    hook,
    context,
    input,
    call,
  }: Omit<PendingCall, 'resolve' | 'reject'> & { call: number }): CallMessage {
    const message: { -readonly [Key in keyof CallMessage]: CallMessage[Key] } = {
      kind: 'call',
      call,
      request: known.number,
      hook,
      input,
    };
    const { facts, values } = requestOf(context);
    if (known.facts !== facts) {
      known.facts = facts;
      message.facts = facts;
      const info = this.#modelInfoOf(facts);
      if (info !== undefined) message.modelInfo = info;
    }
    if (values !== null) {
      const news = newValues(values, (known.values ??= new Map()));
      if (news.length > 0) message.values = news;
    }
    return message;
  }

  #modelInfoOf({ provider, model }: RequestFacts): ModelInfo | undefined {
    if (provider === undefined || model === undefined) return undefined;
    return this.#options.getModelInfo?.(provider, model);
  }

  /** The runner's realm is the plugin's: what comes may be anything, and must not end this thread. */
  #receiveAll(messages: readonly RunnerMessage[]): void {
    try {
      for (const message of messages) this.#receive(message);
    } catch (error) {
      this.#lose(breachWords.wrote(error));
    }
  }

  #receive(message: RunnerMessage): void {
    if (message.kind === 'event') {
      const stream = this.#streams.get(message.stream);
      if (stream === undefined) {
        this.#strays.excuse('an event of a stream that is not open');
        return;
      }
      applyEffects(stream.context, message.effects);
      if (!stream.receive(message)) this.#strays.excuse('an event that was not asked for');
      return;
    }
    const call = this.#pending.get(message.call);
    if (call === undefined) {
      this.#strays.excuse('an answer to a call that is not under way');
      return;
    }
    const thrown = message.kind === 'threw' ? { error: reviveThrown(message.thrown) } : undefined;
    this.#pending.delete(message.call);
    this.#forget(call);
    this.#strays.allow(1);
    applyEffects(call.context, message.effects);
    if (message.kind === 'threw') call.reject(thrown?.error);
    else this.#settle(call, message);
  }

  #settle(call: PendingCall, reply: ReplyMessage): void {
    const { same, stream } = reply;
    let { value } = reply;
    try {
      if (same !== undefined) value = restoreSame(value, same, call.input);
    } catch (error) {
      call.reject(error);
      return;
    }
    if (stream !== undefined && isJsonObject(value)) value = { ...value, stream: this.#openStream(stream, call) };
    call.resolve(value);
  }

  #openStream(number: number, { context, known }: PendingCall): RemoteStream {
    known.open += 1;
    const stream = new RemoteStream(
      { context, owner: known },
      {
        pull: () =>
          this.#channel.send({ kind: 'pull', stream: number }, this.#streams.size <= fewCalls ? 'tick' : 'turn'),
        onEnd: (isCancelled, asked) => {
          this.#streams.delete(number);
          known.open -= 1;
          this.#strays.allow(asked);
          if (isCancelled) this.#channel.send({ kind: 'cancel', stream: number });
        },
      },
    );
    this.#streams.set(number, stream);
    return stream;
  }

  #forget({ onAbort, context, known }: PendingCall): void {
    known.open -= 1;
    if (onAbort !== undefined) context.signal.removeEventListener('abort', onAbort);
  }

  readonly #watchSignals = (): void => {
    this.#sweep = undefined;
    for (const [number, call] of this.#pending) {
      // In the order of their numbers: from here on they are younger than the sweep before.
      if (number > this.#sweptCall) break;
      if (call.onAbort !== undefined) continue;
      const { signal } = call.context;
      call.onAbort = () => this.#sendAbort(number, call);
      if (signal.aborted) call.onAbort();
      else signal.addEventListener('abort', call.onAbort, { once: true });
    }
    if (this.#pending.size > 0 && this.#lastCall > this.#sweptCall) this.#startSweep();
    this.#sweptCall = this.#lastCall;
  };

  #startSweep(): void {
    this.#sweep ??= setTimeout(this.#watchSignals, sweepMs);
  }

  #sendAbort(call: number, { context, hook }: PendingCall): void {
    // `inject` outlives the client: there only the deadline aborts.
    const isExpired = hook === 'inject' || !requestOf(context).requestSignal.aborted;
    const reason = isExpired ? "the hook's deadline has passed" : 'the client has gone';
    this.#channel.send({ kind: 'abort', call, isExpired, reason });
    if (isExpired) this.#giveUp(call);
  }

  /** Nobody waits for the call any more; it may be answered all the same, or never. */
  #giveUp(number: number): void {
    const call = this.#pending.get(number);
    if (call === undefined) return;
    this.#pending.delete(number);
    this.#forget(call);
    this.#strays.allow(1);
  }

  /** The request has ended: its client has gone, or a deadline has passed that the sweep has not come to. */
  #abandon(known: KnownRequest): void {
    for (const [number, call] of this.#pending) if (call.known === known) this.#giveUp(number);
    for (const stream of this.#streams.values()) if (stream.owner === known) void stream.return();
  }
}
