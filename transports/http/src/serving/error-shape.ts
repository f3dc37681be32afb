import type { HttpErrorCode } from '../error-codes.ts';
import type { Surface } from './route-table.ts';

/** An error that the transport answers itself, before the engine is asked. */
export interface TransportError {
  readonly statusCode: number;
  /** Of the transport's own errors one of its catalogue; the admin API passes on what other packages say. */
  readonly code: HttpErrorCode | (string & {});
  /** What was given, what was expected, how to fix it. */
  readonly message: string;
  /** When the caller may come again. */
  readonly retryAfterSeconds?: number;
}

const anthropicTypes: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
};

const googleStatuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'UNIMPLEMENTED',
  408: 'DEADLINE_EXCEEDED',
  413: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};

function typeOf(statusCode: number): string {
  if (statusCode === 429) return 'rate_limit_error';
  return statusCode < 500 ? 'invalid_request_error' : 'server_error';
}

const shapes: Readonly<Record<Surface, (error: TransportError) => object>> = {
  unified: ({ statusCode, code, message }) => ({
    is_bifrost_error: true,
    status_code: statusCode,
    error: { type: typeOf(statusCode), code, message },
    extra_fields: {},
  }),
  openai: ({ statusCode, code, message }) => ({
    error: { message, type: typeOf(statusCode), param: null, code },
  }),
  anthropic: ({ statusCode, message }) => {
    const type = anthropicTypes[statusCode] ?? (statusCode < 500 ? 'invalid_request_error' : 'api_error');
    return { type: 'error', error: { type, message } };
  },
  genai: ({ statusCode, message }) => {
    const status = googleStatuses[statusCode] ?? (statusCode < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL');
    return { error: { code: statusCode, message, status } };
  },
};

/** The error as a JSON body in the shape of a surface: Bifrost's own, or what the surface's SDK reads. */
export function formatError(surface: Surface, error: TransportError): string {
  return JSON.stringify(shapes[surface](error));
}
