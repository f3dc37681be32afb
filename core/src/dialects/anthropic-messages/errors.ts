/** Error bodies: `{type: 'error', error: {type, message}, request_id?}`. */
import { isJsonObject } from '@bifrost/sdk';
import type { ErrorInfo, JsonObject } from '@bifrost/sdk';
import { present } from './fields.ts';

const typeOfStatus: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** For in-band errors, which come with status 200. 408 and 504 share a type: the gateway's is the later one. */
const statusOfType = new Map(Object.entries(typeOfStatus).map(([status, type]) => [type, Number(status)]));

function errorType(statusCode: number): string {
  return typeOfStatus[statusCode] ?? (statusCode >= 400 && statusCode < 500 ? 'invalid_request_error' : 'api_error');
}

/** Reads an error body or the JSON of an error event. Never throws. */
export function decodeErrorBody(statusCode: number, body: unknown): ErrorInfo {
  const error = isJsonObject(body) && isJsonObject(body['error']) ? body['error'] : undefined;
  const type = typeof error?.['type'] === 'string' ? error['type'] : undefined;
  const inBand = type === undefined ? 500 : (statusOfType.get(type) ?? 500);
  const status = statusCode >= 400 ? statusCode : inBand;
  const message = typeof error?.['message'] === 'string' ? error['message'] : undefined;
  return present({
    statusCode: status,
    message: message ?? `the provider answered with status ${status} and no readable error`,
    type,
    origin: 'provider',
    upstreamBody: isJsonObject(body) ? body : undefined,
  } as const);
}

/** The provider's own body, when it is in this dialect and still says what the error says. */
function unchangedUpstream(error: ErrorInfo): JsonObject | undefined {
  const body = error.upstreamBody;
  const inner = body?.['type'] === 'error' && isJsonObject(body['error']) ? body['error'] : undefined;
  if (inner === undefined) return undefined;
  return typeof inner['type'] === 'string' && inner['message'] === error.message ? body : undefined;
}

/** The error for an Anthropic client. */
export function encodeErrorBody(error: ErrorInfo): JsonObject {
  const upstream = unchangedUpstream(error);
  if (upstream !== undefined) return upstream;
  return { type: 'error', error: { type: errorType(error.statusCode), message: error.message } };
}
