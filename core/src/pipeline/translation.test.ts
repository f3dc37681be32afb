import type { DialectName } from '@bifrost/sdk';
import { recordingsOfApi, startReplayUpstream } from '@bifrost/testkit';
import type { Recording } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { ResponseAccumulator } from '../conversation/accumulator.ts';
import { codecOf } from '../dialects/registry.ts';
import { parseSse } from '../sse/parser.ts';
import type { FakeSink } from './__tests__/fake-sink.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';
import type { InboundRoute } from './seam.ts';

interface Side {
  readonly dialect: DialectName;
  readonly provider: string;
  readonly route: InboundRoute;
  readonly apis: { readonly whole: string; readonly stream: string };
}

const sides: readonly Side[] = [
  {
    dialect: 'openai-chat',
    provider: 'openai',
    route: routes.chat,
    apis: { whole: 'openai.chat_completions', stream: 'openai.chat_completions' },
  },
  {
    dialect: 'openai-responses',
    provider: 'openai',
    route: { ...routes.chat, dialect: 'openai-responses', requestType: 'responses' },
    apis: { whole: 'openai.responses', stream: 'openai.responses' },
  },
  {
    dialect: 'anthropic-messages',
    provider: 'anthropic',
    route: { ...routes.anthropic, isDropIn: false },
    apis: { whole: 'anthropic.messages', stream: 'anthropic.messages' },
  },
  {
    dialect: 'gemini-generate-content',
    provider: 'gemini',
    route: { ...routes.gemini, isDropIn: false },
    apis: { whole: 'google.generate_content', stream: 'google.stream_generate_content' },
  },
];

const ask = (side: Side, model: string, stream: boolean): { body: object; route: InboundRoute } => {
  switch (side.dialect) {
    case 'openai-responses':
      return { route: side.route, body: { model, stream, input: 'hi' } };
    case 'anthropic-messages':
      return {
        route: side.route,
        body: { model, stream, max_tokens: 50, messages: [{ role: 'user', content: 'hi' }] },
      };
    case 'gemini-generate-content':
      return {
        route: { ...side.route, pathModel: model, pathStream: stream, streamFraming: 'sse' },
        body: { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] },
      };
    default:
      return {
        route: side.route,
        body: { model, stream, stream_options: { include_usage: true }, messages: [{ role: 'user', content: 'hi' }] },
      };
  }
};

/** The text and tool calls that the client received. */
function received(side: Side, sink: FakeSink, stream: boolean) {
  const codec = codecOf(side.dialect);
  if (!stream) return summary(codec.decodeResponse(sink.json));
  const accumulator = new ResponseAccumulator();
  const decoder = codec.createStreamDecoder();
  for (const event of parseSse(sink.text)) for (const frame of decoder.push(event)) accumulator.push(frame);
  for (const frame of decoder.finish()) accumulator.push(frame);
  expect(accumulator.error).toBeUndefined();
  return summary(accumulator.result());
}

function summary(response: ReturnType<ReturnType<typeof codecOf>['decodeResponse']>) {
  const parts = response.candidates[0]?.parts ?? [];
  return {
    text: parts.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    calls: parts.flatMap((part) =>
      part.type === 'tool-call' ? [[part.name, JSON.parse(part.arguments || '{}') as unknown]] : [],
    ),
    finish: response.candidates[0]?.finishReason?.kind,
    hasUsage: response.usage !== undefined,
  };
}

function expectedOf(side: Side, recording: Recording) {
  const codec = codecOf(side.dialect);
  if (!recording.stream) return summary(codec.decodeResponse(recording.response.body as never));
  const accumulator = new ResponseAccumulator();
  const decoder = codec.createStreamDecoder();
  for (const event of parseSse(recording.response.body as string))
    for (const frame of decoder.push(event)) accumulator.push(frame);
  return summary(accumulator.result());
}

const fits = (side: Side, stream: boolean) => (one: Recording) =>
  one.provider === side.provider &&
  one.stream === stream &&
  one.response.status === 200 &&
  one.response.body_encoding === (stream ? 'text' : 'json') &&
  (one.features.includes('tool_call') || one.operation.startsWith('chat')) &&
  !one.features.includes('server_tools') &&
  !one.features.includes('multiple_choices') &&
  !one.features.includes('mid_stream_error');

describe.each(sides)('a $dialect client', (from) => {
  it.each(sides)('gets what a provider of $dialect says, whole and as a stream', async (to) => {
    for (const stream of [false, true]) {
      const recordings = recordingsOfApi(stream ? to.apis.stream : to.apis.whole)
        .filter(fits(to, stream))
        .slice(0, 4);
      expect(recordings.length).toBeGreaterThan(0);
      await using upstream = await startReplayUpstream({
        script: recordings.map((recording) => ({ recording, delivery: { chunks: 9 } })),
      });
      await using gateway = new TestGateway({ providers: [provider(to.provider, upstream.url)] });
      for (const recording of recordings) {
        const { route, body } = ask(from, `${to.provider}/m`, stream);
        const definition = provider(to.provider, upstream.url).definition;
        const only = { surfaces: definition.surfaces.filter((one) => one.dialect === to.dialect) };
        if (from.dialect !== to.dialect)
          gateway.configure({ providers: [provider(to.provider, upstream.url, { definition: only })] });
        const sink = await gateway.post(route, body);
        expect(sink.statusCode, `${recording.id} ${sink.text.slice(0, 300)}`).toBe(200);
        expect(sink.headers['x-bf-lane'] === 'translated').toBe(from.dialect !== to.dialect);
        const expected = expectedOf(to, recording);
        const { hasUsage, ...answer } = received(from, sink, stream);
        expect({ ...answer, hasUsage: hasUsage && expected.hasUsage }, recording.id).toEqual(expected);
      }
    }
  });
});
