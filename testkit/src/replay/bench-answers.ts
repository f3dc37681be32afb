/** Prebuilt answers of the bench upstream: everything that can be computed before the first request is. */
import { formatSse } from '@bifrost/core';
import type { Json } from '@bifrost/sdk';

/** What a request asks the bench upstream for, read from its model name. */
export interface BenchWish {
  /** Events of a stream; absent: one JSON body. */
  readonly streamChunks?: number;
  /** Between two chunks of a stream; 0 writes one per turn of the event loop. */
  readonly gapMs: number;
  /** Before the answer begins. */
  readonly delayMs: number;
  /** Size of the JSON body, about. */
  readonly bodyBytes: number;
}

const defaultBodyBytes = 900;
const defaultStreamChunks = 20;
const unit: Readonly<Record<string, number>> = { k: 1024, m: 1024 * 1024 };

/**
 * Reads `bench[-stream-N][-gap-MS][-delay-MS][-body-SIZE]`, in any order, e.g. `bench-stream-100-gap-5`, `bench-body-100k`.
 * `isStream` is what the request's `stream` field says; the name alone is enough.
 */
export function parseWish(model: string, isStream: boolean): BenchWish {
  const read = (name: string): number | undefined => {
    const match = new RegExp(`-${name}-(\\d+)([km]?)`).exec(model);
    return match === null ? undefined : Number(match[1]) * (unit[match[2] as string] ?? 1);
  };
  const streamChunks = read('stream') ?? (isStream ? defaultStreamChunks : undefined);
  return {
    ...(streamChunks === undefined ? {} : { streamChunks }),
    gapMs: read('gap') ?? 0,
    delayMs: read('delay') ?? 0,
    bodyBytes: read('body') ?? defaultBodyBytes,
  };
}

export type BenchDialect = 'chat' | 'messages';

const id = 'chatcmpl-bench0000000000000000000';
const created = 1_790_000_000;
const sentence = 'The quick brown fox jumps over the lazy dog while the gateway forwards every byte. ';

function chatBody(content: string): Json {
  return {
    id,
    object: 'chat.completion',
    created,
    model: 'bench',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content, refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: {
      prompt_tokens: 87,
      completion_tokens: 120,
      total_tokens: 207,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0 },
    },
    service_tier: 'default',
    system_fingerprint: 'fp_bench',
  };
}

function messagesBody(text: string): Json {
  return {
    id: 'msg_bench',
    type: 'message',
    role: 'assistant',
    model: 'bench',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 87, output_tokens: 120, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
  };
}

/** A whole HTTP answer with a JSON body of about `bodyBytes`. */
export function buildWhole(dialect: BenchDialect, bodyBytes: number): Buffer {
  const build = dialect === 'chat' ? chatBody : messagesBody;
  const padding = Math.max(0, bodyBytes - JSON.stringify(build('')).length);
  const content = sentence.repeat(Math.ceil(padding / sentence.length)).slice(0, padding);
  const body = Buffer.from(JSON.stringify(build(content)));
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** A stream in three kinds of write: the head with the first event, each further event, the last events with the end. */
export interface BenchStream {
  readonly first: Buffer;
  readonly next: Buffer;
  readonly last: Buffer;
  readonly lastWithUsage: Buffer;
}

const streamHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

function chunk(...events: readonly { readonly event?: string; readonly data: Json }[]): string {
  const text = events
    .map(({ event, data }) =>
      formatSse({
        ...(event === undefined ? {} : { event }),
        data: typeof data === 'string' ? data : JSON.stringify(data),
      }),
    )
    .join('');
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

function chatStream(): BenchStream {
  const event = (delta: Json, finish: string | null): { readonly data: Json } => ({
    data: {
      id,
      object: 'chat.completion.chunk',
      created,
      model: 'bench',
      service_tier: 'default',
      system_fingerprint: 'fp_bench',
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
      usage: null,
    },
  });
  const usage = {
    data: {
      id,
      object: 'chat.completion.chunk',
      created,
      model: 'bench',
      choices: [],
      usage: { prompt_tokens: 87, completion_tokens: 120, total_tokens: 207 },
    },
  };
  const [stop, done] = [event({}, 'stop'), { data: '[DONE]' }];
  return {
    first: Buffer.from(streamHead + chunk(event({ role: 'assistant', content: '', refusal: null }, null))),
    next: Buffer.from(chunk(event({ content: 'token and ' }, null))),
    last: Buffer.from(`${chunk(stop, done)}0\r\n\r\n`),
    lastWithUsage: Buffer.from(`${chunk(stop, usage, done)}0\r\n\r\n`),
  };
}

function messagesStream(): BenchStream {
  const event = (data: { readonly type: string; readonly [key: string]: Json }): { event: string; data: Json } => ({
    event: data.type,
    data,
  });
  const message = {
    id: 'msg_bench',
    type: 'message',
    role: 'assistant',
    model: 'bench',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 87, output_tokens: 1 },
  };
  const last = Buffer.from(
    `${chunk(
      event({ type: 'content_block_stop', index: 0 }),
      event({
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: 120 },
      }),
      event({ type: 'message_stop' }),
    )}0\r\n\r\n`,
  );
  const start = event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
  const delta = { type: 'text_delta', text: 'token and ' };
  return {
    first: Buffer.from(streamHead + chunk(event({ type: 'message_start', message }), start)),
    next: Buffer.from(chunk(event({ type: 'content_block_delta', index: 0, delta }))),
    last,
    lastWithUsage: last,
  };
}

/** The writes of a stream of this dialect. */
export function buildStream(dialect: BenchDialect): BenchStream {
  return dialect === 'chat' ? chatStream() : messagesStream();
}
