import { isJsonObject } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';
import { startReplayUpstream } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import type { ClientConfig, ProviderConfig } from '../config.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';
import type { InboundRoute } from './seam.ts';

const answer = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'Paris' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 3, output_tokens: 2 },
  odd: [1, { two: null }],
};
const both: Partial<ProviderConfig> = { isRawRequestSentBack: true, isRawResponseSentBack: true };
const wishes = { 'x-bf-send-back-raw-request': 'true', 'x-bf-send-back-raw-response': 'true' };

interface Setting {
  readonly route?: InboundRoute;
  readonly config?: Partial<ProviderConfig>;
  readonly client?: Partial<ClientConfig>;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask({ route = routes.chat, config = {}, client = {}, headers = {} }: Setting) {
  await using upstream = await startReplayUpstream({ script: [{ body: answer }] });
  const { network: _network, definition: _definition, ...changes } = config;
  await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url, changes)], client });
  const body = { model: 'anthropic/claude', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] };
  const sink = await gateway.post(route, body, { headers });
  expect(sink.statusCode).toBe(200);
  const request = await upstream.request(0);
  await request.received;
  const extra = sink.json['extra_fields'];
  const fields: JsonObject = extra !== undefined && isJsonObject(extra) ? extra : {};
  return { fields, sink, sent: JSON.parse(request.body.toString()) as JsonObject };
}

describe('raw payloads', () => {
  it('stand in extra_fields where the provider is configured so: the bodies and no secret', async () => {
    const { fields, sink, sent } = await ask({ config: both });
    expect(fields['raw_request']).toEqual(sent);
    expect(fields['raw_response']).toEqual(answer);
    expect(sink.text).not.toContain('secret-k1');
  });

  it('are given one by one', async () => {
    const { fields } = await ask({ config: { isRawResponseSentBack: true } });
    expect(fields).not.toHaveProperty('raw_request');
    expect(fields['raw_response']).toEqual(answer);
  });

  it("follow the caller's headers, both ways, only where the operator lets them", async () => {
    const isPerRequestRawOverrideAllowed = true;
    const asked = await ask({ client: { isPerRequestRawOverrideAllowed }, headers: wishes });
    expect(asked.fields).toHaveProperty('raw_request');
    const headers = { 'x-bf-send-back-raw-request': 'false' };
    const refused = await ask({ client: { isPerRequestRawOverrideAllowed }, headers, config: both });
    expect(refused.fields).not.toHaveProperty('raw_request');
    expect(refused.fields).toHaveProperty('raw_response');
    const ignored = await ask({ headers: wishes });
    expect(ignored.fields).not.toHaveProperty('raw_request');
    expect(ignored.fields).not.toHaveProperty('raw_response');
  });

  it('leave answers alone that pass as they came, and drop-in routes', async () => {
    const passed = await ask({ config: both, route: routes.anthropic });
    expect(passed.sink.json).toEqual(answer);
    const dropIn = await ask({ config: both, route: routes.openai });
    expect(dropIn.sink.json).not.toHaveProperty('extra_fields');
  });
});
