import { isJsonObject } from '@bifrost/sdk';
import type { ErrorInfo, Json, JsonObject } from '@bifrost/sdk';

/** Google's status words (google.rpc.Code) by HTTP status, as https://cloud.google.com/apis/design/errors maps them. */
const wordOfStatus: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  408: 'DEADLINE_EXCEEDED',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
  529: 'UNAVAILABLE',
};

/** The error object of a body: `{error}`, or that in an array, as answers to streams without `alt=sse` have it. */
function errorOf(body: unknown): JsonObject | undefined {
  const object: unknown = Array.isArray(body) ? (body as readonly unknown[])[0] : body;
  if (!isJsonObject(object)) return undefined;
  return isJsonObject(object['error']) ? object['error'] : undefined;
}

function parsed(body: unknown): unknown {
  if (typeof body !== 'string') return body;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined; // an HTML page or plain text of some proxy
  }
}

function detailsOf(error: JsonObject, type: string): JsonObject | undefined {
  const details = error['details'];
  if (!Array.isArray(details)) return undefined;
  return (details as readonly Json[])
    .filter(isJsonObject)
    .find((one) => one['@type'] === `type.googleapis.com/${type}`);
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** `google.rpc.RetryInfo.retryDelay`, a duration such as `36.5s`, in seconds. */
function retryAfterSeconds(error: JsonObject): number | undefined {
  const delay = text(detailsOf(error, 'google.rpc.RetryInfo')?.['retryDelay']);
  const seconds = delay === undefined ? Number.NaN : Number(delay.replace(/s$/, ''));
  return Number.isFinite(seconds) ? seconds : undefined;
}

function violatedField(error: JsonObject): string | undefined {
  const violations = detailsOf(error, 'google.rpc.BadRequest')?.['fieldViolations'];
  const first: unknown = Array.isArray(violations) ? (violations as readonly Json[])[0] : undefined;
  return isJsonObject(first) ? text(first['field']) : undefined;
}

/**
 * Reads Google's error body. `code` is the reason of `google.rpc.ErrorInfo` (such as `API_KEY_INVALID`, which comes with 400) or
 * else the status word, `type` the status word. For an error inside a stream the body's own code is the status.
 */
export function decodeError(statusCode: number, body: unknown): ErrorInfo {
  const whole = parsed(body);
  const error = errorOf(whole);
  if (error === undefined) {
    return { statusCode, message: `the provider answered ${statusCode} without a readable error`, origin: 'provider' };
  }
  const said = error['code'];
  const isInBand = statusCode < 400 && typeof said === 'number' && said >= 400 && said < 600;
  const status = text(error['status']);
  const code = text(detailsOf(error, 'google.rpc.ErrorInfo')?.['reason']) ?? status;
  const param = violatedField(error);
  const retryAfter = retryAfterSeconds(error);
  return {
    statusCode: isInBand ? said : statusCode < 400 ? 502 : statusCode,
    message: text(error['message']) ?? `the provider answered ${statusCode} without a message`,
    origin: 'provider',
    ...(code === undefined ? {} : { code }),
    ...(status === undefined ? {} : { type: status }),
    ...(param === undefined ? {} : { param }),
    ...(retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter }),
    upstreamBody: { error },
  };
}

/** The error in Google's shape. A Google provider's own body is passed on as it came, as long as nobody changed the message. */
export function encodeError(error: ErrorInfo): JsonObject {
  const own = errorOf(error.upstreamBody);
  const isOwn = own !== undefined && typeof own['status'] === 'string' && own['message'] === error.message;
  if (isOwn && own['code'] === error.statusCode) return { error: own };
  const word = wordOfStatus[error.statusCode] ?? (error.statusCode < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL');
  return { error: { code: error.statusCode, message: error.message, status: word } };
}
