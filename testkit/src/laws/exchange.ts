import type { DialectCodec, RequestHeadHint, SseEvent, StreamDecoder, StreamEncoder } from '@bifrost/core';
import { parseSse } from '@bifrost/core';
import type { ConversationRequest, DialectName, Json, JsonObject, StreamFrame } from '@bifrost/sdk';
import { GatewayError, isJsonObject } from '@bifrost/sdk';
import type { Recording } from '../recordings.ts';
import { recordedBytes, recordingsOfApi } from '../recordings.ts';
import { requestedModel } from '../replay/match-recording.ts';

/** Codecs by dialect, as far as they exist. */
export type CodecOf = (dialect: DialectName) => DialectCodec;

const apis: Readonly<Record<DialectName, readonly string[]>> = {
  'openai-chat': ['openai.chat_completions'],
  'openai-completions': ['openai.completions'],
  'openai-responses': ['openai.responses'],
  'anthropic-messages': ['anthropic.messages'],
  'gemini-generate-content': ['google.generate_content', 'google.stream_generate_content'],
};

/** The recordings that speak this dialect. */
export function recordingsOfDialect(dialect: DialectName): readonly Recording[] {
  return recordingsOfApi(...apis[dialect]);
}

/** A value as it is after a trip over the wire: no `undefined` members. */
export function asWire(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

/** The request's JSON; undefined where none was recorded, or where it is not a JSON object. */
export function requestBody(recording: Recording): JsonObject | undefined {
  const body = recording.request?.body_encoding === 'json' ? recording.request.body : undefined;
  return body !== undefined && isJsonObject(body) ? body : undefined;
}

/** What of a request is in its path. */
export function headHint(recording: Recording): RequestHeadHint {
  const path = recording.request?.path ?? '';
  const model = requestedModel(path, recording.request?.body) ?? recording.model ?? undefined;
  return { ...(model === undefined ? {} : { model }), stream: recording.stream };
}

/** The recorded request, decoded. Undefined where there is none, or where the provider refused it and the codec does too. */
export function decodeRecordedRequest(codec: DialectCodec, recording: Recording): ConversationRequest | undefined {
  const body = requestBody(recording);
  if (body === undefined) return undefined;
  try {
    return codec.decodeRequest(body, headHint(recording));
  } catch (error) {
    if (recording.response.status >= 400 && GatewayError.isInstance(error) && error.origin === 'caller')
      return undefined;
    throw error;
  }
}

/** The whole answer's JSON; undefined for streams, errors and bodies that are no JSON object. */
export function responseBody(recording: Recording): JsonObject | undefined {
  const { status, body_encoding, body, stream_format } = recording.response;
  if (status >= 400 || stream_format !== undefined || body_encoding !== 'json') return undefined;
  return body !== undefined && isJsonObject(body) ? body : undefined;
}

/** The wire events of a recorded stream; undefined for what is none. A JSON array counts one event per element. */
export function streamEvents(recording: Recording): readonly SseEvent[] | undefined {
  const bytes = recordedBytes(recording.response);
  if (recording.response.stream_format === 'sse') return parseSse(bytes);
  if (recording.response.stream_format !== 'json-array') return undefined;
  return (JSON.parse(bytes.toString('utf8')) as readonly Json[]).map((element) => ({ data: JSON.stringify(element) }));
}

/** All frames of a stream. */
export function decodeStream(decoder: StreamDecoder, events: readonly SseEvent[]): readonly StreamFrame[] {
  return [...events.flatMap((event) => decoder.push(event)), ...decoder.finish()];
}

/** All wire events of frames. */
export function encodeStream(encoder: StreamEncoder, frames: readonly StreamFrame[]): readonly SseEvent[] {
  return [...frames.flatMap((frame) => encoder.push(frame)), ...encoder.finish()];
}
