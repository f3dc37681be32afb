import type { JsonObject } from '@bifrost/sdk';
import { startReplayUpstream } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { provider, routes, TestGateway } from './__tests__/harness.ts';
import { mergeExtraParams } from './extra-params.ts';

const answer = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'Paris' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 3, output_tokens: 2 },
};
const passing = { 'x-bf-passthrough-extra-params': 'true' };
const ask = {
  model: 'anthropic/claude',
  max_tokens: 5,
  messages: [{ role: 'user', content: 'hi' }],
  fallbacks: ['anthropic/other'],
  logit_bias: { '1': 2 },
  new_switch: { on: true, depth: { of: [1] } },
};

async function send(body: object, headers: Readonly<Record<string, string>>) {
  await using upstream = await startReplayUpstream({ script: [{ body: answer }] });
  await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
  const sink = await gateway.post(routes.chat, body, { headers });
  expect(sink.statusCode, sink.text).toBe(200);
  const request = await upstream.request(0);
  await request.received;
  expect(JSON.stringify(request.headers)).not.toContain('x-bf-');
  return {
    dropped: String(sink.headers['x-bf-dropped-fields'] ?? ''),
    sent: JSON.parse(request.body.toString()) as JsonObject,
  };
}

describe('fields that no dialect knows', () => {
  it('are sent on as they are where the caller wants it, and are then no loss', async () => {
    const { sent, dropped } = await send(ask, passing);
    expect(sent['new_switch']).toEqual(ask.new_switch);
    expect(dropped).not.toContain('new_switch');
    expect(sent).toMatchObject({ model: 'claude', max_tokens: 5 });
    for (const field of ['fallbacks', 'logit_bias', 'stream_options']) expect(sent).not.toHaveProperty(field);
    expect(dropped).toContain('logit_bias');
  });

  it('are dropped and told otherwise', async () => {
    for (const headers of [{}, { 'x-bf-passthrough-extra-params': 'false' }]) {
      const { sent, dropped } = await send(ask, headers);
      expect(sent).not.toHaveProperty('new_switch');
      expect(dropped).toContain('new_switch');
    }
  });
});

describe('the merge', () => {
  it('goes into objects and leaves what the body says', () => {
    const body = { a: 1, b: { c: 2, d: { e: 3 } }, list: [1] };
    const extra = { a: 9, b: { c: 9, d: { f: 4 }, g: 5 }, list: [2], h: null };
    expect(mergeExtraParams(body, extra)).toEqual({ a: 1, b: { c: 2, d: { e: 3, f: 4 }, g: 5 }, list: [1], h: null });
  });

  it('keeps a field that is called __proto__ a field', () => {
    const merged = mergeExtraParams({ a: 1 }, JSON.parse('{"__proto__":{"polluted":true}}') as JsonObject);
    expect(JSON.stringify(merged)).toBe('{"a":1,"__proto__":{"polluted":true}}');
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  });
});
