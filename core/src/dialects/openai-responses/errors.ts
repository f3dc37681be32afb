/** Errors, both ways: `{error: {...}}` bodies, `error` events and failed responses. */
import type { ErrorInfo, Json, JsonObject } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import { stringField } from './json-fields.ts';
import { defined } from './residue.ts';

/** Statuses for errors that came inside a 200: the API's own codes and types. */
const statusByWord: Readonly<Record<string, number>> = {
  insufficient_quota: 429,
  rate_limit_exceeded: 429,
  rate_limit_error: 429,
  too_many_requests: 429,
  invalid_api_key: 401,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  model_not_found: 404,
  invalid_request_error: 400,
  invalid_prompt: 400,
  context_length_exceeded: 400,
  content_policy_violation: 400,
  server_overloaded: 503,
  overloaded_error: 529,
};

function parse(body: unknown): unknown {
  if (typeof body !== 'string') return body;
  try {
    return JSON.parse(body) as Json;
  } catch {
    return body; // plain text: it is the message itself
  }
}

/** The object that describes the error, wherever a body has it. */
function errorObject(body: JsonObject): JsonObject {
  const { error, response, detail } = body;
  if (isJsonObject(error)) return error;
  if (typeof error === 'string') return { ...body, message: error };
  if (isJsonObject(response)) return errorObject(response);
  if (typeof detail === 'string') return { ...body, message: detail };
  // A stream's `error` event: its `type` says only that it is one.
  return body['type'] === 'error' ? { ...body, type: null } : body;
}

function word(error: JsonObject, key: string): string | undefined {
  const value = error[key];
  return typeof value === 'number' ? String(value) : stringField(error, key);
}

function statusOf(statusCode: number, code: string | undefined, type: string | undefined): number {
  if (statusCode >= 400) return statusCode;
  const byNumber = Number(code);
  if (Number.isInteger(byNumber) && byNumber >= 400 && byNumber < 600) return byNumber;
  return statusByWord[code ?? ''] ?? statusByWord[type ?? ''] ?? 502;
}

/** Reads an error body of any shape. Never throws. An error inside a 200 gets the status that its code stands for, else 502. */
export function decodeError(statusCode: number, body: unknown): ErrorInfo {
  const value = parse(body);
  const isObject = isJsonObject(value);
  const error = isObject ? errorObject(value) : {};
  const [code, type] = [word(error, 'code'), word(error, 'type')];
  const text = typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 500) : undefined;
  const message =
    stringField(error, 'message') ?? text ?? `the provider answered with status ${statusCode} and no message`;
  return {
    statusCode: statusOf(statusCode, code, type),
    message,
    origin: 'provider',
    ...defined({ code, type, param: stringField(error, 'param') }),
    ...(isObject ? { upstreamBody: value } : {}),
  };
}

function typeOf(error: ErrorInfo): string {
  if (error.type !== undefined) return error.type;
  if (error.statusCode === 401) return 'authentication_error';
  if (error.statusCode === 429) return 'rate_limit_error';
  return error.statusCode < 500 ? 'invalid_request_error' : 'server_error';
}

/** An error as the body of an error answer. */
export function encodeError(error: ErrorInfo): JsonObject {
  return {
    error: { message: error.message, type: typeOf(error), param: error.param ?? null, code: error.code ?? null },
  };
}

/** An error as the `error` event of a stream. */
export function encodeErrorEvent(error: ErrorInfo, sequenceNumber: number): JsonObject {
  return {
    type: 'error',
    code: error.code ?? typeOf(error),
    message: error.message,
    param: error.param ?? null,
    sequence_number: sequenceNumber,
  };
}
