/** Requests whose body is stored: the same lanes and the same bytes as if it were held. */
import { GatewayError } from '@bifrost/sdk';
import { startReplayUpstream } from '@bifrost/testkit';
import { describe, expect, it, vi } from 'vitest';
import { storedOf } from '../body/__tests__/stored.ts';
import type { StoredBody } from '../body/stored-body.ts';
import { chainsOf } from '../plugins/__tests__/chains-of.ts';
import { key, provider, routes, TestGateway } from './__tests__/harness.ts';
import type { InboundRoute } from './seam.ts';

const text = 'x'.repeat(300_000);
const answer = { body: { id: 'a', object: 'chat.completion', choices: [] }, times: 100 };
const answered = async (gateway: TestGateway, route: InboundRoute, body: StoredBody | Buffer) =>
  gateway.post(route, '', { body });

describe('a request whose body is stored', () => {
  it.each([
    ['identical', routes.openai, `{"messages":[{"role":"user","content":"${text}"}],"model":"gpt","odd":1.0}`],
    ['spliced', routes.chat, `{"model":"openai/gpt","messages":[{"role":"user","content":"${text}"}]}`],
    ['spliced', routes.chat, `{"messages":[{"role":"user","content":"${text}"}], "model" : "openai/gpt" }`],
    [
      'spliced',
      routes.openai,
      `{"fallbacks":["x/y"],"m":"${text}","model":"gpt","stream":true,"stream_options":{"a":1}}`,
    ],
    ['spliced', routes.openai, `{"m":"${text}","model":"gpt","stream":true}`],
    [
      'translated',
      routes.anthropic,
      `{"model":"openai/gpt","max_tokens":5,"messages":[{"role":"user","content":"${text}"}]}`,
    ],
    [
      'translated',
      routes.chat,
      `{"model":"openai/gpt","messages":[{"role":"tool","tool_call_id":"c__bfsig_YQ","content":"${text}"}]}`,
    ],
  ])('leaves on the lane %s with the bytes of one that is held (%#)', async (lane, route, body) => {
    await using upstream = await startReplayUpstream({ script: [answer] });
    await using gateway = new TestGateway({ providers: [provider('openai', upstream.url)] });
    const held = await answered(gateway, route, Buffer.from(body));
    const stored = storedOf(body, route, 4096);
    const whole = vi.spyOn(stored, 'whole');
    const sink = await answered(gateway, route, stored);
    expect(sink.headers['x-bf-lane']).toBe(lane);
    expect(sink.headers['x-bf-lane']).toBe(held.headers['x-bf-lane']);
    const [first, second] = await Promise.all([upstream.request(0), upstream.request(1)]);
    await Promise.all([first.received, second.received]);
    expect(second.body.equals(first.body)).toBe(true);
    expect(second.headers['content-length']).toBe(first.headers['content-length']);
    expect(whole.mock.calls.length > 0).toBe(lane === 'translated');
  });

  it('is sent anew by a retry, with the next key and to a fallback', async () => {
    const failures = [
      { status: 500, body: {} },
      { status: 429, body: {} },
      { status: 401, body: {} },
    ];
    await using upstream = await startReplayUpstream({ script: [...failures, { status: 500, body: {} }] });
    await using other = await startReplayUpstream({ script: [answer] });
    const first = provider('openai', upstream.url, { keys: [key('a'), key('b')], network: { maxRetries: 3 } });
    const second = provider('groq', other.url);
    await using gateway = new TestGateway({ providers: [first, second] });
    const body = (model: string, rest = '') => `{"m":"${text}","model":"${model}"${rest}}`;
    const stored = storedOf(body('openai/gpt', ',"fallbacks":["groq/llama"]'), routes.chat);
    const sink = await answered(gateway, routes.chat, stored);
    expect([sink.statusCode, sink.headers['x-bf-provider']]).toEqual([200, 'groq']);
    expect(upstream.requests.length).toBeGreaterThan(2);
    for (const request of upstream.requests) expect(request.body.toString()).toBe(body('gpt'));
    expect(other.requests.map((request) => request.body.toString())).toEqual([body('llama')]);
  });

  it('is not read by plugins that read the head', async () => {
    await using upstream = await startReplayUpstream({ script: [answer] });
    const seen: unknown[] = [];
    const { chains: plugins } = chainsOf([
      { name: 'head', preLLMHook: (_context, { model }) => void seen.push(model) },
    ]);
    await using gateway = new TestGateway({ providers: [provider('openai', upstream.url)], plugins });
    const stored = storedOf(`{"m":"${text}","model":"openai/gpt"}`, routes.chat);
    const whole = vi.spyOn(stored, 'whole');
    await answered(gateway, routes.chat, stored);
    expect([seen, whole.mock.calls.length]).toEqual([['gpt'], 0]);
  });

  it('is handed whole to a plugin that reads it, which may replace it', async () => {
    await using upstream = await startReplayUpstream({ script: [answer] });
    const seen: number[] = [];
    const { chains: plugins } = chainsOf([
      {
        name: 'body',
        httpTransportPreHook: {
          reads: 'body',
          handler: (_context, { body, headers }) => {
            seen.push(body?.length ?? 0);
            return headers['x-replace'] === undefined ? undefined : { request: { body: '{"model":"openai/other"}' } };
          },
        },
      },
    ]);
    await using gateway = new TestGateway({ providers: [provider('openai', upstream.url)], plugins });
    const body = `{"m":"${text}","model":"openai/gpt"}`;
    const sink = await answered(gateway, routes.chat, storedOf(body, routes.chat));
    expect(sink.headers['x-bf-lane']).toBe('spliced');
    await gateway.post(routes.chat, '', { body: storedOf(body, routes.chat), headers: { 'x-replace': '1' } });
    expect(seen).toEqual([body.length, body.length]);
    await Promise.all(upstream.requests.map((request) => request.received));
    const bodies = upstream.requests.map((request) => request.body.toString());
    expect(bodies).toEqual([body.replace('openai/', ''), '{"model":"other"}']);
  });

  it('is refused where it is no JSON object, with the words for one that is held', async () => {
    await using gateway = new TestGateway({ providers: [provider('openai', 'http://127.0.0.1:9')] });
    const body = `{"m":"${text}","model":tru}`;
    const held = await answered(gateway, routes.chat, Buffer.from(body));
    const sink = await answered(gateway, routes.chat, storedOf(body, routes.chat));
    expect([sink.statusCode, sink.text]).toEqual([400, held.text]);
  });

  it('is answered with the error of its store where there is no room for it as a whole', async () => {
    await using upstream = await startReplayUpstream({ script: [answer] });
    await using gateway = new TestGateway({ providers: [provider('openai', upstream.url)] });
    const stored = storedOf(`{"max_tokens":5,"messages":"${text}","model":"openai/gpt"}`, routes.anthropic);
    const info = { retryAfterSeconds: 1 };
    const refusal = new GatewayError('too much is held', { code: 'X', statusCode: 429, info });
    vi.spyOn(stored, 'whole').mockImplementation(() => {
      throw refusal;
    });
    const sink = await answered(gateway, routes.anthropic, stored);
    expect([sink.statusCode, sink.headers['retry-after']]).toEqual([429, '1']);
    expect(JSON.parse(sink.text)).toMatchObject({ type: 'error', error: { message: 'too much is held' } });
    expect(upstream.requests.length).toBe(0);
  });
});
