import type { SseEvent } from '@bifrost/core';
import { formatSse } from '@bifrost/core';
import type { DialectName, Json } from '@bifrost/sdk';
import type { Recording } from '../recordings.ts';
import { recordedBytes, recordingById } from '../recordings.ts';
import type { Cut, Delivery } from './delivery.ts';
import { toDelivery } from './delivery.ts';
import { errorBody, retryAfterHeader } from './error-bodies.ts';
import type { ReplayRequest } from './replay-request.ts';
import type { StreamFraming } from './wire-events.ts';

/** One answer of a script. At most one of `recording`, `body` and `events`; none of them: an error body for `status`. */
export interface ReplayAnswer {
  /** A recording or its id. */
  readonly recording?: Recording | string;
  /** @default the recording's status; 200 for `body` and `events` */
  readonly status?: number;
  /** Added to the recording's headers; null removes one. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** A string or bytes go out as they are, any other value as JSON. */
  readonly body?: Json | Uint8Array;
  /** An SSE stream. */
  readonly events?: readonly SseEvent[];
  /** Shape of error bodies and in-band errors. @default the recording's, or what the request's path says */
  readonly dialect?: DialectName;
  /** `Retry-After`: seconds for a number, an HTTP date for a Date. */
  readonly retryAfter?: number | Date;
  readonly delivery?: Delivery | Cut;
  /** How many requests it answers. @default 1 */
  readonly times?: number;
  /** Answers only requests for which this holds; others go on to the next entry of the script. */
  readonly when?: (request: ReplayRequest) => boolean;
}

/** An answer, a recording's id, or a function of the request. */
export type ScriptEntry = string | ReplayAnswer | ((request: ReplayRequest) => string | ReplayAnswer);

/** An answer with all defaults filled in. */
export interface ResolvedAnswer {
  readonly id: string | undefined;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  readonly framing: StreamFraming;
  readonly dialect: DialectName;
  readonly delivery: Delivery;
}

const dialectOfApi: Readonly<Record<string, DialectName>> = {
  'openai.chat_completions': 'openai-chat',
  'openai.responses': 'openai-responses',
  'openai.completions': 'openai-completions',
  'anthropic.messages': 'anthropic-messages',
  'google.generate_content': 'gemini-generate-content',
  'google.stream_generate_content': 'gemini-generate-content',
};

/** The dialect that a path belongs to; OpenAI's chat shape where nothing says otherwise. */
export function dialectOfPath(path: string): DialectName {
  if (/\/messages(\/|\?|$)/.test(path)) return 'anthropic-messages';
  if (/:(generateContent|streamGenerateContent|countTokens|\w*[eE]mbedContents?)/.test(path)) {
    return 'gemini-generate-content';
  }
  if (/\/responses(\/|\?|$)/.test(path)) return 'openai-responses';
  return /(?<!chat)\/completions/.test(path) ? 'openai-completions' : 'openai-chat';
}

interface AnswerBody {
  readonly bytes: Buffer;
  readonly contentType: string;
  readonly framing: StreamFraming;
}

function inlineBody(answer: ReplayAnswer, dialect: DialectName): AnswerBody {
  const json = (value: Json): AnswerBody => ({
    bytes: Buffer.from(JSON.stringify(value)),
    contentType: 'application/json',
    framing: 'none',
  });
  const { body, events } = answer;
  if (events !== undefined) {
    const bytes = Buffer.from(events.map((event) => formatSse(event)).join(''));
    return { bytes, contentType: 'text/event-stream', framing: 'sse' };
  }
  if (body === undefined) return json(errorBody(dialect, answer.status ?? 500));
  if (typeof body === 'string' || body instanceof Uint8Array) {
    const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body);
    const isSse = answer.headers?.['content-type']?.includes('event-stream') === true;
    return { bytes, contentType: 'application/json', framing: isSse ? 'sse' : 'none' };
  }
  return json(body);
}

function mergeHeaders(
  base: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | null>>,
): Readonly<Record<string, string>> {
  const merged: Record<string, string> = { ...base };
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete merged[name.toLowerCase()];
    else merged[name.toLowerCase()] = value;
  }
  return merged;
}

/** Fills in what an answer leaves open. Throws where a recording's id is unknown. */
export function resolveAnswer(entry: string | ReplayAnswer, request: ReplayRequest): ResolvedAnswer {
  const answer: ReplayAnswer = typeof entry === 'string' ? { recording: entry } : entry;
  const recording = typeof answer.recording === 'string' ? recordingById(answer.recording) : answer.recording;
  const recordedDialect = recording === undefined ? undefined : dialectOfApi[recording.api];
  const dialect = answer.dialect ?? recordedDialect ?? dialectOfPath(request.path);
  const isFailing = recording !== undefined && answer.status !== undefined && answer.status >= 400;
  const replayed = isFailing ? undefined : recording;
  const inline = replayed === undefined ? inlineBody(answer, dialect) : undefined;
  const retryAfter = answer.retryAfter === undefined ? {} : { 'retry-after': retryAfterHeader(answer.retryAfter) };
  const inlineStatus = answer.body === undefined && answer.events === undefined ? 500 : 200;
  return {
    id: recording?.id,
    status: answer.status ?? replayed?.response.status ?? inlineStatus,
    headers: mergeHeaders(replayed?.response.headers ?? { 'content-type': inline?.contentType ?? 'application/json' }, {
      ...retryAfter,
      ...answer.headers,
    }),
    bytes: inline?.bytes ?? recordedBytes((replayed as Recording).response),
    framing: inline?.framing ?? replayed?.response.stream_format ?? 'none',
    dialect,
    delivery: toDelivery(answer.delivery),
  };
}
