/** The walks of HTTP values: request, head of the answer, chunk, whole answer. */
import type {
  ErrorInfo,
  HeaderChanges,
  HttpPostResult,
  HttpRequest,
  HttpResponse,
  HttpResponseHead,
  StreamChunk,
} from '@bifrost/sdk';
import type { HttpPreOutcome } from './chain.ts';
import { assertErrorInfo, withOrigin } from './check-conversation.ts';
import {
  applyHeaderChanges,
  assertBody,
  checkHeaderChanges,
  checkHeaderMap,
  mergeHeaderChanges,
} from './check-http.ts';
import { objectAt, onlyMembers, optionalString, statusCodeAt, stringAt } from './check-value.ts';
import type { HookEntry } from './hook-entry.ts';
import type { HookPass } from './hook-pass.ts';

const noHeaders: HeaderChanges = Object.freeze({});
const encoder = new TextEncoder();

const preMembers = ['request', 'response'];
const requestMembers = ['headers', 'body'];
const headMembers = ['headers'];
const errorMembers = ['error'];
const chunkMembers = ['data', 'event', 'index'];
const responseMembers = ['statusCode', 'headers', 'body'];

function toBytes(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? encoder.encode(body) : body;
}

function withoutBody<Value extends { readonly body?: unknown }>(value: Value): Value {
  if (value.body === undefined) return value;
  const { body: _body, ...rest } = value;
  // `body` is optional in every type that this is used with.
  return rest as Value;
}

export class HttpPrePass implements HookPass {
  readonly target = undefined;
  #request: HttpRequest;
  #head: HttpRequest | undefined;
  #headers: HeaderChanges | undefined;
  #body: Uint8Array | undefined;
  #response: HttpResponse | undefined;
  #error: ErrorInfo | undefined;
  /** The last hook's change, applied when another hook asks for the value: the last change of all never is. */
  #unapplied: { readonly headers: HeaderChanges | undefined; readonly isBodyNew: boolean } | undefined;

  constructor(request: HttpRequest) {
    this.#request = request;
  }

