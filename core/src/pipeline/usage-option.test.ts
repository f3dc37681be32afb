import { startReplayUpstream } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { parseSse } from '../sse/parser.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';

const chunk = (more: object) => ({
  data: JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...more }),
});
const content = chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: 'hi' }, finish_reason: null }] });
const finish = chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
const usage = chunk({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } });
const done = { data: '[DONE]' };
const events = [content, finish, usage, done];

async function stream(body: object, name = 'openai') {
  const results = [];
  for (const delivery of ['whole', 'events', 'bytes'] as const) {
    await using upstream = await startReplayUpstream({ script: [{ events, delivery }] });
    await using gateway = new TestGateway({ providers: [provider(name, upstream.url)] });
    const sink = await gateway.post(
      { ...routes.openai, defaultProvider: name },
      { model: 'm', stream: true, messages: [], ...body },
    );
    expect(sink.statusCode).toBe(200);
    expect(gateway.traces[0]?.usage).toEqual({ inputTokens: 3, outputTokens: 2, totalTokens: 5 });
    results.push({ sent: upstream.requests[0]?.json(), events: parseSse(sink.text), lane: sink.headers['x-bf-lane'] });
  }
  return results;
}

describe('the usage chunk of a chat stream', () => {
  it('is asked for, counted and kept from a client that did not ask', async () => {
    for (const body of [{}, { stream_options: null }, { stream_options: { include_usage: false, x: 1 } }]) {
      for (const result of await stream(body)) {
        expect(result.sent?.['stream_options']).toMatchObject({ include_usage: true });
        expect(result.events).toEqual([content, finish, done]);
        expect(result.lane).toBe('spliced');
      }
    }
  });

  it('reaches a client that asked', async () => {
    for (const result of await stream({ stream_options: { include_usage: true } })) {
      expect(result.events).toEqual(events);
      expect(result.lane).toBe('identical');
    }
  });

  it('is not asked for where the provider refuses the option', async () => {
    for (const result of await stream({}, 'mistral')) {
      expect(result.sent?.['stream_options']).toBeUndefined();
      expect(result.lane).toBe('identical');
    }
  });
});

describe('a Gemini client that reads one JSON array', () => {
  it('gets the events as elements, and an error as the last one', async () => {
    const part = (text: string, more: object = {}) => ({
      data: JSON.stringify({ candidates: [{ content: { parts: [{ text }] }, ...more }] }),
    });
    const gemini = [part('a'), part('b', { finishReason: 'STOP' })];
    const route = { ...routes.gemini, pathModel: 'g', pathStream: true, streamFraming: 'json-array' as const };
    await using upstream = await startReplayUpstream({
      script: [{ events: gemini }, { events: gemini, delivery: { endAfterEvents: 1 } }],
    });
    await using gateway = new TestGateway({ providers: [provider('gemini', upstream.url)] });
    const sink = await gateway.post(route, { contents: [] });
    expect(upstream.requests[0]?.path).toBe('/v1beta/models/g:streamGenerateContent?alt=sse');
    expect(sink.headers['content-type']).toBe('application/json');
    expect(JSON.parse(sink.text)).toEqual(gemini.map((one) => JSON.parse(one.data) as unknown));
    const cut = await gateway.post(route, { contents: [] });
    const elements = JSON.parse(cut.text) as { error?: object }[];
    expect(elements.length).toBe(2);
    expect(elements[1]?.error).toMatchObject({ code: 502 });
  });
});
