import { GatewayError } from '@bifrost/sdk';

/** What went wrong with a connection or with the bytes that came over it. The code is shown to callers, the message is not. */
export class ConnectionError extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.name = 'ConnectionError';
    this.code = code;
  }
}

const connectTimeoutCodes = new Set(['CONNECT_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);

/** The failure of a call whose connection failed with `error`. */
export function toGatewayError(error: Error & { readonly code?: string }, isAnswered: boolean): GatewayError {
  if (GatewayError.isInstance(error)) return error;
  const code = error.code ?? '';
  if (connectTimeoutCodes.has(code)) {
    return new GatewayError('the provider did not accept a connection in time', {
      code: 'BF_UPSTREAM_CONNECT_TIMEOUT',
      statusCode: 504,
      isRetryable: true,
      cause: error,
    });
  }
  // Only codes go to the caller: messages may name internal hosts and proxies.
  const what = isAnswered
    ? 'the connection to the provider broke while it answered'
    : 'the provider could not be reached';
  return new GatewayError(code === '' ? what : `${what} (${code})`, {
    code: isAnswered ? 'BF_UPSTREAM_TRUNCATED' : 'BF_UPSTREAM_UNREACHABLE',
    statusCode: 502,
    isRetryable: true,
    cause: error,
  });
}

/** The failure of a call whose request cannot be written. */
export function invalidRequest(cause: unknown): GatewayError {
  return new GatewayError(`the request to the provider could not be formed: ${(cause as Error).message}`, {
    code: 'BF_UPSTREAM_REQUEST_INVALID',
    statusCode: 502,
    cause,
  });
}