  input(entry: HookEntry): HttpRequest {
    if (this.#unapplied !== undefined) this.#apply(this.#unapplied);
    if (entry.reads === 'body') return this.#request;
    return (this.#head ??= withoutBody(this.#request));
  }

  accept(_entry: HookEntry, returned: unknown): boolean {
    const result = objectAt(returned, '');
    onlyMembers(result, preMembers, '');
    const request = result['request'] === undefined ? undefined : objectAt(result['request'], 'request');
    if (request !== undefined) onlyMembers(request, requestMembers, 'request');
    const headers = checkHeaderChanges(request?.['headers'], 'request.headers');
    const body = request?.['body'];
    assertBody(body, 'request.body');
    const response = result['response'] === undefined ? undefined : checkHttpResponse(result['response']);
    if (headers !== undefined) this.#headers = mergeHeaderChanges(this.#headers, headers);
    if (body !== undefined) this.#body = toBytes(body);
    if (headers !== undefined || body !== undefined) this.#unapplied = { headers, isBodyNew: body !== undefined };
    this.#response = response;
    return response !== undefined;
  }

  deny(error: ErrorInfo): void {
    this.#error = error;
  }

  outcome(): HttpPreOutcome | undefined {
    const [headers, body, response, error] = [this.#headers, this.#body, this.#response, this.#error];
    if (headers === undefined && body === undefined && response === undefined && error === undefined) return undefined;
    return {
      headers: headers ?? noHeaders,
      ...(body === undefined ? {} : { body }),
      ...(response === undefined ? {} : { response }),
      ...(error === undefined ? {} : { error }),
    };
  }

  #apply({ headers, isBodyNew }: { readonly headers: HeaderChanges | undefined; readonly isBodyNew: boolean }): void {
    this.#unapplied = undefined;
    this.#request = {
      ...this.#request,
      ...(headers === undefined ? {} : { headers: applyHeaderChanges(this.#request.headers, headers) }),
      ...(isBodyNew && this.#body !== undefined ? { body: this.#body } : {}),
    };
    this.#head = undefined;
  }
}

function checkHttpResponse(value: unknown): HttpResponse {
  const response = objectAt(value, 'response');
  onlyMembers(response, responseMembers, 'response');
  const { statusCode, headers, body } = response;
  statusCodeAt(statusCode, 'response.statusCode');
  assertBody(body, 'response.body');
  return {
    statusCode,
    headers: headers === undefined ? {} : checkHeaderMap(headers, 'response.headers'),
    ...(body === undefined ? {} : { body }),
  };
}

export class ResponseHeadersPass implements HookPass {
  readonly target = undefined;
  #head: HttpResponseHead;
  #changes: HeaderChanges | undefined;
  /** The last hook's change, applied when another hook asks for the head. */
  #unapplied: HeaderChanges | undefined;

  constructor(head: HttpResponseHead) {
    this.#head = head;
  }

  input(): HttpResponseHead {
    if (this.#unapplied !== undefined) {
      const { statusCode, headers } = this.#head;
      this.#head = { statusCode, headers: applyHeaderChanges(headers, this.#unapplied) };
      this.#unapplied = undefined;
    }
    return this.#head;
  }

  accept(_entry: HookEntry, returned: unknown): boolean {
    const result = objectAt(returned, '');
    onlyMembers(result, headMembers, '');
    const changes = checkHeaderChanges(result['headers'], 'headers');
    if (changes === undefined) return false;
    this.#changes = mergeHeaderChanges(this.#changes, changes);
    this.#unapplied = changes;
    return false;
  }

  deny(): void {
    // The run's `denial` says it: a head cannot carry an error.
  }

  outcome(): HeaderChanges | undefined {
    return this.#changes;
  }
}

export class StreamChunkPass implements HookPass {
  readonly target = undefined;
  #chunk: StreamChunk | null;
  #error: ErrorInfo | undefined;

  constructor(chunk: StreamChunk) {
    this.#chunk = chunk;
  }

  input(): StreamChunk | null {
    return this.#chunk;
  }

  accept(_entry: HookEntry, returned: unknown): boolean {
    if (returned === null) {
      this.#chunk = null;
      return true;
    }
    const result = objectAt(returned, '');
    if (result['error'] !== undefined) {
      onlyMembers(result, errorMembers, '');
      const { error } = result;
      assertErrorInfo(error, 'error');
      this.#error = withOrigin(error);
      return true;
    }
    onlyMembers(result, chunkMembers, '');
    const { data, event } = result;
    stringAt(data, 'data');
    optionalString(event, 'event');
    const name = typeof event === 'string' ? event : this.#chunk?.event;
    this.#chunk = { ...(name === undefined ? {} : { event: name }), data, index: this.#chunk?.index ?? 0 };
    return false;
  }

  deny(error: ErrorInfo): void {
    this.#error = error;
  }

  outcome(): StreamChunk | null | { readonly error: ErrorInfo } {
    return this.#error === undefined ? this.#chunk : { error: this.#error };
  }
}

export class HttpPostPass implements HookPass {
  readonly target = undefined;
  #response: HttpResponse;
  #head: HttpResponse | undefined;
  #change: HttpPostResult | undefined;

  constructor(response: HttpResponse) {
    this.#response = response;
  }

  input(entry: HookEntry): HttpResponse {
    if (entry.reads === 'body') return this.#response;
    return (this.#head ??= withoutBody(this.#response));
  }

  accept(_entry: HookEntry, returned: unknown): boolean {
    const result = objectAt(returned, '');
    onlyMembers(result, responseMembers, '');
    const { statusCode, body } = result;
    if (statusCode !== undefined) statusCodeAt(statusCode, 'statusCode');
    const headers = checkHeaderChanges(result['headers'], 'headers');
    assertBody(body, 'body');
    this.#apply({
      ...(statusCode === undefined ? {} : { statusCode }),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
    });
    return false;
  }

  deny(error: ErrorInfo): void {
    this.#change = deniedResponse(error);
  }

  outcome(): HttpPostResult | undefined {
    return this.#change;
  }

  #apply(change: HttpPostResult): void {
    this.#change = {
      ...this.#change,
      ...change,
      ...(change.headers === undefined ? {} : { headers: { ...this.#change?.headers, ...change.headers } }),
    };
    const { headers, ...rest } = change;
    this.#response = {
      ...this.#response,
      ...rest,
      ...(headers === undefined ? {} : { headers: applyHeaderChanges(this.#response.headers, headers) }),
    };
    this.#head = undefined;
  }
}

/** What is sent instead of an answer that a guard could not judge, where nobody renders the error in the client's dialect. */
export function deniedResponse(error: ErrorInfo): HttpPostResult {
  const { message, code } = error;
  return {
    statusCode: error.statusCode,
    headers: { 'content-type': 'application/json', 'content-encoding': null },
    body: JSON.stringify({ error: { message, type: 'plugin_error', code } }),
  };
}
