/** Clients that leave, by the policy of each provider: what an operator reads in /metrics, and what a shutdown waits for. */
import type { JsonObject } from '@bifrost/sdk';
import { postJson, recordingById, startReplayUpstream } from '@bifrost/testkit';
import type { ReplayUpstream } from '@bifrost/testkit';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startGatewayProcess } from './gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { factsOf } from './recorded-facts.ts';

const recording = recordingById(
  'anthropic/reasoning_stream/llm-anthropic--test-anthropic-test-opus-46-adaptive-thinking-0-4ce2aa',
);
const facts = factsOf(recording);

let upstream: ReplayUpstream;
let gateway: GatewayProcess;
beforeAll(async () => {
  upstream = await startReplayUpstream();
  const provider = (network: JsonObject): JsonObject => ({
    keys: [{ name: 'test', value: 'sk-upstream', models: ['*'], weight: 1 }],
    network_config: { base_url: upstream.url, ...network },
  });
  const custom = { custom_provider_config: { base_provider_type: 'anthropic' } };
  const providers = {
    anthropic: provider({}),
    billed: { ...provider({ on_client_disconnect: 'drain', drain_timeout_in_seconds: 20 }), ...custom },
  };
  gateway = await startGatewayProcess({ providers }, ['-threads', '1', '-log-level', 'error']);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await upstream.close();
});

/** Asks for a stream, and leaves after some of its events. */
async function askAndLeave(provider: string): Promise<void> {
  upstream.reset();
  upstream.script([{ recording, delivery: { cut: 'events', delayBetweenWritesMs: 20 } }]);
  const body = {
    model: `${provider}/m`,
    max_tokens: 9,
    stream: true,
    messages: [{ role: 'user', content: 'hi' }],
  };
  await postJson(`${gateway.url}/anthropic/v1/messages`, body, {}, { abortAfterEvents: 4 }).catch(() => undefined);
}

/** The value of a series, labels in any order. */
async function metric(name: string, ...labels: readonly string[]): Promise<number> {
  const answer = await postJson(`${gateway.url}/metrics`, undefined, {}, { method: 'GET' });
  const lines = answer.text().split('\n');
  const line = lines.find((one) => one.startsWith(`${name}{`) && labels.every((label) => one.includes(label)));
  return Number(line?.split(' ').at(-1) ?? 0);
}

const outputOf = async (provider: string): Promise<number> => {
  const label = `provider="${provider}"`;
  const kinds = ['kind="outputTokens"', 'kind="reasoningTokens"'];
  const values = await Promise.all(kinds.map((kind) => metric('bifrost_tokens_total', label, kind)));
  return values.reduce((sum, value) => sum + value, 0);
};

it('with drain the tokens of the whole answer are counted, once, and with cancel those reported until then', async () => {
  await askAndLeave('billed');
  await vi.waitFor(async () => expect(await outputOf('billed')).toBe(facts.outputTokens), { timeout: 10_000 });
  expect(await metric('bifrost_drained_requests_total', 'provider="billed"', 'outcome="complete"')).toBe(1);
  await askAndLeave('anthropic');
  await vi.waitFor(
    async () => expect(await metric('bifrost_requests_total', 'provider="anthropic"', 'status="499"')).toBe(1),
    { timeout: 10_000 },
  );
  expect(await outputOf('anthropic')).toBeLessThan(facts.outputTokens ?? 0);
  expect(await metric('bifrost_drained_requests_total', 'provider="anthropic"')).toBe(0);
});

it('a shutdown waits until the answer is read', async () => {
  await askAndLeave('billed');
  const request = await upstream.request(0);
  gateway.kill('SIGTERM');
  expect(await gateway.exited).toBe(0);
  expect([request.finishedAt === undefined, request.isAborted]).toEqual([false, false]);
});
