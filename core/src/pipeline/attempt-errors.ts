import { GatewayError } from '@bifrost/sdk';
import { classifyFailure } from '../reliability/failure.ts';
import type { AttemptFailure } from './attempt.ts';
import { toErrorInfo } from './respond-error.ts';

/** What was thrown while an attempt was formed, as its failure. */
export function classifyThrown(error: unknown): AttemptFailure {
  const info = toErrorInfo(error);
  return { info, class: classifyFailure(info) };
}

export const timeoutCode = 'BF_UPSTREAM_TIMEOUT';
/** The request's own deadline: no further attempt is made. */
export const deadlineCode = 'request_timed_out';

export function silenceError(what: string, limitMs: number): GatewayError {
  return new GatewayError(`the provider ${what} for ${limitMs} ms`, {
    code: timeoutCode,
    statusCode: 504,
    isRetryable: true,
  });
}

/** 504: the request's total time is over. */
export function deadlineError(elapsedMs: number): GatewayError {
  return new GatewayError(`the request was not answered within its deadline (${Math.round(elapsedMs)} ms)`, {
    code: deadlineCode,
    statusCode: 504,
    info: { allowFallbacks: false },
  });
}
