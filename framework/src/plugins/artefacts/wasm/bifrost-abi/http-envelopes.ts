/** The HTTP hooks of Bifrost's WASM ABI: `{context, request[, response][, chunk]}` in, decisions out. Bodies are base64. */
import type {
  ErrorInfo,
  HeaderMap,
  HookContext,
  HttpPreResult,
  HttpRequest,
  HttpResponse,
  JsonObject,
  StreamChunk,
  StreamChunkResult,
} from '@bifrost/sdk';
import type { BifrostExchange } from './bifrost-exchange.ts';
import { isMembers, isSameJson, membersOf, textOf } from './json-values.ts';
import type { Members } from './json-values.ts';
import { contextOf, keepContext, keepRequest, keptRequest } from './request-values.ts';
import { wasmError } from '../wasm-error.ts';

/** Headers that only the gateway can state: a guest that echoes them changes nothing. */
const framing = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Bifrost's maps have one value for a name. */
function singleValues(map: HeaderMap, separator: string): JsonObject {
  return Object.fromEntries(
    Object.entries(map).map(([name, value]) => [name, typeof value === 'string' ? value : value.join(separator)]),
  );
}

function base64(body: Uint8Array | string | undefined): string {
  return body === undefined ? '' : Buffer.from(body).toString('base64');
}

function requestJson({ method, path, headers, query, body }: HttpRequest): JsonObject {
  return {
    method,
    path,
    headers: singleValues(headers, ', '),
    query: singleValues(query, ','),
    body: base64(body),
  };
}

function headerChanges(sent: Members, answered: Members): Record<string, string | null> | undefined {
  const changes: Record<string, string | null> = {};
  const names = new Set<string>();
  for (const [name, value] of Object.entries(answered)) {
    const lower = name.toLowerCase();
    names.add(lower);
    if (typeof value === 'string' && value !== sent[lower] && !framing.has(lower)) changes[lower] = value;
  }
  for (const name of Object.keys(sent)) if (!names.has(name) && !framing.has(name)) changes[name] = null;
  return Object.keys(changes).length === 0 ? undefined : changes;
}

/** What the guest changed in the request: headers and body; method, path and query cannot be changed. */
function requestChange(sent: JsonObject, answered: unknown): HttpPreResult['request'] | undefined {
  if (!isMembers(answered)) return undefined;
  const headers = isMembers(answered['headers'])
    ? headerChanges(membersOf(sent['headers']), answered['headers'])
    : undefined;
  const body = textOf(answered['body']);
  const isBodyNew = body !== '' && body !== sent['body'];
  if (headers === undefined && !isBodyNew) return undefined;
  return {
    ...(headers === undefined ? {} : { headers }),
    ...(isBodyNew ? { body: new Uint8Array(Buffer.from(body, 'base64')) } : {}),
  };
}

function answeredResponse(response: unknown): HttpResponse {
  const { status_code: status, headers, body } = membersOf(response);
  const texts = Object.entries(membersOf(headers)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && !framing.has(entry[0].toLowerCase()),
  );
  return {
    statusCode: typeof status === 'number' && status !== 0 ? status : 200,
    headers: Object.fromEntries(texts.map(([name, value]) => [name.toLowerCase(), value])),
    body: new Uint8Array(Buffer.from(textOf(body), 'base64')),
  };
}

/** Bifrost answers 500 with the text of a transport hook's error. */
function failedResponse(message: string): HttpResponse {
  return { statusCode: 500, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: message };
}

export function httpPreHook(
  exchange: BifrostExchange,
  context: HookContext,
  request: HttpRequest,
): HttpPreResult | undefined {
  const before = contextOf(context);
  const sent = requestJson(request);
  keepRequest(context, sent);
  const text = JSON.stringify(sent);
  const answer = membersOf(
    exchange.hook('http_pre_hook', `{"context":${JSON.stringify(before)},"request":${text}}`, text),
  );
  keepContext(context, before, answer['context']);
  const error = textOf(answer['error']);
  if (error !== '') return { response: failedResponse(error) };
  if (answer['has_response'] === true) return { response: answeredResponse(answer['response']) };
  const change = requestChange(sent, answer['request']);
  return change === undefined ? undefined : { request: change };
}

/** The envelope has no room for a change of the response: the guest looks on. */
export function httpPostHook(
  plugin: string,
  exchange: BifrostExchange,
  context: HookContext,
  response: HttpResponse,
): undefined {
  const before = contextOf(context);
  const envelope = {
    context: before,
    request: keptRequest(context),
    response: {
      status_code: response.statusCode,
      headers: singleValues(response.headers, ', '),
      body: base64(response.body),
    },
  };
  const answer = membersOf(exchange.hook('http_post_hook', JSON.stringify(envelope)));
  keepContext(context, before, answer['context']);
  const error = textOf(answer['error']);
  if (error !== '') throw wasmError(plugin, 'BF_PLUGIN_WASM_FAILED', `http_post_hook failed: ${error}`);
  return undefined;
}

function streamError(message: string): ErrorInfo {
  return { statusCode: 500, message, type: 'plugin_error', origin: 'plugin' };
}

/** Chunks go as JSON, or, for guests that were written after the Rust sample, as base64 of that JSON. */
type ChunkForm = 'json' | 'base64';

export class StreamChunkHook {
  readonly #exchange: BifrostExchange;
  /** Undefined until a chunk was taken well. */
  #form: ChunkForm | undefined;

  constructor(exchange: BifrostExchange) {
    this.#exchange = exchange;
  }

  call(context: HookContext, chunk: StreamChunk): StreamChunkResult | undefined {
    // `[DONE]` and the like are no chunks to Bifrost.
    if (!chunk.data.startsWith('{')) return undefined;
    const answer = this.#ask(context, chunk);
    const error = textOf(answer['error']);
    const isGiven = answer['has_chunk'] === true && answer['chunk'] !== null && answer['chunk'] !== undefined;
    if (error !== '' && !isGiven) return { error: streamError(error) };
    if (error !== '') context.log.warn(`http_stream_chunk_hook: ${error}`);
    if (answer['skip'] === true) return null;
    return isGiven ? changedChunk(chunk.data, answer['chunk']) : undefined;
  }

  #ask(context: HookContext, chunk: StreamChunk): Members {
    const before = contextOf(context);
    const head = `{"context":${JSON.stringify(before)},"request":${JSON.stringify(keptRequest(context))},"chunk":`;
    const send = (form: ChunkForm): Members => {
      const data = form === 'json' ? chunk.data : `"${Buffer.from(chunk.data).toString('base64')}"`;
      return membersOf(this.#exchange.hook('http_stream_chunk_hook', `${head}${data}}`));
    };
    const isRefused = (answer: Members): boolean => textOf(answer['error']) !== '' && answer['has_chunk'] !== true;
    let answer = send(this.#form ?? 'json');
    if (this.#form === undefined) {
      if (isRefused(answer)) {
        const other = send('base64');
        if (!isRefused(other)) {
          this.#form = 'base64';
          answer = other;
        }
      } else this.#form = 'json';
    }
    keepContext(context, before, answer['context']);
    return answer;
  }
}

function changedChunk(data: string, answered: unknown): { readonly data: string } | undefined {
  const text = typeof answered === 'string' ? Buffer.from(answered, 'base64').toString() : JSON.stringify(answered);
  if (text === data) return undefined;
  return isSameJson(parsed(data), parsed(text)) ? undefined : { data: text };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON: equal to nothing but itself.
    return text;
  }
}
