import type { GatewayError, ErrorInfo } from '@bifrost/sdk';
import { parseRetryAfter } from '../reliability/retry-after.ts';
import type { UpstreamHeaders } from '../upstream/call.ts';
import type { Attempt } from './attempt.ts';
import type { Relay } from './relay.ts';

/** More of an error body than this is not kept. */
const maxErrorBytes = 1024 * 1024;

/** Reads a provider's error answer and fails the attempt with it. */
export class ErrorRelay implements Relay {
  readonly #attempt: Attempt;
  readonly #statusCode: number;
  readonly #headers: UpstreamHeaders;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(attempt: Attempt, statusCode: number, headers: UpstreamHeaders) {
    this.#attempt = attempt;
    this.#statusCode = statusCode;
    this.#headers = headers;
  }

  push(chunk: Buffer): void {
    if (this.#bytes >= maxErrorBytes) return;
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    // The rest of a body that never ends is of no interest.
    if (this.#bytes >= maxErrorBytes) this.end();
  }

  end(): void {
    const body = Buffer.concat(this.#chunks);
    const raw = { statusCode: this.#statusCode, headers: this.#headers, body };
    this.#attempt.failed(this.#info(body), raw);
  }

  fail(_error: GatewayError): void {
    this.#attempt.failed(this.#info(Buffer.concat(this.#chunks)));
  }

  #info(body: Buffer): ErrorInfo {
    const { plan, run } = this.#attempt;
    const decoded = plan.codec.decodeError(this.#statusCode, parseLoosely(body));
    // A redirect is not the caller's to follow.
    const isRedirect = this.#statusCode >= 300 && this.#statusCode < 400;
    const statusCode = isRedirect ? 502 : inBandStatus(decoded, this.#statusCode);
    const retryAfterMs = parseRetryAfter(this.#headers, run.services.now());
    return {
      ...decoded,
      statusCode,
      origin: 'provider',
      provider: plan.runtime.name,
      model: plan.model,
      ...(retryAfterMs === undefined ? {} : { retryAfterSeconds: retryAfterMs / 1000 }),
    };
  }
}

/** A body as JSON where it is JSON, else as text. */
export function parseLoosely(body: Buffer): unknown {
  const text = body.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    // Proxies in front of providers answer in HTML or plain text: the codec makes a message of it.
    return text;
  }
}

const statusOfName: Readonly<Record<string, number>> = {
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  RESOURCE_EXHAUSTED: 429,
  overloaded_error: 529,
  UNAVAILABLE: 503,
  authentication_error: 401,
  UNAUTHENTICATED: 401,
  permission_error: 403,
  PERMISSION_DENIED: 403,
  not_found_error: 404,
  NOT_FOUND: 404,
  invalid_request_error: 400,
  INVALID_ARGUMENT: 400,
  server_error: 500,
  api_error: 500,
};

/** The status of an error: the answer's own, or for an error inside a 200 what its code or type says, else 502. */
export function inBandStatus(info: ErrorInfo, statusCode: number): number {
  if (statusCode >= 400) return statusCode;
  if (info.code !== undefined && /^[45]\d\d$/.test(info.code)) return Number(info.code);
  return (
    statusOfName[info.code ?? ''] ?? statusOfName[info.type ?? ''] ?? (info.statusCode >= 400 ? info.statusCode : 502)
  );
}
