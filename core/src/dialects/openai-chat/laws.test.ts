import type { ConversationRequest, Json, JsonObject } from '@bifrost/sdk';
import { recordingsOfApi } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { parseSse } from '../../sse/parser.ts';
import type { EncodeOptions } from '../codec.ts';
import { openaiChatCodec as codec } from './codec.ts';

/** Recordings that break a law, and whose fault it is. */
const exceptions: Readonly<Record<string, string>> = {};

const options: EncodeOptions = { report: { add: (loss) => expect.fail(`lost ${JSON.stringify(loss)}`) } };
const recordings = recordingsOfApi('openai.chat_completions').filter((one) => !(one.id in exceptions));
const requests = recordings.filter((one) => one.request?.body_encoding === 'json');
const answers = recordings.filter((one) => one.response.status < 300 && one.response.body_encoding === 'json');
const streams = recordings.filter((one) => one.response.stream_format === 'sse');

/** Stands in for the model of a path, for the client that left it out of the body. */
const hint = { model: 'model-of-the-path' };

const failures = (run: (index: number) => void, count: number, idOf: (index: number) => string): readonly string[] => {
  const failed: string[] = [];
  for (let index = 0; index < count; index++) {
    try {
      run(index);
    } catch (error) {
      failed.push(`${idOf(index)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed;
};

describe('law 2 over every recording of chat completions', () => {
  it('gives each request back as it came', () => {
    expect(requests.length).toBeGreaterThan(440);
    const check = (index: number): void => {
      const body = requests[index]?.request?.body as JsonObject;
      const encoded = codec.encodeRequest(codec.decodeRequest(body, hint), options);
      if (typeof body['model'] !== 'string') expect(encoded).toEqual({ ...body, model: hint.model });
      else expect(encoded).toEqual(body);
    };
    expect(failures(check, requests.length, (index) => requests[index]?.id ?? '')).toEqual([]);
  });

  it('gives each answer back as it came', () => {
    expect(answers.length).toBeGreaterThan(320);
    const check = (index: number): void => {
      const body = answers[index]?.response.body as JsonObject;
      expect(codec.encodeResponse(codec.decodeResponse(body), options)).toEqual(body);
    };
    expect(failures(check, answers.length, (index) => answers[index]?.id ?? '')).toEqual([]);
  });

  it('gives each stream back event by event', () => {
    expect(streams.length).toBeGreaterThan(115);
    const check = (index: number): void => {
      const decoder = codec.createStreamDecoder();
      const encoder = codec.createStreamEncoder(options);
      const events = parseSse(streams[index]?.response.body as string);
      const encoded = events.flatMap((event) => decoder.push(event)).flatMap((frame) => encoder.push(frame));
      expect(decoder.finish()).toEqual([]);
      const parse = (event: { readonly data: string }): Json =>
        event.data === '[DONE]' ? event.data : (JSON.parse(event.data) as Json);
      expect(encoded.map(parse)).toEqual(events.map(parse));
      expect(encoded.map((event) => event.event)).toEqual(events.map((event) => event.event));
    };
    expect(failures(check, streams.length, (index) => streams[index]?.id ?? '')).toEqual([]);
  });

  it('needs no more exceptions than one in a hundred', () => {
    expect(Object.keys(exceptions).length).toBeLessThanOrEqual(recordings.length / 100);
  });
});

/** A deep copy with every string longer than two characters under `key` marked. */
function mark(value: unknown, keys: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((one) => mark(one, keys));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      keys.has(key) && typeof one === 'string' && one !== '' ? `${one}#` : key === 'residue' ? one : mark(one, keys),
    ]),
  );
}

const withoutResidue = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, one: unknown) => (key === 'residue' ? undefined : one)));

describe('canonical fields are what is encoded, not a copy of the wire', () => {
  it('writes changed texts, arguments, names and numbers of every request', () => {
    let changed = 0;
    for (const { request } of requests) {
      const decoded = codec.decodeRequest(request?.body as JsonObject, hint);
      const edited = mark(decoded, new Set(['text', 'arguments'])) as ConversationRequest;
      const text = JSON.stringify(
        codec.encodeRequest({ ...edited, temperature: 0.123, model: 'changed' }, { report: { add: () => undefined } }),
      );
      const again = codec.decodeRequest(JSON.parse(text) as JsonObject, hint);
      expect(again.temperature).toBe(0.123);
      expect(again.model).toBe('changed');
      expect(withoutResidue(again.messages)).toEqual(withoutResidue(edited.messages));
      changed += 1;
    }
    expect(changed).toBe(requests.length);
  });
});
