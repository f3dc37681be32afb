import { startReplayUpstream } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { key, provider, routes, TestGateway } from './__tests__/harness.ts';

const fine = { body: { id: 'c', choices: [] } };
const post = async (
  providers: ReturnType<typeof provider>[],
  route: Parameters<TestGateway['post']>[0],
  body: unknown,
) => {
  await using gateway = new TestGateway({ providers });
  return gateway.post(route, body);
};

describe('a model name', () => {
  it('is split at the first slash only where the prefix is a configured provider', async () => {
    await using upstream = await startReplayUpstream({ otherwise: fine });
    const groq = provider('groq', upstream.url);
    const sink = await post([groq], routes.chat, { model: 'meta-llama/llama-4' });
    expect(sink.headers).toMatchObject({ 'x-bf-provider': 'groq', 'x-bf-model': 'meta-llama/llama-4' });
    const split = await post([groq], routes.chat, { model: 'groq/meta-llama/llama-4' });
    expect(split.headers['x-bf-model']).toBe('meta-llama/llama-4');
    expect(upstream.requests.map((one) => one.json()['model'])).toEqual(['meta-llama/llama-4', 'meta-llama/llama-4']);
  });

  it("without a provider goes to the drop-in route's own, else to the only one that names it", async () => {
    await using upstream = await startReplayUpstream({ otherwise: fine });
    const providers = [
      provider('openai', upstream.url),
      provider('groq', upstream.url),
      provider('xai', upstream.url, { keys: [key('x', { models: ['grok-4'] })] }),
    ];
    expect((await post(providers, routes.openai, { model: 'any' })).headers['x-bf-provider']).toBe('openai');
    expect((await post(providers, routes.chat, { model: 'grok-4' })).headers['x-bf-provider']).toBe('xai');
    const open = await post(providers, routes.chat, { model: 'any' });
    expect(open.statusCode).toBe(400);
    expect(open.text).toContain('several providers may serve the model \\"any\\": openai/any, groq/any');
    expect(open.text).toContain('provider/model');
    expect(open.json).toMatchObject({
      is_bifrost_error: true,
      status_code: 400,
      error: { param: 'model', code: 'BF_MODEL_UNRESOLVED' },
    });
  });

  it("that nobody serves is a 400 in the dialect of the route, and never the mock's", async () => {
    const sink = await post([], routes.anthropic, { model: 'claude', max_tokens: 1, messages: [] });
    expect(sink.statusCode).toBe(400);
    expect(sink.json).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
    expect(sink.text).toContain('mock');
    const gemini = await post([], { ...routes.gemini, pathModel: 'nobody/x' }, {});
    expect(gemini.json).toMatchObject({ error: { code: 400, status: 'INVALID_ARGUMENT' } });
  });

  it.each([
    ['{"model":5}', '"model" must be a string'],
    ['{}', 'it is missing'],
    ['{"model":"a","stream":"yes"}', '"stream" must be true or false'],
    ['{"model":"a","fallbacks":"b"}', '"fallbacks" must be an array'],
    ['{"model":"a"', 'byte offset 12'],
    ['', 'the end of the body'],
    ['\u0000', 'byte 0x00'],
  ])('in %j is refused with what was expected', async (body, message) => {
    const sink = await post([], routes.chat, body);
    expect(sink.statusCode).toBe(400);
    const { error } = sink.json as { error?: { message: string } };
    expect(error?.message).toContain(message);
  });
});

describe('a request type', () => {
  it('that a custom provider does not allow, or a provider does not have, is refused', async () => {
    await using upstream = await startReplayUpstream({ otherwise: fine });
    const custom = provider('openai', upstream.url, { allowedRequests: ['chat_completion'] });
    expect((await post([custom], routes.chat, { model: 'm' })).statusCode).toBe(200);
    const stream = await post([custom], routes.chat, { model: 'm', stream: true });
    expect(stream.statusCode).toBe(400);
    expect(stream.text).toContain('chat_completion_stream');
    const counting = { ...routes.anthropic, operation: 'count-tokens', requestType: 'count_tokens' } as const;
    const none = await post([provider('openai', upstream.url)], counting, { model: 'openai/m', messages: [] });
    expect(none.statusCode).toBe(400);
    expect(none.text).toContain('does not offer the operation count_tokens');
  });

  it('goes to the path that the operator gave it', async () => {
    await using upstream = await startReplayUpstream({ otherwise: fine });
    const overrides = { chat_completion: '/custom/chat', chat_completion_stream: `${upstream.url}/absolute` };
    const custom = provider('openai', `${upstream.url}/base`, { requestPathOverrides: overrides });
    await post([custom], routes.chat, { model: 'm' });
    await post([custom], routes.chat, { model: 'm', stream: true });
    expect(upstream.requests.map((one) => one.path)).toEqual(['/base/custom/chat', '/absolute']);
  });
});

describe('the engine', () => {
  it('asks for required headers', async () => {
    await using gateway = new TestGateway({ providers: [], client: { requiredHeaders: ['X-Team'] } });
    const sink = await gateway.post(routes.chat, { model: 'mock/x', messages: [] });
    expect(sink.statusCode).toBe(400);
    expect(sink.text).toContain('X-Team');
  });

  it('ends what is under way before it has drained, and refuses what comes later', async () => {
    await using upstream = await startReplayUpstream({
      otherwise: { ...fine, delivery: { delayBeforeHeadersMs: 50 } },
    });
    await using gateway = new TestGateway({ providers: [provider('openai', upstream.url)] });
    const { sink, done } = gateway.open(routes.openai, { model: 'm' });
    await upstream.request(0);
    const drained = gateway.engine.drain();
    const late = await gateway.post(routes.openai, { model: 'm' });
    expect(late.statusCode).toBe(503);
    await drained;
    expect(sink.isEnded).toBe(true);
    await done;
  });

  it('swaps its configuration for new requests only', async () => {
    await using first = await startReplayUpstream({ otherwise: { ...fine, delivery: { delayBeforeHeadersMs: 40 } } });
    await using second = await startReplayUpstream({ otherwise: fine });
    await using gateway = new TestGateway({ providers: [provider('openai', first.url)] });
    const early = gateway.open(routes.openai, { model: 'm' });
    await first.request(0);
    gateway.configure({ providers: [provider('openai', second.url, { network: { maxConnectionsPerHost: 3 } })] });
    await gateway.post(routes.openai, { model: 'm' });
    await early.done;
    expect(early.sink.statusCode).toBe(200);
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
  });
});
