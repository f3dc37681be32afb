/** Every official SDK, and the AI SDK's, in front of every provider dialect, over replayed real traffic: 9 x 4 pairs. */
import { recordingById, recordingsOfApi, startReplayUpstream } from '@bifrost/testkit';
import type { Recording, ReplayUpstream } from '@bifrost/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aiSdkClients } from './ai-sdk-clients.ts';
import { dialectProviders } from './dialect-providers.ts';
import { startGatewayProcess } from './gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { factsOf } from './recorded-facts.ts';
import { sdkClients } from './sdk-clients.ts';

/** One provider per dialect: an endpoint that speaks that dialect alone. */
const upstreams = [
  {
    dialect: 'openai chat',
    provider: 'chat-upstream',
    recordings: [
      'openai/parallel_tools_stream/mirascope--test-call-with-tools-openai-gpt-4o-completions-async-stream-0-4e575b',
      'deepseek/reasoning_stream/ai--deepseek-reasoning-0-70cb37',
      'groq/tools_stream/pydantic-ai--test-groq-test-tool-use-failed-error-streaming-1-bfd86e',
    ],
  },
  {
    dialect: 'openai responses',
    provider: 'responses-upstream',
    recordings: [
      'openai/responses_parallel_tools_stream/mirascope--test-call-with-tools-openai-gpt-4o-responses-async-stream-0-0ed9d5',
      'openai/responses_reasoning_stream/mirascope--context-call-openai-responses-streams-response-with-context-0-b8b155',
      'deepseek/responses_tools_stream/pydantic-ai--test-deepseek-responses-test-deepseek-responses-0-f504a2',
    ],
  },
  {
    dialect: 'anthropic messages',
    provider: 'anthropic',
    recordings: [
      'anthropic/reasoning_stream/llm-anthropic--test-anthropic-test-opus-46-adaptive-thinking-0-4ce2aa',
      ...firstOf('anthropic.messages', 'anthropic', (one) => one.operation === 'parallel_tools_stream' && isPlain(one)),
      ...firstOf(
        'anthropic.messages',
        'anthropic',
        (one) => one.operation === 'tools_stream' && one.features.includes('tool_call'),
      ),
    ],
  },
  {
    dialect: 'gemini',
    provider: 'gemini',
    recordings: [
      'gemini/parallel_tools_stream/openinference--test-instrumentation-test-streaming-reasoning-with-multiple-tool-calls-0-c2e891',
      'gemini/reasoning_stream/mirascope--stream-google-completes-with-text-output-when-thinking-is-enabled-0-d69e63',
    ],
  },
];

function isPlain(recording: Recording): boolean {
  return !recording.features.some((feature) => feature.startsWith('block:') || feature === 'server_tools');
}

function firstOf(api: string, provider: string, test: (recording: Recording) => boolean): string[] {
  return recordingsOfApi(api)
    .filter((one) => one.provider === provider && one.stream && one.response.status === 200 && test(one))
    .slice(0, 1)
    .map((one) => one.id);
}

describe.each([1, 2])('with %i serving threads', (threads) => {
  let upstream: ReplayUpstream;
  let gateway: GatewayProcess;
  beforeAll(async () => {
    upstream = await startReplayUpstream({ delivery: { chunks: 7 } });
    gateway = await startGatewayProcess(dialectProviders(upstream.url), ['-threads', String(threads)]);
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await upstream.close();
  });

  describe.each([...sdkClients, ...aiSdkClients])('$name', (client) => {
    for (const { dialect, provider, recordings } of upstreams) {
      it.each(recordings)(`streams from ${dialect}: %s`, async (id) => {
        const recording = recordingById(id);
        upstream.reset();
        upstream.script([{ recording, delivery: 'events' }]);
        const seen = await client.stream(gateway.url, `${provider}/some-model`);
        expect(seen).toEqual(factsOf(recording));
        expect(upstream.requests).toHaveLength(1);
      });
    }
  });
});
