import { describe, expect, it } from 'vitest';
import type {
  ConversationRequest,
  ConversationResponse,
  ErrorInfo,
  LLMOutcome,
  LLMRequest,
  PostLLMResult,
  Reads,
  StreamEvent,
} from '@bifrost/sdk';
import { chainsOf, streamed, untyped } from './__tests__/chains-of.ts';

const conversation: ConversationRequest = {
  model: 'm',
  stream: false,
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
};
const request: LLMRequest = { provider: 'mock', model: 'm', isStream: false, fallbacks: [], conversation };
const response: ConversationResponse = { candidates: [{ index: 0, parts: [{ type: 'text', text: 'yes' }] }] };
const error: ErrorInfo = { statusCode: 429, message: 'slow down', origin: 'provider' };
const outcomeOf = (rest: Partial<LLMOutcome>): LLMOutcome => ({ request, statusCode: 200, latencyMs: 5, ...rest });

describe('preRequestHook', () => {
  it('commits model and fallbacks; the next plugin sees them, without a provider that no longer holds', () => {
    const seen: LLMRequest[] = [];
    const run = chainsOf([
      { name: 'a', preRequestHook: () => ({ model: 'other/x' }) },
      { name: 'b', preRequestHook: (_context, shown) => (seen.push(shown), { fallbacks: ['mock/y'] }) },
    ]).open();
    expect(run.preRequest(request)).toEqual({ model: 'other/x', fallbacks: ['mock/y'] });
    expect(seen).toEqual([{ model: 'other/x', isStream: false, fallbacks: [] }]);
  });

  it.each([
    ['an empty model', { model: '' }, '`model`'],
    ['a fallback that is no text', { fallbacks: ['a', 7] }, '`fallbacks[1]` must be a string, got 7'],
    [
      'a message without a role',
      { conversation: { ...conversation, messages: [{ parts: [] }] } },
      '`conversation.messages[0].role`',
    ],
    [
      'a part of unknown type',
      { conversation: { ...conversation, messages: [{ role: 'user', parts: [{ type: 'txt', text: '' }] }] } },
      '`conversation.messages[0].parts[0].type`',
    ],
    [
      'a conversation with a function in it',
      { conversation: { ...conversation, metadata: { f: () => 1 } } },
      '`conversation.metadata.f` must be plain JSON',
    ],
    [
      'a conversation with a date',
      { conversation: { ...conversation, metadata: { at: new Date(0) } } },
      '`conversation.metadata.at` must be plain JSON',
    ],
    [
      'a conversation without messages',
      { conversation: { model: 'm', stream: false } },
      '`conversation.messages` must be an array',
    ],
  ])('refuses %s', (_what, returned, message) => {
    const { open, lines } = chainsOf([{ name: 'bad', preRequestHook: untyped<'preRequestHook'>(returned) }]);
    expect(open().preRequest(request)).toBeUndefined();
    expect(lines[0]).toContain(message);
  });

  it('refuses a conversation that contains itself', () => {
    const metadata: Record<string, unknown> = {};
    metadata['self'] = metadata;
    const { open, lines } = chainsOf(
      [{ name: 'bad', preRequestHook: untyped<'preRequestHook'>({ conversation: { ...conversation, metadata } }) }],
      { areInputsFrozen: false },
    );
    expect(open().preRequest(request)).toBeUndefined();
    expect(lines[0]).toContain('without cycles');
  });
});

