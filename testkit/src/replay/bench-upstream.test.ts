import { once } from 'node:events';
import { connect } from 'node:net';
import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postJson } from './client.ts';
import { parseWish } from './bench-answers.ts';
import type { BenchUpstreamProcess } from './start-bench-upstream.ts';
import { startBenchUpstream } from './start-bench-upstream.ts';

let upstream: BenchUpstreamProcess;
beforeAll(async () => {
  upstream = await startBenchUpstream();
});
afterAll(() => upstream[Symbol.asyncDispose]());

const post = (model: string, extra: object = {}, path = '/v1/chat/completions') =>
  postJson(upstream.url + path, { model, messages: [], ...extra });

describe('the bench upstream', () => {
  it('reads its wishes from the model name', () => {
    expect(parseWish('bench', false)).toEqual({ gapMs: 0, delayMs: 0, bodyBytes: 900 });
    expect(parseWish('bench-gap-5-stream-100-delay-20', false)).toMatchObject({
      streamChunks: 100,
      gapMs: 5,
      delayMs: 20,
    });
    expect(parseWish('bench-body-100k', false).bodyBytes).toBe(102_400);
    expect(parseWish('bench-body-10m', false).bodyBytes).toBe(10_485_760);
  });

  it('answers a completion of about 0.9 KB, and of the size asked for', async () => {
    const plain = await post('bench');
    expect(plain.json()).toMatchObject({ object: 'chat.completion' });
    expect(plain.body.length).toBe(900);
    const big = await post('bench-body-100k');
    expect(big.json()).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
    expect(big.body.length).toBe(102_400);
    expect((await post('bench', {}, '/v1/messages')).json()).toMatchObject({ type: 'message' });
  });

  it('streams as many chunks as asked for, the usage only where it is asked for', async () => {
    const plain = await post('bench-stream-100-gap-1');
    expect(plain.isComplete).toBe(true);
    expect(plain.events()).toHaveLength(101);
    expect(plain.events().at(-1)?.data).toBe('[DONE]');
    expect(plain.text()).not.toContain('prompt_tokens');
    const metered = await post('bench', { stream: true, stream_options: { include_usage: true } });
    expect(metered.events()).toHaveLength(22);
    expect(metered.text()).toContain('prompt_tokens');
    const messages = await post('bench-stream-5', {}, '/v1/messages');
    expect(messages.events().at(-1)?.event).toBe('message_stop');
  });

  it('keeps a connection alive over bodies that arrive in pieces, chunked or with a length', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const body = JSON.stringify({ model: 'bench-body-2k', text: 'x'.repeat(300_000) });
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      const answer = await postJson(`${upstream.url}/v1/chat/completions`, body, headers, { agent });
      expect(answer.body.length).toBe(2048);
    }
    agent.destroy();
    const socket = connect(upstream.port, '127.0.0.1');
    const request = 'POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 17\r\n\r\n{"model":"bench"}';
    socket.write(request + request.slice(0, 30));
    await once(socket, 'data');
    socket.write(request.slice(30));
    const [second] = (await once(socket, 'data')) as [Buffer];
    expect(second.toString()).toMatch(/^HTTP\/1\.1 200 OK/);
    socket.destroy();
  });

  it('counts what it did', async () => {
    const stats = (await postJson(`${upstream.url}/stats`, undefined, {}, { method: 'GET' })).json();
    expect(stats['requests']).toBeGreaterThan(8);
    expect(stats['cpuMicros']).toBeGreaterThan(0);
  });
});
