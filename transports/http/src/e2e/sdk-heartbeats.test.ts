/** A provider that thinks for long: the comments that keep the connection alive disturb no official SDK. */
import { postJson, recordingById, startReplayUpstream } from '@bifrost/testkit';
import type { ReplayUpstream } from '@bifrost/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dialectProviders } from './dialect-providers.ts';
import { startGatewayProcess } from './gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { factsOf } from './recorded-facts.ts';
import { sdkClients } from './sdk-clients.ts';

const recording = recordingById(
  'anthropic/reasoning_stream/llm-anthropic--test-anthropic-test-opus-46-adaptive-thinking-0-4ce2aa',
);
const delivery = { cut: 'events', delayBeforeBodyMs: 2600 } as const;
const body = { model: 'anthropic/m', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'Hello' }] };

let upstream: ReplayUpstream;
beforeAll(async () => {
  upstream = await startReplayUpstream();
});
afterAll(() => upstream.close());

const start = (seconds: number): Promise<GatewayProcess> =>
  startGatewayProcess({ ...dialectProviders(upstream.url), client: { keep_alive_comment_in_seconds: seconds } }, [
    '-threads',
    '1',
  ]);

describe('comments that keep a silent stream alive', () => {
  it('are sent at the configured pace and read over by every SDK, on the same dialect and on others', async () => {
    await using gateway = await start(1);
    for (const client of sdkClients) {
      upstream.reset();
      upstream.script([{ recording, delivery }]);
      expect(await client.stream(gateway.url, 'anthropic/m'), client.name).toEqual(factsOf(recording));
    }
    upstream.reset();
    upstream.script([{ recording, delivery }]);
    const answer = await postJson(`${gateway.url}/anthropic/v1/messages`, body);
    expect(answer.text()).toMatch(/^(?::[^\n]*\n\n){2,}event: message_start\n/);
  });

  it('are off where the operator wants none: the head waits for the first content', async () => {
    await using gateway = await start(0);
    upstream.reset();
    upstream.script([{ recording, delivery }]);
    const answer = await postJson(`${gateway.url}/anthropic/v1/messages`, body);
    expect(answer.text()).toMatch(/^event: message_start\n/);
  });
});
