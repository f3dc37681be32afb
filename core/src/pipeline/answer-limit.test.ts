import { startReplayUpstream } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { maxAnswerBytes } from './buffered-whole.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';

const ask = { model: 'anthropic/claude', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] };
const padding = (bytes: number): Buffer => Buffer.alloc(bytes, 0x20);
const answer = Buffer.from(
  JSON.stringify({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content: [{ type: 'text', text: 'Paris' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 3, output_tokens: 2 },
  }),
);
const ofSize = (bytes: number): Buffer => Buffer.concat([answer, padding(bytes - answer.length)]);

describe('a whole answer that is held', () => {
  it('fails its attempt above the limit: asked once, 502 in the shape of the route', async () => {
    await using upstream = await startReplayUpstream({ script: [{ body: ofSize(maxAnswerBytes + 1), times: 2 }] });
    const anthropic = provider('anthropic', upstream.url, { network: { maxRetries: 2 } });
    await using gateway = new TestGateway({ providers: [anthropic] });
    const sink = await gateway.post(routes.openai, ask);
    expect(sink.statusCode).toBe(502);
    expect(sink.json['error']).toMatchObject({ code: 'BF_UPSTREAM_ANSWER_TOO_LARGE' });
    expect(gateway.traces[0]?.attempts).toHaveLength(1);
  });

  it('is replaced by a fallback, and is fine at the limit', async () => {
    await using upstream = await startReplayUpstream({
      script: [{ body: ofSize(maxAnswerBytes + 1) }, { body: ofSize(maxAnswerBytes) }],
    });
    await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
    const sink = await gateway.post(routes.chat, { ...ask, fallbacks: ['anthropic/other'] });
    expect(sink.statusCode).toBe(200);
    expect(sink.text).toContain('Paris');
    expect(sink.headers['x-bf-is-fallback']).toBe('true');
  });

  it('has no limit where it passes as it came', async () => {
    await using upstream = await startReplayUpstream({ script: [{ body: ofSize(maxAnswerBytes + 1) }] });
    await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
    const sink = await gateway.post(routes.anthropic, { ...ask, model: 'claude' });
    expect(sink.statusCode).toBe(200);
    expect(sink.chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(maxAnswerBytes + 1);
  });
});
