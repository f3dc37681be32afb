import { GatewayError } from '@bifrost/sdk';

/** The failure of a request whose stored body is lost: `cause` is what the store says, undefined where bytes are missing. */
export function bodyUnreadable(cause?: Error & { readonly code?: string }): GatewayError {
  const why = cause === undefined ? 'it is shorter than it was' : (cause.code ?? 'the read failed');
  return new GatewayError(`the request's body could not be read again from where it was stored (${why})`, {
    code: 'BF_REQUEST_BODY_UNREADABLE',
    statusCode: 500,
    ...(cause === undefined ? {} : { cause }),
  });
}
