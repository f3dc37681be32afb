import { describe, expect, it } from 'vitest';
import type { JsonObject, StreamFrame } from '@bifrost/sdk';
import { recordingsOfApi } from '@bifrost/testkit';
import { parseSse } from '../../sse/parser.ts';
import type { SseEvent } from '../../sse/event.ts';
import type { Loss } from '../codec.ts';
import { anthropicMessagesCodec as codec } from './codec.ts';
import { anthropicCountTokens } from './count-tokens.ts';

const recordings = recordingsOfApi('anthropic.messages');
const requests = recordings.filter((one) => one.request?.body_encoding === 'json');
const answers = recordings.filter((one) => one.response.body_encoding === 'json' && one.response.status < 300);
const streams = recordings.filter((one) => one.stream && one.response.body_encoding === 'text');

function options() {
  const losses: Loss[] = [];
  return { losses, options: { report: { add: (loss: Loss) => losses.push(loss) } } };
}

/** Through JSON: what a plugin in another thread would hand back, and `undefined` members do not count. */
function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}

function decodeAll(events: readonly SseEvent[]): readonly StreamFrame[] {
  const decoder = codec.createStreamDecoder();
  return [...events.flatMap((event) => decoder.push(event)), ...decoder.finish()];
}

function encodeAll(frames: readonly StreamFrame[]): readonly SseEvent[] {
  const encoder = codec.createStreamEncoder(options().options);
  return [...frames.flatMap((frame) => encoder.push(frame)), ...encoder.finish()];
}

function readable(events: readonly SseEvent[]): readonly unknown[] {
  return events.map((event) => ({ event: event.event, data: JSON.parse(event.data) as unknown }));
}

it('has the recordings that the laws are held against', () => {
  expect([requests.length, answers.length, streams.length]).toEqual([214, 141, 84]);
});

describe('law 2: decode, then encode, gives the same', () => {
  it.each(requests.map((one) => [one.id, one] as const))('request of %s', (_id, recording) => {
    const body = recording.request?.body as JsonObject;
    const { losses, options: encodeOptions } = options();
    const request = plain(codec.decodeRequest(body, {}));
    expect(plain(codec.encodeRequest(request, encodeOptions))).toEqual(body);
    expect(losses).toEqual([]);
  });

  it.each(answers.map((one) => [one.id, one] as const))('answer of %s', (_id, recording) => {
    const body = recording.response.body as JsonObject;
    const { losses, options: encodeOptions } = options();
    expect(plain(codec.encodeResponse(plain(codec.decodeResponse(body)), encodeOptions))).toEqual(body);
    expect(losses).toEqual([]);
  });

  it.each(streams.map((one) => [one.id, one] as const))('stream of %s', (_id, recording) => {
    const events = parseSse(recording.response.body as string);
    expect(readable(encodeAll(plain(decodeAll(events))))).toEqual(readable(events));
  });

  it('count_tokens requests and answers', () => {
    for (const recording of recordingsOfApi('anthropic.count_tokens')) {
      const body = recording.request?.body as JsonObject;
      const request = plain(anthropicCountTokens.decodeRequest(body));
      expect(plain(anthropicCountTokens.encodeRequest(request, options().options))).toEqual(body);
      const answer = recording.response.body as JsonObject;
      expect(anthropicCountTokens.encodeResponse(anthropicCountTokens.decodeResponse(answer))).toEqual(answer);
    }
  });
});
