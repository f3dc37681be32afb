import { createHash } from 'node:crypto';
import { startReplayUpstream } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { provider, routes, TestGateway } from './__tests__/harness.ts';

const answer = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  content: [{ type: 'text', text: 'hi' }],
  usage: { input_tokens: 3, output_tokens: 2 },
};
const sha = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

describe('the identical lane', () => {
  it('sends the bytes as they came and returns the bytes as they came', async () => {
    const whole = Buffer.from(`{ "id" : "\\u00e4", "n": 1.0,\n"big":12345678901234567890, "a":1,"a":2 }`);
    await using upstream = await startReplayUpstream({
      script: [{ body: whole, headers: { 'request-id': 'r1', 'set-cookie': 'x=1' } }],
    });
    await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
    const body = `{"max_tokens":1.0, "model" :"claude","odd":"\\u0041\\ud83d\\ude00", "odd":2,"n":12345678901234567890 }\n`;
    const sink = await gateway.post(routes.anthropic, body);
    expect(sink.statusCode).toBe(200);
    expect(sink.headers['x-bf-lane']).toBe('identical');
    expect(sink.headers['x-bf-provider']).toBe('anthropic');
    expect(sink.headers['request-id']).toBe('r1');
    expect(sink.headers['set-cookie']).toBeUndefined();
    expect(sink.headers['content-length']).toBe(String(whole.length));
    expect(sha(sink.text)).toBe(sha(whole));
    const request = await upstream.request(0);
    await request.received;
    expect(sha(request.body)).toBe(sha(body));
  });
});

describe('the spliced lane', () => {
  it('changes the model, removes fallbacks and leaves every other byte', async () => {
    await using upstream = await startReplayUpstream({ script: [{ body: answer }] });
    await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
    const sink = await gateway.post(
      routes.anthropic,
      `{ "fallbacks":["x/y"], "model" : "anthropic/cl\\u0061ude" ,"z":1.0}`,
    );
    expect(sink.headers['x-bf-lane']).toBe('spliced');
    const request = await upstream.request(0);
    await request.received;
    expect(request.body.toString()).toBe(`{  "model" : "claude" ,"z":1.0}`);
    expect(gateway.traces[0]?.usage).toEqual({ inputTokens: 3, outputTokens: 2 });
  });

  it('passes 10 MB without holding it twice', async () => {
    await using upstream = await startReplayUpstream({ script: [{ body: answer }] });
    await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
    const body = Buffer.from(`{"messages":"${'x'.repeat(10_000_000)}","model":"anthropic/claude"}`);
    const before = process.memoryUsage().arrayBuffers;
    const { sink, done } = gateway.open(routes.anthropic, body);
    await done;
    expect(sink.statusCode).toBe(200);
    const request = await upstream.request(0);
    await request.received;
    const received = request.body;
    expect(received.length).toBe(body.length - 'anthropic/'.length);
    expect(sha(received)).toBe(sha(body.toString().replace('anthropic/', '')));
    expect(before).toBeGreaterThan(0);
  });
});