describe('preLLMHook', () => {
  it('passes a changed conversation on, and shows it only to hooks that read messages', () => {
    const seen: unknown[] = [];
    const changed = { ...conversation, temperature: 0 };
    const { chains, open } = chainsOf([
      { name: 'a', preLLMHook: () => ({ conversation: changed }) },
      { name: 'head', preLLMHook: (_context, shown) => void seen.push(shown.conversation) },
      {
        name: 'reader',
        preLLMHook: { reads: 'messages', handler: (_context, shown) => void seen.push(shown.conversation) },
      },
    ]);
    expect(chains.needs.preLLM).toBe('messages');
    expect(open().preLLM(request)).toEqual({ conversation: changed });
    expect(seen).toEqual([undefined, changed]);
  });

  it.each([
    ['a response', { response }],
    ['an error', { error: { ...error, allowFallbacks: false } }],
    ['an error that leaves fallbacks open', { error }],
    ['an error that asks for fallbacks', { error: { ...error, allowFallbacks: true } }],
  ])('ends the pass with %s; post hooks run for the plugins reached, this one included', (_what, decision) => {
    const calls: string[] = [];
    const run = chainsOf([
      { name: 'a', postLLMHook: () => void calls.push('a') },
      { name: 'b', preLLMHook: () => decision, postLLMHook: () => void calls.push('b') },
      { name: 'c', preLLMHook: () => void calls.push('pre c'), postLLMHook: () => void calls.push('c') },
    ]).open();
    expect(run.preLLM(request)).toEqual(decision);
    void run.postLLM(outcomeOf({ response }));
    expect(calls).toEqual(['b', 'a']);
  });

  it.each([
    ['head', 'messages', 'messages'],
    ['messages', 'body', 'body'],
    ['body', 'messages', 'body'],
  ] as const)('asks for what the most demanding hook reads: of %s and %s, %s', (one, other, most) => {
    const hook = (reads: Reads) => ({ reads, handler: () => undefined });
    const { chains } = chainsOf([
      { name: 'a', preLLMHook: hook(one) },
      { name: 'b', preLLMHook: hook(other) },
    ]);
    expect(chains.needs).toEqual({ preLLM: most });
  });

  it('reaches all plugins again at the next attempt', () => {
    const calls: string[] = [];
    let attempt = 0;
    const run = chainsOf([
      { name: 'a', preLLMHook: () => (attempt++ === 0 ? { error } : undefined) },
      { name: 'b', postLLMHook: () => void calls.push(`b after attempt ${attempt}`) },
    ]).open();
    void run.preLLM(request);
    void run.postLLM(outcomeOf({ error }));
    void run.preLLM(request);
    void run.postLLM(outcomeOf({ response }));
    expect(calls).toEqual(['b after attempt 2']);
  });

  it('answers with a stream, whose garbage and throws become an error event', async () => {
    const good: StreamEvent = { type: 'text-delta', part: '0', text: 'a' };
    const streamOf = async (stream: unknown): Promise<{ events: StreamEvent[]; lines: string[] }> => {
      const { open, lines } = chainsOf([{ name: 'a', preLLMHook: untyped<'preLLMHook'>({ stream }) }]);
      const outcome = await open().preLLM(request);
      const events: StreamEvent[] = [];
      for await (const event of outcome?.stream ?? []) events.push(event);
      return { events, lines };
    };
    expect(await streamOf([good])).toEqual({ events: [good], lines: [] });
    const broken = await streamOf([good, { type: 'nonsense' }, good]);
    expect(broken.events).toHaveLength(2);
    expect(broken.events[1]).toMatchObject({ type: 'error', error: { code: 'BF_PLUGIN_STREAM_FAILED' } });
    expect(broken.lines[0]).toContain('`event.type`');
    const thrown = await streamOf(
      (async function* () {
        yield good;
        throw new Error('gone');
      })(),
    );
    expect(thrown.events[1]).toMatchObject({ type: 'error' });
    const ended: StreamEvent = { type: 'error', error };
    expect(await streamOf([ended, good])).toEqual({ events: [ended], lines: [] });
    expect(thrown.lines[0]).toContain('gone');
    expect((await streamOf(7)).lines[0]).toContain('`stream` must be iterable');
  });

  it('lets go of a stream at once when its reader leaves, though the plugin never yields', async () => {
    let isClosed = false;
    const stream: AsyncIterable<StreamEvent> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: () => ((isClosed = true), Promise.resolve({ done: true, value: undefined })),
      }),
    };
    const outcome = await chainsOf([{ name: 'a', preLLMHook: () => ({ stream }) }])
      .open()
      .preLLM(request);
    const made = outcome?.stream;
    if (made === undefined || !(Symbol.asyncIterator in made)) throw new Error('expected a stream');
    const iterator = made[Symbol.asyncIterator]();
    void iterator.next();
    await iterator.return?.();
    expect(isClosed).toBe(true);
  });

  it('refuses two decisions at once, and an error without a status', () => {
    const { open, lines } = chainsOf([
      { name: 'two', preLLMHook: () => ({ response, error }) },
      { name: 'none', preLLMHook: untyped<'preLLMHook'>({ error: { message: 'no' } }) },
    ]);
    expect(open().preLLM(request)).toBeUndefined();
    expect(lines[0]).toContain('`response and error` must be stated alone');
    expect(lines[1]).toContain('`error.statusCode` must be an HTTP status from 400 to 599, got nothing');
  });
});

