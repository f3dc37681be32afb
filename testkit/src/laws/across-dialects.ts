/**
 * Law 3: across dialects text, tool calls (ids, names, argument JSON), reasoning, citations, finish reason and usage are kept, or
 * the loss is reported; never silent. Decode with the source's codec, encode with the target's, decode that again, compare.
 */
import type { DialectCodec, EncodeOptions, Loss, SseEvent, StreamEncoder } from '@bifrost/core';
import { ResponseAccumulator } from '@bifrost/core';
import type { ConversationResponse, ErrorInfo, JsonObject, StreamFrame } from '@bifrost/sdk';
import type { Recording } from '../recordings.ts';
import { compareRequests, residueDifferences } from './compare-request.ts';
import { compareResponses } from './compare-response.ts';
import { asWire, decodeRecordedRequest, decodeStream, responseBody, streamEvents } from './exchange.ts';
import type { Difference } from './loss-cover.ts';
import { isCovered } from './loss-cover.ts';
import type { Subject, Verdict } from './verdict.ts';
import { verdict } from './verdict.ts';

/** Two codecs: who made the recording, and who has to say the same. */
export interface CodecPair {
  readonly source: DialectCodec;
  readonly target: DialectCodec;
}

interface Trip {
  readonly differences: readonly Difference[];
  readonly losses: readonly Loss[];
}

function encodeOptions(pair: CodecPair, recording: Recording, losses: Loss[]): EncodeOptions {
  const request = decodeRecordedRequest(pair.source, recording);
  const report = { add: (loss: Loss) => void losses.push(loss) };
  const asked = request ?? { model: recording.model ?? 'unknown', messages: [], stream: recording.stream };
  return { report, fallbackId: 'replay', request: { ...asked, isStreamUsageRequested: true } };
}

function translateRequest({ source, target }: CodecPair, recording: Recording): Trip | undefined {
  const losses: Loss[] = [];
  const before = decodeRecordedRequest(source, recording);
  if (before === undefined) return undefined;
  const encoded = target.encodeRequest(before, { report: { add: (loss) => void losses.push(loss) } });
  const after = target.decodeRequest(asWire(encoded) as JsonObject, { model: before.model, stream: before.stream });
  return { differences: [...compareRequests(before, after, target.name), ...residueDifferences(before)], losses };
}

function translateResponse(pair: CodecPair, recording: Recording): Trip | undefined {
  const losses: Loss[] = [];
  const body = responseBody(recording);
  if (body === undefined) return undefined;
  const before = pair.source.decodeResponse(body);
  const encoded = pair.target.encodeResponse(before, encodeOptions(pair, recording, losses));
  const after = pair.target.decodeResponse(asWire(encoded) as JsonObject);
  return { differences: [...compareResponses(before, after), ...residueDifferences(before)], losses };
}

interface Accumulated {
  readonly response: ConversationResponse;
  readonly error: ErrorInfo | undefined;
}

function accumulate(frames: readonly StreamFrame[]): Accumulated {
  const accumulator = new ResponseAccumulator();
  for (const frame of frames) accumulator.push(frame);
  return { response: accumulator.result(), error: accumulator.error };
}

/** As the gateway does it: a failure is the end of the stream, written by `fail`. */
function encodeTranslated(encoder: StreamEncoder, frames: readonly StreamFrame[]): readonly SseEvent[] {
  const events: SseEvent[] = [];
  for (const frame of frames) {
    const failure = frame.events.find((event) => event.type === 'error');
    if (failure !== undefined) return [...events, ...encoder.fail(failure.error)];
    events.push(...encoder.push(frame));
  }
  return [...events, ...encoder.finish()];
}

function translateStream(pair: CodecPair, recording: Recording): Trip | undefined {
  const losses: Loss[] = [];
  const events = streamEvents(recording);
  if (events === undefined) return undefined;
  const frames = decodeStream(pair.source.createStreamDecoder(), events);
  const before = accumulate(frames);
  const encoder = pair.target.createStreamEncoder(encodeOptions(pair, recording, losses));
  const after = accumulate(decodeStream(pair.target.createStreamDecoder(), encodeTranslated(encoder, frames)));
  // What a broken stream had left to say of its model and its end is not looked for behind the error.
  const { model: _, ...broken } = before.response;
  const candidates = broken.candidates.flatMap(({ finishReason: __, ...candidate }) =>
    candidate.parts.length === 0 ? [] : [candidate],
  );
  const expected = before.error === undefined ? before.response : { ...broken, candidates };
  const differences = [...compareResponses(expected, after.response)];
  if (before.error?.message !== after.error?.message) {
    const what = `error: ${before.error?.message ?? 'none'} -> ${after.error?.message ?? 'none'}`;
    differences.push({ what, words: /error/i });
  }
  return { differences, losses };
}

const translations = { request: translateRequest, response: translateResponse, stream: translateStream } as const;

/** Puts one recording before the law for one target dialect; one verdict for each half that the recording has. */
export function judgeAcrossDialects(pair: CodecPair, recording: Recording): readonly Verdict[] {
  return (Object.keys(translations) as Subject[]).flatMap((subject) => {
    let failures: readonly string[];
    try {
      const trip = translations[subject](pair, recording);
      if (trip === undefined) return [];
      failures = trip.differences.filter((one) => !isCovered(one, trip.losses)).map(({ what }) => what);
    } catch (error) {
      failures = [`threw: ${(error as Error).message}`];
    }
    return [verdict({ law: 'across-dialects', recording, subject, target: pair.target.name }, failures)];
  });
}
