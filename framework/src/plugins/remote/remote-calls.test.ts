/** The thread's side of a channel whose other end gives no answer, answers what was not asked, or says what is no answer. */
import { createPluginChains } from '@bifrost/core';
import type { PluginInstance } from '@bifrost/core';
import { describe, expect, it, vi } from 'vitest';
import { facts, request, trace } from './__tests__/remote-values.ts';
import type { Channel } from './channel.ts';
import type { RunnerMessage, ThreadMessage } from './protocol.ts';
import { RemoteCalls } from './remote-calls.ts';

/** Keeps what is sent; `say` is the other side. */
class SilentChannel implements Channel<ThreadMessage, RunnerMessage> {
  readonly sent: ThreadMessage[] = [];
  isClosed = false;
  #listener: (messages: readonly RunnerMessage[]) => void = () => undefined;

  send(message: ThreadMessage): void {
    this.sent.push(message);
  }
  onMessages(listener: (messages: readonly RunnerMessage[]) => void): void {
    this.#listener = listener;
  }
  onClose(): void {
    // The other side never ends it.
  }
  close(): void {
    this.isClosed = true;
  }
  say(...messages: unknown[]): void {
    this.#listener(messages as RunnerMessage[]);
  }
}

function open(timeoutMs = 50) {
  const channel = new SilentChannel();
  const lost: string[] = [];
  const calls = new RemoteCalls(channel, { pluginName: 'p', onLost: (reason) => void lost.push(reason) });
  const lines: string[] = [];
  const instance = {
    name: 'p',
    isGuard: false,
    hooks: {
      preRequestHook: {
        timeoutMs,
        handler: (context: never, input: unknown) => calls.call('preRequestHook', context, input),
      },
      preLLMHook: { timeoutMs, handler: (context: never, input: unknown) => calls.call('preLLMHook', context, input) },
    },
    onRequestEnd: (owner: never) => calls.endRequest(owner),
    log: (_level: string, message: string) => void lines.push(message),
    onDisabled: () => undefined,
    config: {},
    self: {},
    placement: 'post_builtin',
    order: 0,
  } as unknown as PluginInstance;
  const chains = createPluginChains([instance]);
  const begin = (signal = new AbortController().signal) => {
    const run = chains.open(facts, {}, signal);
    if (run === null) throw new Error('no hook matches');
    return run;
  };
  return { channel, calls, begin, lines, lost };
}

const isEmpty = { calls: 0, requests: 0, streams: 0 };

describe('a call that is never answered', () => {
  it('is forgotten at its deadline, however many there are', async () => {
    const { channel, calls, begin } = open();
    const runs = Array.from({ length: 50 }, () => begin());
    expect(await Promise.all(runs.map(async (run) => run.preRequest(request)))).toEqual(runs.map(() => undefined));
    await vi.waitFor(() => expect(calls.size).toEqual({ ...isEmpty, requests: 50 }));
    expect(channel.sent.filter(({ kind }) => kind === 'abort')).toHaveLength(50);
    for (const run of runs) run.finish(trace);
    expect(calls.size).toEqual(isEmpty);
  });

  it('is forgotten with a request whose client has gone', async () => {
    const { calls, begin } = open();
    const client = new AbortController();
    const run = begin(client.signal);
    const asked = run.preRequest(request);
    await vi.waitFor(() => expect(calls.size.calls).toBe(1));
    client.abort(new Error('gone'));
    await asked;
    run.finish(trace);
    expect(calls.size).toEqual(isEmpty);
  });

  it('may be answered late, and twice', async () => {
    const { channel, calls, begin } = open();
    const run = begin();
    await run.preRequest(request);
    channel.say({ kind: 'reply', call: 1, value: { model: 'late' } }, { kind: 'reply', call: 1 });
    const asked = begin().preRequest(request);
    channel.say({ kind: 'reply', call: 2, value: { model: 'y' } }, { kind: 'reply', call: 2, value: { model: 'z' } });
    expect(await asked).toEqual({ model: 'y' });
    expect(calls.endReason).toBeUndefined();
  });
});

describe('a call whose input has no written form', () => {
  it('fails at once, not at its deadline', async () => {
    const { channel, calls, begin, lines } = open(10_000);
    const asked = begin().preRequest(request);
    const [message] = channel.sent;
    if (message === undefined) throw new Error('nothing was sent');
    calls.failUnsent(message, new TypeError('cyclic'));
    expect(await asked).toBeUndefined();
    expect(lines.join()).toContain('it cannot be shown its input: cyclic');
    expect(calls.size.calls).toBe(0);
  });
});

describe('a stream that nobody reads on', () => {
  it('is forgotten with its request, also while an event was asked for', async () => {
    const { channel, calls, begin } = open();
    const run = begin();
    const asked = run.preLLM(request);
    channel.say({ kind: 'reply', call: 1, value: { stream: null }, stream: 1 });
    const stream = (await asked)?.stream as AsyncIterable<unknown>;
    const next = stream[Symbol.asyncIterator]().next();
    await vi.waitFor(() => expect(channel.sent.at(-1)).toEqual({ kind: 'pull', stream: 1 }));
    run.finish(trace);
    expect(calls.size).toEqual(isEmpty);
    expect(channel.sent).toContainEqual({ kind: 'cancel', stream: 1 });
    expect((await next).done).toBe(true);
  });
});

describe('a runner that does not keep to the protocol', () => {
  it.each([
    ['nothing', null],
    ['something thrown that is not there', { kind: 'threw', call: 1 }],
    ['something thrown that is no text', { kind: 'threw', call: 1, thrown: { name: { toString: 1 }, message: {} } }],
    ['something thrown of no type', { kind: 'threw', call: 1, thrown: { type: { toString: 1 } } }],
  ])('and says %s is not asked again, and what is under way fails at once', async (_what, message) => {
    const { channel, calls, begin, lines, lost } = open(10_000);
    const asked = begin().preRequest(request);
    channel.say(message);
    expect(await asked).toBeUndefined();
    expect(calls.endReason).toContain('it wrote what is no message');
    expect(channel.isClosed).toBe(true);
    expect(lines.join()).toContain('plugin "p" is not running: it wrote what is no message');
    expect(lost).toEqual([calls.endReason]);
    expect(calls.size).toEqual(isEmpty);
  });

  it('sets no value of another plugin, and none that is no JSON', async () => {
    const { channel, calls, begin } = open();
    const run = begin();
    const asked = run.preRequest(request);
    const effects = { values: [['other/x', 1]], routingNotes: {}, attributes: 5 };
    channel.say({ kind: 'reply', call: 1, value: { model: 'y' }, effects });
    expect(await asked).toEqual({ model: 'y' });
    expect(run.preLLM(request)).toBeInstanceOf(Promise);
    expect(channel.sent.at(-1)).not.toHaveProperty('values');
    expect(calls.endReason).toBeUndefined();
  });

  it.each([
    ['answers', { kind: 'reply', call: 5_000_000_000 }],
    ['events', { kind: 'event', stream: 7, event: {} }],
  ])('and floods the thread with %s that nobody has asked for is ended', (_what, message) => {
    const { channel, calls } = open();
    for (let sent = 0; sent < 100; sent += 1) channel.say(message);
    expect(calls.endReason).toBeUndefined();
    channel.say(message);
    expect(calls.endReason).toContain('over and over');
    expect(channel.isClosed).toBe(true);
  });
});