describe('postLLMHook', () => {
  const after = (outcome: LLMOutcome, ...results: (PostLLMResult | undefined)[]): unknown =>
    chainsOf(results.toReversed().map((result, index) => ({ name: `p${index}`, postLLMHook: () => result })))
      .open()
      .postLLM(outcome);

  it('recovers an error with a response, and invalidates a response with an error', () => {
    expect(after(outcomeOf({ error, statusCode: 429 }), { response })).toEqual({ response });
    expect(after(outcomeOf({ response }), { error })).toEqual({ error });
    expect(after(outcomeOf({ response }), undefined)).toBeUndefined();
  });

  it('lets the error win when both are stated, unless it says nothing', () => {
    expect(after(outcomeOf({ response }), { response, error })).toEqual({ error });
    const empty = { response, error: {} } as unknown as PostLLMResult;
    expect(after(outcomeOf({ error, statusCode: 429 }), empty)).toEqual({ response });
  });

  it('lets a later plugin recover what an earlier one invalidated, with the status that fits', () => {
    const seen: unknown[] = [];
    const run = chainsOf([
      { name: 'last', postLLMHook: (_context, outcome) => void seen.push([outcome.statusCode, outcome.error]) },
      { name: 'recovers', postLLMHook: (_context, outcome) => (seen.push(outcome.statusCode), { response }) },
      { name: 'invalidates', postLLMHook: () => ({ error }) },
    ]).open();
    expect(run.postLLM(outcomeOf({ response }))).toEqual({ response });
    expect(seen).toEqual([429, [200, undefined]]);
  });

  it('shows the answer only to hooks that read messages', () => {
    const seen: unknown[] = [];
    const run = chainsOf([
      { name: 'head', postLLMHook: (_context, outcome) => void seen.push(outcome.response) },
      {
        name: 'reader',
        postLLMHook: { reads: 'messages', handler: (_context, outcome) => void seen.push(outcome.response) },
      },
    ]).open();
    void run.postLLM(outcomeOf({ response }));
    expect(seen).toEqual([response, undefined]);
  });

  it('states the origin of an error from plain JavaScript', () => {
    const bare = { error: { statusCode: 403, message: 'no' } } as unknown as PostLLMResult;
    expect(after(outcomeOf({ response }), bare)).toEqual({
      error: { statusCode: 403, message: 'no', origin: 'plugin' },
    });
  });
});

describe('streamEventHook', () => {
  const delta = (text: string): StreamEvent => ({ type: 'text-delta', part: '0', text });

  it('turns one event into none, one or several, each shown to the next plugin', () => {
    const { open, chains } = chainsOf([
      {
        name: 'upper',
        streamEventHook: (_context, event) =>
          event.type === 'text-delta' ? [delta(event.text.toUpperCase())] : undefined,
      },
      {
        name: 'splits',
        streamEventHook: (_context, event) => {
          if (event.type !== 'text-delta') return undefined;
          return event.text === '' ? [] : event.text.split('').map(delta);
        },
      },
    ]);
    const run = open();
    expect(chains.needs.streamEvent).toBe('messages');
    expect(streamed(run)(delta('ab'))).toEqual([delta('A'), delta('B')]);
    expect(streamed(run)(delta(''))).toEqual([]);
    const finish: StreamEvent = { type: 'finish', reason: { kind: 'stop' } };
    expect(streamed(run)(finish)).toEqual([finish]);
  });

  it('keeps the order of events where a plugin waits for some of them', async () => {
    const seen: string[] = [];
    const run = chainsOf([
      {
        name: 'waits',
        streamEventHook: async (_context, event) => {
          if (event.type !== 'text-delta') return undefined;
          seen.push(`begin ${event.text}`);
          await Promise.resolve();
          seen.push(`end ${event.text}`);
          return [event];
        },
      },
      { name: 'splits', streamEventHook: () => ['a', 'b', 'c'].map(delta) },
    ]).open();
    expect(await streamed(run)(delta('x'))).toEqual(['a', 'b', 'c'].map(delta));
    expect(seen).toEqual(['begin a', 'end a', 'begin b', 'end b', 'begin c', 'end c']);
  });

  it('keeps the event when a plugin returns garbage', () => {
    const { open, lines } = chainsOf([
      { name: 'bad', streamEventHook: untyped<'streamEventHook'>([{ type: 'text-delta', part: '0' }]) },
    ]);
    expect(streamed(open())(delta('x'))).toEqual([delta('x')]);
    expect(lines[0]).toContain('`[0].text` must be a string, got nothing');
  });
});
