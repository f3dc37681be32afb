import { recordedBytes, recordingsOfApi, startReplayUpstream } from '@bifrost/testkit';
import type { ReplayAnswer } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { chainsOf } from '../plugins/__tests__/chains-of.ts';
import { parseSse } from '../sse/parser.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';

const recording = recordingsOfApi('openai.chat_completions').find(
  (one) =>
    one.provider === 'openai' &&
    one.stream &&
    one.response.status === 200 &&
    !one.features.includes('multiple_choices') &&
    recordedBytes(one.response).toString().trimEnd().endsWith('data: [DONE]'),
) as NonNullable<ReturnType<typeof recordingsOfApi>[number]>;
const events = parseSse(recordedBytes(recording.response));
const finishAt = events.findIndex((event) => /"finish_reason"\s*:\s*"/.test(event.data));
const ask = { model: 'gpt', stream: true, messages: [{ role: 'user', content: 'hi' }] };

const lookAtChunks = { name: 'looks', httpTransportStreamChunkHook: () => undefined };
const ways = [
  { way: 'passed', plugins: undefined, route: routes.openai, body: ask },
  { way: 'seen by a plugin', plugins: lookAtChunks, route: routes.openai, body: ask },
  {
    way: 'translated',
    plugins: undefined,
    route: routes.anthropic,
    body: { ...ask, model: 'openai/gpt', max_tokens: 9 },
  },
] as const;

async function stream(way: (typeof ways)[number], answer: ReplayAnswer, more: object = {}) {
  await using upstream = await startReplayUpstream({ script: [answer] });
  const chains = way.plugins === undefined ? {} : { plugins: chainsOf([way.plugins]).chains };
  await using gateway = new TestGateway({ providers: [provider('openai', upstream.url)], ...chains });
  const sink = await gateway.post(way.route, { ...way.body, ...more });
  return { sink, error: gateway.traces[0]?.error, heard: parseSse(sink.text) };
}

const isEnd = (data: string | undefined): boolean => /\[DONE\]|message_stop/.test(data ?? '');

describe.each(ways)('a chat stream that is $way', (way) => {
  it('ends properly when the provider ends or dies between finish reason and [DONE]', async () => {
    const deliveries = [{ endAfterEvents: finishAt + 1 }, { dieAfterEvents: finishAt + 1 }];
    for (const delivery of deliveries) {
      const { heard, error } = await stream(way, { recording, delivery });
      expect(isEnd(heard.at(-1)?.data), JSON.stringify(delivery)).toBe(true);
      expect(heard.filter((event) => isEnd(event.data))).toHaveLength(1);
      expect(error).toBeUndefined();
    }
  });

  it('ends in an error when the provider ends or dies before the finish reason', async () => {
    for (const delivery of [{ endAfterEvents: finishAt }, { dieAfterEvents: finishAt }]) {
      const { heard, error } = await stream(way, { recording, delivery });
      expect(heard.some((event) => isEnd(event.data))).toBe(false);
      expect(heard.at(-1)?.data).toContain('"error"');
      expect(error?.code).toMatch(/TRUNCATED/);
    }
  });

  it('has one end where nothing is missing', async () => {
    const { heard } = await stream(way, { recording });
    expect(heard.filter((event) => isEnd(event.data))).toHaveLength(1);
  });
});

describe('a chat stream without its last events', () => {
  const [passed] = ways;

  it('gets [DONE] after a last event that came without its blank line', async () => {
    const text = events
      .slice(0, finishAt + 1)
      .map((event) => `data: ${event.data}`)
      .join('\n\n');
    const headers = { 'content-type': 'text/event-stream' };
    const { heard } = await stream(passed, { body: Buffer.from(text), headers });
    expect(heard.map((event) => event.data)).toEqual([
      ...events.slice(0, finishAt + 1).map((event) => event.data),
      '[DONE]',
    ]);
  });

  it('is incomplete where the provider died, the client asked for several choices and one has finished', async () => {
    const { heard, error } = await stream(passed, { recording, delivery: { dieAfterEvents: finishAt + 1 } }, { n: 2 });
    expect(heard.some((event) => isEnd(event.data))).toBe(false);
    expect(error?.code).toMatch(/TRUNCATED/);
  });

  it('is not taken for finished by an empty finish reason', async () => {
    const odd = events.slice(0, finishAt).map((event) => ({
      data: event.data.replace(/"finish_reason"\s*:\s*null/, '"finish_reason":""'),
    }));
    const { error } = await stream(passed, { events: odd });
    expect(error?.code).toBe('BF_STREAM_TRUNCATED');
  });
});
