/** Law 2: decode then encode within one dialect is deep-equal, for requests, responses and streams. */
import type { DialectCodec, Loss, SseEvent } from '@bifrost/core';
import type { Json } from '@bifrost/sdk';
import type { Recording } from '../recordings.ts';
import {
  asWire,
  decodeRecordedRequest,
  decodeStream,
  encodeStream,
  requestBody,
  responseBody,
  streamEvents,
} from './exchange.ts';
import { jsonDifferences } from './json-difference.ts';
import type { Subject, Verdict } from './verdict.ts';
import { verdict } from './verdict.ts';

/** An event with its data as a value, so that white space and key order do not count. */
function eventValue({ event, data, id }: SseEvent): Json {
  let value: Json = data;
  try {
    value = JSON.parse(data) as Json;
  } catch {
    // `[DONE]` and the like are compared as text
  }
  return { ...(event === undefined ? {} : { event }), ...(id === undefined ? {} : { id }), data: value };
}

function compareRequest(codec: DialectCodec, recording: Recording, losses: Loss[]): readonly string[] | undefined {
  const body = requestBody(recording);
  const request = decodeRecordedRequest(codec, recording);
  if (request === undefined || body === undefined) return undefined;
  const report = { add: (loss: Loss) => void losses.push(loss) };
  return jsonDifferences(body, asWire(codec.encodeRequest(request, { report })));
}

function compareResponse(codec: DialectCodec, recording: Recording, losses: Loss[]): readonly string[] | undefined {
  const body = responseBody(recording);
  if (body === undefined) return undefined;
  const report = { add: (loss: Loss) => void losses.push(loss) };
  return jsonDifferences(body, asWire(codec.encodeResponse(codec.decodeResponse(body), { report })));
}

function compareStream(codec: DialectCodec, recording: Recording, losses: Loss[]): readonly string[] | undefined {
  const events = streamEvents(recording);
  if (events === undefined) return undefined;
  const report = { add: (loss: Loss) => void losses.push(loss) };
  const frames = decodeStream(codec.createStreamDecoder(), events);
  const encoded = encodeStream(codec.createStreamEncoder({ report }), frames);
  return jsonDifferences(events.map(eventValue), encoded.map(eventValue));
}

const comparisons = { request: compareRequest, response: compareResponse, stream: compareStream } as const;

/** Puts one recording before the law; one verdict for each half that it has. */
export function judgeRoundTrip(codec: DialectCodec, recording: Recording): readonly Verdict[] {
  return (Object.keys(comparisons) as Subject[]).flatMap((subject) => {
    const losses: Loss[] = [];
    let failures: readonly string[] | undefined;
    try {
      failures = comparisons[subject](codec, recording, losses);
    } catch (error) {
      failures = [`threw: ${(error as Error).message}`];
    }
    if (failures === undefined) return [];
    const reported = losses.map((loss) => `reported as ${loss.action}: ${loss.field}`);
    return [verdict({ law: 'round-trip', recording, subject }, [...failures, ...reported])];
  });
}
