/**
 * Plays recorded hook calls again to another build of a plugin. Each call gets the input that was recorded, so what one call changes
 * does not reach the next; the build's own state of a request goes on from call to call, other plugins' values are the recorded ones.
 */
import { messageOf, RequestContext, settleWithin } from '@bifrost/core';
import type { ContextOwner, RecordedCall } from '@bifrost/core';
import { deepFreeze, hookNames } from '@bifrost/sdk';
import type { HookName } from '@bifrost/sdk';
import { differences, toPlain } from './plain-value.ts';
import type { Difference, Plain } from './plain-value.ts';
import type { PluginUnderTest } from './plugin-cell.ts';

/** A call that the build answers otherwise. */
export interface ChangedCall {
  readonly requestId: string;
  readonly hook: string;
  /** Of the call within its request, from 0, over all plugins. */
  readonly index: number;
  /** `gone`: the build has no such hook. `fails`: it failed now and did not before; `recovers`: the other way round. */
  readonly kind: 'changed' | 'fails' | 'recovers' | 'gone';
  /** The failure's message, before or now. */
  readonly message?: string;
  readonly differences: readonly Difference[];
}

/** How a plugin answers recorded calls by now; `changed` has the calls that it answers otherwise. */
export interface ReplayReport {
  readonly requests: number;
  readonly calls: number;
  readonly same: number;
  readonly changed: readonly ChangedCall[];
  /** What cannot be told from this recording. */
  readonly notes: readonly string[];
}

interface Ending {
  readonly output: Plain;
  readonly failure?: string;
}

type Handler = (context: unknown, input: unknown) => unknown;

function handlerOf(plugin: PluginUnderTest, hook: HookName): Handler | undefined {
  const declared: unknown = plugin.instance.hooks[hook];
  if (declared === undefined) return undefined;
  if (typeof declared === 'function') return (context, input) => declared.call(plugin.instance.self, context, input);
  // The loader has checked it: an object with a handler.
  const object = declared as { readonly handler: Handler };
  return (context, input) => object.handler(context, input);
}

const timeoutMs = 30_000;

/** The requests of a recording share nothing; the calls of one share its context. */
class ReplayedRequest {
  readonly #plugin: PluginUnderTest;
  readonly #owner: { -readonly [Name in keyof ContextOwner]: ContextOwner[Name] };
  readonly #context: RequestContext;

  constructor(plugin: PluginUnderTest, { facts }: RecordedCall) {
    this.#plugin = plugin;
    this.#owner = {
      facts,
      requestSignal: new AbortController().signal,
      areInputsFrozen: true,
      values: null,
      attributes: null,
      routingNotes: null,
    };
    this.#context = new RequestContext(this.#owner, plugin.instance);
  }

  async play(call: RecordedCall, handler: Handler): Promise<Ending> {
    this.#owner.facts = call.facts;
    const own = `${this.#plugin.instance.name}/`;
    const kept = [...(this.#owner.values ?? [])].filter(([key]) => key.startsWith(own));
    const others = Object.entries(call.values).filter(([key]) => !key.startsWith(own));
    this.#owner.values = new Map([...others, ...kept]);
    try {
      const returned = handler(this.#context, deepFreeze(call.input));
      const settled = await settleWithin(Promise.resolve(returned), timeoutMs);
      if (settled.kind === 'value') return { output: toPlain(settled.value) };
      const failure = settled.kind === 'threw' ? messageOf(settled.thrown) : `did not settle within ${timeoutMs} ms`;
      return { output: undefined, failure };
    } catch (thrown) {
      return { output: undefined, failure: messageOf(thrown) };
    }
  }

  end(): void {
    this.#plugin.instance.onRequestEnd?.(this.#owner);
  }
}

function recordedOutput({ output, isStream }: RecordedCall): Plain {
  return isStream === true ? { stream: { $stream: true } } : toPlain(output);
}

function compare(call: RecordedCall, now: Ending): ChangedCall | undefined {
  const { hook, index, facts } = call;
  const place = { requestId: facts.requestId, hook, index };
  if (call.failure === undefined && now.failure !== undefined) {
    return { ...place, kind: 'fails', message: now.failure, differences: [] };
  }
  if (call.failure !== undefined) {
    if (now.failure !== undefined) return undefined;
    return { ...place, kind: 'recovers', message: call.failure.message, differences: [] };
  }
  const before = recordedOutput(call);
  // Of a stream only its presence was recorded.
  const after = call.isStream === true && isStreamAnswer(now.output) ? before : now.output;
  const found = differences(before, after);
  return found.length === 0 ? undefined : { ...place, kind: 'changed', differences: found };
}

function isStreamAnswer(output: Plain): boolean {
  return typeof output === 'object' && output !== null && 'stream' in output && output['stream'] !== undefined;
}

const readsRank = { head: 0, messages: 1, body: 2 } as const;

function notesOn(plugin: PluginUnderTest, calls: readonly RecordedCall[]): readonly string[] {
  return plugin.hooks.flatMap((hook): string[] => {
    const recorded = calls.filter((call) => call.hook === hook);
    if (recorded.length === 0) return [`${hook} has no call in the recording: nothing can be said of it`];
    const declared: unknown = plugin.instance.hooks[hook];
    const reads = typeof declared === 'object' && declared !== null && 'reads' in declared ? declared.reads : 'head';
    if (hook !== 'preRequestHook' && hook !== 'preLLMHook') return [];
    const seen = recorded.some(({ input }) => toPlainObject(input)['body'] !== undefined)
      ? 'body'
      : recorded.some(({ input }) => toPlainObject(input)['conversation'] !== undefined)
        ? 'messages'
        : 'head';
    const wanted = reads === 'messages' || reads === 'body' ? reads : 'head';
    if (readsRank[wanted] <= readsRank[seen]) return [];
    return [`${hook} reads ${wanted} now, and was recorded with ${seen}: it is shown less than it would be`];
  });
}

function toPlainObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Plays `calls` in their order. Never rejects for what the plugin does. */
export async function replayCalls(plugin: PluginUnderTest, calls: readonly RecordedCall[]): Promise<ReplayReport> {
  const requests = new Map<string, ReplayedRequest>();
  const changed: ChangedCall[] = [];
  for (const call of calls) {
    const { facts, hook, index } = call;
    const request = requests.get(facts.requestId) ?? new ReplayedRequest(plugin, call);
    requests.set(facts.requestId, request);
    const name = hookNames.find((each) => each === hook);
    const handler = name === undefined ? undefined : handlerOf(plugin, name);
    if (handler === undefined) {
      changed.push({ requestId: facts.requestId, hook, index, kind: 'gone', differences: [] });
      continue;
    }
    const difference = compare(call, await request.play(call, handler));
    if (difference !== undefined) changed.push(difference);
  }
  for (const request of requests.values()) request.end();
  return {
    requests: requests.size,
    calls: calls.length,
    same: calls.length - changed.length,
    changed,
    notes: notesOn(plugin, calls),
  };
}
