/** Providers that say their answer to its end and then go on with comments, for ever. */
import { recordedBytes, recordingById, startReplayUpstream } from '@bifrost/testkit';
import type { Delivery, Recording } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { providerDefinitions } from '../providers/definitions.ts';
import type { ProviderDefinition } from '../providers/provider.ts';
import { parseSse } from '../sse/parser.ts';
import { endGraceMs } from './end-grace.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';

const recordings = {
  chat: 'deepseek/reasoning_stream/ai--deepseek-reasoning-0-70cb37',
  responses:
    'openai/responses_reasoning_stream/mirascope--context-call-openai-responses-streams-response-with-context-0-b8b155',
  anthropic: 'anthropic/reasoning_stream/llm-anthropic--test-anthropic-test-opus-46-adaptive-thinking-0-4ce2aa',
  gemini:
    'gemini/reasoning_stream/mirascope--stream-google-completes-with-text-output-when-thinking-is-enabled-0-d69e63',
} as const;
type Name = keyof typeof recordings;

const messages = [{ role: 'user', content: 'hi' }];
const clients = {
  chat: { route: routes.chat, body: { messages, stream: true } },
  responses: { route: routes.responses, body: { input: 'hi', stream: true } },
  anthropic: { route: routes.anthropic, body: { messages, stream: true, max_tokens: 9 } },
  gemini: {
    route: { ...routes.gemini, pathStream: true, streamFraming: 'sse' },
    body: { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] },
  },
} as const;

/** A provider that speaks one dialect alone. */
function providerOf(name: Name, url: string) {
  const base = name === 'chat' || name === 'responses' ? 'openai' : name;
  const { surfaces } = providerDefinitions.get(base) as ProviderDefinition;
  const dialect = clients[name].route.dialect;
  return provider(base, url, { definition: { surfaces: surfaces.filter((one) => one.dialect === dialect) } });
}

const eventsOf = (recording: Recording) => parseSse(recordedBytes(recording.response));

interface Told {
  readonly provider: Name;
  readonly client: Name;
  /** The provider's last event; absent: all of the recording's. */
  readonly upTo?: RegExp;
  readonly more?: object;
  readonly delivery?: Delivery;
}

async function tell({ provider: name, client, upTo, more, delivery }: Told) {
  const recording = recordingById(recordings[name]);
  const all = eventsOf(recording);
  const last = upTo === undefined ? all.length - 1 : all.findIndex((event) => upTo.test(event.data));
  const answer = { recording, delivery: { hangAfterEvents: last + 1, commentsEveryMs: 50, ...delivery } };
  await using upstream = await startReplayUpstream({ script: [answer] });
  const config = providerOf(name, upstream.url);
  await using gateway = new TestGateway({ providers: [config] });
  const { route, body } = clients[client];
  const model = `${config.definition.name}/some-model`;
  const path = client === 'gemini' ? { pathModel: model } : {};
  const startedAt = performance.now();
  const sink = await gateway.post(
    { ...route, ...path },
    { ...body, ...(client === 'gemini' ? {} : { model }), ...more },
  );
  const tookMs = performance.now() - startedAt;
  await upstream.requests[0]?.closed;
  return { sink, tookMs, trace: gateway.traces[0], heard: parseSse(sink.text) };
}

const names = Object.keys(recordings) as Name[];
/** Each dialect passed, and translated into the next one. */
const pairs = names.flatMap((one, index) => [
  { provider: one, client: one },
  { provider: one, client: names[(index + 1) % names.length] as Name },
]);
const ends: Readonly<Record<Name, RegExp>> = {
  chat: /\[DONE\]/,
  responses: /"response\.(completed|incomplete)"/,
  anthropic: /message_stop/,
  gemini: /"finishReason"/,
};

describe('the time for the end', () => {
  it('is short behind the last event or a report of usage, and longer where that may still come', () => {
    const finished = { hasTerminal: true, hasDone: false, hasUsage: false };
    expect(endGraceMs('anthropic-messages', finished)).toBeLessThanOrEqual(1000);
    expect(endGraceMs('openai-chat', { ...finished, hasUsage: true })).toBeLessThanOrEqual(1000);
    expect(endGraceMs('openai-chat', { ...finished, hasDone: true })).toBeLessThanOrEqual(1000);
    expect(endGraceMs('openai-chat', finished)).toBeGreaterThanOrEqual(5000);
  });
});

describe.concurrent('a stream that the provider keeps open behind its last event', () => {
  it.each(pairs)('of $provider ends for a client of $client, with its usage', async (pair) => {
    const { sink, tookMs, trace, heard } = await tell(pair);
    expect([sink.isEnded, sink.isDestroyed]).toEqual([true, false]);
    expect(heard.at(-1)?.data).toMatch(ends[pair.client]);
    expect(trace?.error).toBeUndefined();
    expect(trace?.usage?.outputTokens).toBeGreaterThan(0);
    expect(tookMs).toBeGreaterThan(900);
    expect(tookMs).toBeLessThan(6000);
  });

  it.each(['chat', 'anthropic'] as const)('without [DONE] ends in what a client of %s waits for', async (client) => {
    const { sink, trace, heard } = await tell({ provider: 'chat', client, upTo: /"finish_reason":"stop"/ });
    expect(sink.isEnded).toBe(true);
    expect(heard.filter((event) => ends[client].test(event.data))).toHaveLength(1);
    expect(heard.at(-1)?.data).toMatch(ends[client]);
    expect(trace?.error).toBeUndefined();
  });

  it('is left open where several choices were asked for and one has finished', async () => {
    const network = { streamIdleTimeoutMs: 1500 };
    const recording = recordingById(recordings.chat);
    const last = eventsOf(recording).findIndex((event) => /"finish_reason":"stop"/.test(event.data));
    await using upstream = await startReplayUpstream({
      script: [{ recording, delivery: { hangAfterEvents: last + 1 } }],
    });
    await using gateway = new TestGateway({ providers: [provider('openai', upstream.url, { network })] });
    const sink = await gateway.post(routes.chat, { ...clients.chat.body, model: 'openai/m', n: 2 });
    expect(sink.text).not.toContain('[DONE]');
    expect(gateway.traces[0]?.error?.code).toBe('BF_UPSTREAM_TIMEOUT');
  });
});
