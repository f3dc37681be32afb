/** A plain HTTP client for tests: sends exactly the bytes it is given and reads in the ways that break gateways. */
import { request as httpRequest } from 'node:http';
import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { SseEvent } from '@bifrost/core';
import { parseSse, SseParser } from '@bifrost/core';
import type { JsonObject } from '@bifrost/sdk';

export interface PostOptions {
  /** @default POST */
  readonly method?: string;
  /** @default a connection of its own, closed afterwards */
  readonly agent?: Agent;
  /** Aborts the call where it stands. */
  readonly signal?: AbortSignal;
  /** Destroys the connection once so many bytes of the body have arrived; 0: as soon as the headers have. */
  readonly abortAfterBytes?: number;
  /** Destroys the connection once so many SSE events have arrived. */
  readonly abortAfterEvents?: number;
  /** Reads at most so many bytes, then pauses for `readDelayMs`: a slow reader. */
  readonly readBytes?: number;
  /** @default 1 */
  readonly readDelayMs?: number;
}

/** A whole answer, or as much of it as arrived. */
export interface PostResult {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** False where the connection was closed before the answer was complete, by either side. */
  readonly isComplete: boolean;
  /** The error that ended it, where it was not complete. */
  readonly error?: Error;
  /** Milliseconds from the call to the headers, and to the end. */
  readonly headersAfterMs: number;
  readonly endAfterMs: number;
  text(): string;
  json(): JsonObject;
  /** The body as SSE events. */
  events(): readonly SseEvent[];
}

export type PostBody = string | Uint8Array | JsonObject | undefined;

/** A port on 127.0.0.1 that was free a moment ago. */
export async function getFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

const bytesOf = (body: PostBody): Buffer => {
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body === 'string') return Buffer.from(body);
  return body instanceof Uint8Array ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
};

/** An answer whose headers have arrived and whose body has not been read. */
export interface OpenedPost {
  readonly call: ClientRequest;
  readonly response: IncomingMessage;
}

type Headers = Readonly<Record<string, string | string[]>>;

interface Call {
  readonly url: string;
  readonly body: PostBody;
  readonly headers: Headers;
  readonly options: PostOptions;
}

function send({ url, body, headers, options }: Call): ClientRequest {
  const bytes = bytesOf(body);
  const isFramed = Object.keys(headers).some((name) => /^(transfer-encoding|content-length)$/i.test(name));
  const call = httpRequest(url, {
    method: options.method ?? 'POST',
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(isFramed || body === undefined ? {} : { 'content-length': bytes.length }),
      ...headers,
    },
    agent: options.agent ?? false,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  call.end(bytes);
  return call;
}

/**
 * Sends a request and returns at the headers. A string or bytes go out as they are, an object as JSON. `headers` may repeat a
 * name with an array. Rejects where no headers arrive.
 */
export async function openPost(
  url: string,
  body?: PostBody,
  headers: Headers = {},
  options: PostOptions = {},
): Promise<OpenedPost> {
  const call = send({ url, body, headers, options });
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  call.on('response', resolve);
  call.on('error', reject);
  return { call, response: await promise };
}

interface Reading {
  readonly chunks: Buffer[];
  length: number;
  events: number;
  error?: Error;
}

/** Reads with `data` listeners that are in place before the first byte: an iterator would lose what came just before an error. */
function readBody({ call, response }: OpenedPost, options: PostOptions): Promise<Reading> {
  const { abortAfterBytes = Infinity, abortAfterEvents = Infinity, readBytes = Infinity, readDelayMs = 1 } = options;
  const { promise, resolve } = Promise.withResolvers<Reading>();
  const reading: Reading = { chunks: [], length: 0, events: 0 };
  const parser = new SseParser();
  let sincePause = 0;
  const isEnough = (): boolean => reading.length >= abortAfterBytes || reading.events >= abortAfterEvents;
  response.on('error', (error) => (reading.error = error));
  response.on('close', () => resolve(reading));
  if (isEnough()) {
    call.destroy();
    return promise;
  }
  response.on('data', (chunk: Buffer) => {
    if (isEnough()) return;
    reading.chunks.push(chunk);
    reading.length += chunk.length;
    if (abortAfterEvents !== Infinity) reading.events += parser.push(chunk).length;
    if (isEnough()) call.destroy();
    sincePause += chunk.length;
    if (sincePause < readBytes) return;
    sincePause = 0;
    response.pause();
    setTimeout(() => response.resume(), readDelayMs);
  });
  return promise;
}

/** Sends a request and reads the whole answer, or as much of it as `options` let it. Rejects where no headers arrive. */
export async function postJson(
  url: string,
  body?: PostBody,
  headers: Headers = {},
  options: PostOptions = {},
): Promise<PostResult> {
  const startedAt = performance.now();
  let headersAfterMs = 0;
  const { promise, resolve, reject } = Promise.withResolvers<readonly [IncomingMessage, Reading]>();
  const call = send({ url, body, headers, options });
  call.on('error', reject);
  call.on('response', (response) => {
    headersAfterMs = performance.now() - startedAt;
    readBody({ call, response }, options).then((reading) => resolve([response, reading]), reject);
  });
  const [response, { chunks, error }] = await promise;
  const received = Buffer.concat(chunks);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    rawHeaders: response.rawHeaders,
    body: received,
    isComplete: response.complete && error === undefined,
    ...(error === undefined ? {} : { error }),
    headersAfterMs,
    endAfterMs: performance.now() - startedAt,
    text: () => received.toString('utf8'),
    json: () => JSON.parse(received.toString('utf8')) as JsonObject,
    events: () => parseSse(received),
  };
}

/** An SSE event and when it arrived. */
export interface TimedSseEvent extends SseEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The events of a body as they arrive. Breaking out of the loop destroys the source. */
export async function* readSse(source: AsyncIterable<Uint8Array>): AsyncGenerator<TimedSseEvent, void, void> {
  const parser = new SseParser();
  for await (const chunk of source) {
    for (const event of parser.push(chunk)) yield { ...event, at: Date.now() };
  }
  for (const event of parser.finish()) yield { ...event, at: Date.now() };
}
