/**
 * Error answers in each dialect's own shape, made from the API descriptions (the recordings hold no 500, 503, 529 and, for
 * Anthropic, no 429): openai `ErrorResponse` and `ResponseErrorEvent`, anthropic `ErrorResponse`, `google.rpc.Status`.
 */
import type { SseEvent } from '@bifrost/core';
import type { DialectName, JsonObject } from '@bifrost/sdk';

interface ErrorWords {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
}

const openaiErrors: Readonly<Record<number, ErrorWords>> = {
  400: { type: 'invalid_request_error', message: 'Invalid value for the request.', code: 'invalid_value' },
  401: { type: 'invalid_request_error', message: 'Incorrect API key provided.', code: 'invalid_api_key' },
  403: { type: 'invalid_request_error', message: 'You are not allowed to use this model.', code: 'permission_denied' },
  404: { type: 'invalid_request_error', message: 'The model does not exist.', code: 'model_not_found' },
  413: { type: 'invalid_request_error', message: 'The request is too large.', code: 'request_too_large' },
  429: { type: 'requests', message: 'Rate limit reached for requests.', code: 'rate_limit_exceeded' },
  503: { type: 'server_error', message: 'The engine is currently overloaded, please try again later.' },
};
const openaiDefault: ErrorWords = {
  type: 'server_error',
  message: 'The server had an error while processing your request.',
};

const anthropicErrors: Readonly<Record<number, ErrorWords>> = {
  400: { type: 'invalid_request_error', message: 'Invalid request' },
  401: { type: 'authentication_error', message: 'invalid x-api-key' },
  402: { type: 'billing_error', message: 'Billing error' },
  403: { type: 'permission_error', message: 'Permission denied' },
  404: { type: 'not_found_error', message: 'model: not-a-model' },
  413: { type: 'request_too_large', message: 'Request exceeds the maximum size' },
  429: { type: 'rate_limit_error', message: 'This request would exceed your rate limit.' },
  504: { type: 'timeout_error', message: 'Request timeout' },
  529: { type: 'overloaded_error', message: 'Overloaded' },
};
const anthropicDefault: ErrorWords = { type: 'api_error', message: 'Internal server error' };

const geminiErrors: Readonly<Record<number, ErrorWords>> = {
  400: { type: 'INVALID_ARGUMENT', message: 'Request contains an invalid argument.' },
  401: { type: 'UNAUTHENTICATED', message: 'API key not valid. Please pass a valid API key.' },
  403: { type: 'PERMISSION_DENIED', message: 'The caller does not have permission.' },
  404: { type: 'NOT_FOUND', message: 'The model is not found.' },
  429: { type: 'RESOURCE_EXHAUSTED', message: 'Resource has been exhausted (e.g. check quota).' },
  503: { type: 'UNAVAILABLE', message: 'The model is overloaded. Please try again later.' },
  504: { type: 'DEADLINE_EXCEEDED', message: 'Deadline expired before operation could complete.' },
};
const geminiDefault: ErrorWords = { type: 'INTERNAL', message: 'An internal error has occurred.' };

/** The JSON body with which a provider of this dialect answers with this status. */
export function errorBody(dialect: DialectName, status: number): JsonObject {
  if (dialect === 'anthropic-messages') {
    const { type, message } = anthropicErrors[status] ?? anthropicDefault;
    return { type: 'error', error: { type, message }, request_id: 'req_replay' };
  }
  if (dialect === 'gemini-generate-content') {
    const { type, message } = geminiErrors[status] ?? geminiDefault;
    return { error: { code: status, message, status: type } };
  }
  const { type, message, code } = openaiErrors[status] ?? openaiDefault;
  return { error: { message, type, param: null, code: code ?? null } };
}

/** The events with which a stream of this dialect reports a failure after its 200. */
export function errorEvents(dialect: DialectName, status?: number): readonly SseEvent[] {
  const body = errorBody(dialect, status ?? (dialect === 'anthropic-messages' ? 529 : 500));
  const data = JSON.stringify(body);
  if (dialect === 'anthropic-messages') return [{ event: 'error', data }];
  if (dialect !== 'openai-responses') return [{ data }];
  const { message, code } = body['error'] as JsonObject;
  const event = { type: 'error', code: code ?? 'server_error', message, param: null, sequence_number: 0 };
  return [{ event: 'error', data: JSON.stringify(event) }];
}

/** `Retry-After` in one of its two forms: seconds for a number, an HTTP date for a Date. */
export function retryAfterHeader(value: number | Date): string {
  return typeof value === 'number' ? String(value) : value.toUTCString();
}
