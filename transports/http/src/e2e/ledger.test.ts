/** What is counted of a provider's usage, as an operator reads it in /metrics: the same whoever asked in whatever dialect. */
import type { JsonObject } from '@bifrost/sdk';
import { postJson, recordingById, startReplayUpstream } from '@bifrost/testkit';
import type { ReplayAnswer, ReplayUpstream } from '@bifrost/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { dialectProviders } from './dialect-providers.ts';
import { startGatewayProcess } from './gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { factsOf } from './recorded-facts.ts';

const messages = [{ role: 'user', content: 'Hello' }];
/** No client asks for usage in its stream. */
const clients: readonly { readonly path: string; readonly body: JsonObject; readonly streamPath?: string }[] = [
  { path: '/v1/chat/completions', body: { messages } },
  { path: '/v1/responses', body: { input: 'Hello' } },
  { path: '/anthropic/v1/messages', body: { messages, max_tokens: 9 } },
  {
    path: '/genai/v1beta/models/MODEL:generateContent',
    streamPath: '/genai/v1beta/models/MODEL:streamGenerateContent?alt=sse',
    body: { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] },
  },
];

const streams = [
  ['chat-upstream', 'deepseek/reasoning_stream/ai--deepseek-reasoning-0-70cb37'],
  [
    'responses-upstream',
    'openai/responses_reasoning_stream/mirascope--context-call-openai-responses-streams-response-with-context-0-b8b155',
  ],
  ['anthropic', 'anthropic/reasoning_stream/llm-anthropic--test-anthropic-test-opus-46-adaptive-thinking-0-4ce2aa'],
  [
    'gemini',
    'gemini/reasoning_stream/mirascope--stream-google-completes-with-text-output-when-thinking-is-enabled-0-d69e63',
  ],
] as const;

const chatAnswer = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
};

let upstream: ReplayUpstream;
let gateway: GatewayProcess;
beforeAll(async () => {
  upstream = await startReplayUpstream();
  gateway = await startGatewayProcess(dialectProviders(upstream.url), ['-threads', '2']);
});
beforeEach(() => upstream.reset());
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await upstream.close();
});

type Ledger = Readonly<Record<string, number>>;

async function ledgerOf(provider: string): Promise<Ledger> {
  const answer = await postJson(`${gateway.url}/metrics`, undefined, {}, { method: 'GET' });
  const lines = answer.text().matchAll(/^bifrost_tokens_total\{([^}]*)\} (\S+)$/gm);
  const own = [...lines].filter(([, labels]) => labels?.includes(`provider="${provider}"`));
  return Object.fromEntries(own.map(([, labels, value]) => [/kind="([^"]*)"/.exec(labels ?? '')?.[1], Number(value)]));
}

const difference = (after: Ledger, before: Ledger): Ledger =>
  Object.fromEntries(
    Object.entries(after)
      .map(([kind, value]) => [kind, value - (before[kind] ?? 0)] as const)
      .filter(([, value]) => value !== 0),
  );

/** What one request of a client adds to a provider's ledger. */
async function counted(
  provider: string,
  answer: ReplayAnswer,
  { client, stream }: { readonly client: (typeof clients)[number]; readonly stream: boolean },
): Promise<Ledger> {
  const before = await ledgerOf(provider);
  upstream.script([answer]);
  const model = `${provider}/some-model`;
  const isGemini = client.path.includes('MODEL');
  const path = stream ? (client.streamPath ?? client.path) : client.path;
  const body = isGemini ? client.body : { ...client.body, model, stream };
  const result = await postJson(gateway.url + path.replace('MODEL', encodeURIComponent(model)), body);
  expect(result.status).toBe(200);
  let added: Ledger = {};
  await vi.waitFor(async () => {
    added = difference(await ledgerOf(provider), before);
    expect(Object.keys(added)).not.toEqual([]);
  });
  return added;
}

describe('the ledger', () => {
  it.each(streams)('of %s has the same buckets for a stream in every dialect', async (provider, id) => {
    const recording = recordingById(id);
    const { inputTokens = 0, outputTokens = 0 } = factsOf(recording);
    const ledgers: Ledger[] = [];
    for (const client of clients) {
      ledgers.push(await counted(provider, { recording, delivery: 'events' }, { client, stream: true }));
    }
    for (const ledger of ledgers) expect(ledger).toEqual(ledgers[0]);
    // The buckets are disjoint: with those of the cache and of thinking they add up to what the provider said.
    const sum = Object.values(ledgers[0] ?? {}).reduce((total, value) => total + value, 0);
    expect(sum).toBe(inputTokens + outputTokens);
  });

  it('has the same buckets for a whole answer', async () => {
    const usage = {
      prompt_tokens: 100,
      completion_tokens: 30,
      total_tokens: 130,
      prompt_tokens_details: { cached_tokens: 64 },
      completion_tokens_details: { reasoning_tokens: 10 },
    };
    for (const client of clients) {
      const ledger = await counted('chat-upstream', { body: { ...chatAnswer, usage } }, { client, stream: false });
      expect(Object.values(ledger).toSorted((a, b) => a - b)).toEqual([10, 20, 36, 64]);
    }
  });

  it('has nothing where the provider said nothing: unknown is not zero', async () => {
    const before = await ledgerOf('chat-upstream');
    upstream.script([{ body: chatAnswer }]);
    const answer = await postJson(`${gateway.url}/v1/chat/completions`, { model: 'chat-upstream/m', messages });
    expect(answer.status).toBe(200);
    expect(answer.json()).not.toHaveProperty('usage');
    expect(await ledgerOf('chat-upstream')).toEqual(before);
  });

  it.each([
    [2, '/anthropic/v1/messages'],
    [20, '/anthropic/v1/messages'],
    [2, '/v1/chat/completions'],
    [20, '/v1/chat/completions'],
  ])('has what a provider had said when the client left after %i events of %s, once', async (events, path) => {
    const recording = recordingById(streams[2][1]);
    const before = await ledgerOf('anthropic');
    upstream.script([{ recording, delivery: { cut: 'events', delayBetweenWritesMs: 5 } }]);
    const body = { model: 'anthropic/m', max_tokens: 9, stream: true, messages };
    await postJson(gateway.url + path, body, {}, { abortAfterEvents: events }).catch(() => undefined);
    const { inputTokens } = factsOf(recording);
    await vi.waitFor(async () => {
      const added = difference(await ledgerOf('anthropic'), before);
      expect(added).toMatchObject({ inputTokens });
    });
  });
});
