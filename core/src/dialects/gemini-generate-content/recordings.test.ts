import { isJsonObject } from '@bifrost/sdk';
import type { JsonObject, StreamFrame } from '@bifrost/sdk';
import { recordedBytes, recordingsOfApi } from '@bifrost/testkit';
import type { Recording } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { parseSse } from '../../sse/parser.ts';
import type { SseEvent } from '../../sse/event.ts';
import { geminiGenerateContentCodec as codec } from './codec.ts';
import { geminiCountTokens } from './count-tokens.ts';
import { JsonArrayStreamParser } from './json-array-stream.ts';

/** Recordings that do not come back deep-equal, each with the provider's fault. None is known. */
const exceptions: Readonly<Record<string, string>> = {};

const recordings = recordingsOfApi('google.generate_content', 'google.stream_generate_content').filter(
  (one) => !(one.id in exceptions),
);
const counts = recordingsOfApi('google.count_tokens');
const report = { add: (): void => undefined };

const modelOf = (path: string): string => /models\/([^:/?]+):/.exec(path)?.[1] ?? 'gemini-2.5-flash';

const requestOf = (one: Recording): JsonObject | undefined =>
  one.request?.body_encoding === 'json' && isJsonObject(one.request.body) ? one.request.body : undefined;

const hintOf = (one: Recording): { readonly model: string; readonly stream: boolean } => ({
  model: modelOf(one.request?.path ?? ''),
  stream: one.stream,
});

const isStream = (one: Recording): boolean => one.response.stream_format !== undefined && one.response.status < 300;

const eventsOf = (one: Recording): readonly SseEvent[] => {
  if (one.response.stream_format === 'sse') return parseSse(recordedBytes(one.response));
  const parser = new JsonArrayStreamParser();
  return [...parser.push(recordedBytes(one.response)), ...parser.finish()];
};

const decodeStream = (events: readonly SseEvent[]): readonly StreamFrame[] => {
  const decoder = codec.createStreamDecoder();
  return [...events.flatMap((event) => decoder.push(event)), ...decoder.finish()];
};

const requests = recordings.filter((one) => requestOf(one) !== undefined);
const answers = recordings.filter(
  (one) => !isStream(one) && one.response.status < 300 && one.response.body_encoding === 'json',
);
const streams = recordings.filter(isStream);

describe('recorded traffic', () => {
  it('is there in the expected amount', () => {
    expect(requests.length).toBe(236);
    expect(answers.length).toBe(169);
    expect(streams.length).toBe(63);
    expect(Object.keys(exceptions).length).toBeLessThanOrEqual(2);
  });

  it.each(requests.map((one) => [one.id, one] as const))('request %s comes back as it was', (_, one) => {
    const body = requestOf(one) as JsonObject;
    const request = codec.decodeRequest(body, hintOf(one));
    expect(codec.encodeRequest(request, { report })).toEqual(body);
  });

  it.each(answers.map((one) => [one.id, one] as const))('answer %s comes back as it was', (_, one) => {
    const body = one.response.body as JsonObject;
    expect(codec.encodeResponse(codec.decodeResponse(body), { report })).toEqual(body);
  });

  it.each(streams.map((one) => [one.id, one] as const))('stream %s comes back chunk by chunk', (_, one) => {
    const events = eventsOf(one);
    const encoder = codec.createStreamEncoder({ report });
    const written = [...decodeStream(events).flatMap((frame) => encoder.push(frame)), ...encoder.finish()];
    expect(written.map((event) => JSON.parse(event.data) as unknown)).toEqual(
      events.map((event) => JSON.parse(event.data) as unknown),
    );
  });
});

describe('recorded token counts', () => {
  it.each(counts.map((one) => [one.id, one] as const))('%s', (_, one) => {
    const body = requestOf(one) as JsonObject;
    const request = geminiCountTokens.decodeRequest(body, hintOf(one));
    expect(request.messages.length).toBeGreaterThan(0);
    expect(geminiCountTokens.encodeRequest(request, { report })).toEqual(body);
    if (one.response.status >= 300) return;
    const answer = one.response.body as JsonObject;
    const count = geminiCountTokens.decodeResponse(answer);
    expect(count.inputTokens).toBe(answer['totalTokens']);
    expect(geminiCountTokens.encodeResponse(count)).toMatchObject({ totalTokens: answer['totalTokens'] });
  });
});
