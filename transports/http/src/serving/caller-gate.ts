import type { InboundRequest } from '@bifrost/core';
import { GatewayError } from '@bifrost/sdk';
import { isCredential } from '@bifrost/framework/credential-hash';
import type { TransportError } from './error-shape.ts';
import type { AuthClass } from './route-table.ts';

const headerNames = ['x-bf-vk', 'x-api-key', 'x-goog-api-key', 'api-key'] as const;

/** Headers of a refusal: which scheme is expected. */
export const callerChallenge: Readonly<Record<string, string>> = { 'www-authenticate': 'Bearer realm="bifrost"' };

const places = 'as `Authorization: Bearer KEY`, `x-api-key`, `x-goog-api-key`, `api-key` or `x-bf-vk`';
const missing: TransportError = {
  statusCode: 401,
  code: 'BF_HTTP_INFERENCE_KEY',
  message: `this gateway needs its inference key; send it ${places}`,
};
const wrong: TransportError = {
  statusCode: 401,
  code: 'BF_HTTP_INFERENCE_KEY',
  message: `no header has the inference key of this gateway; send it, not a provider's key, ${places}`,
};

/**
 * Who may call inference: the one place where that is decided, before a byte of the body is read. `keyHash` is the SHA-256 of the
 * inference key in hexadecimal digits; undefined where none is asked for. Admin routes have their own gate, which is never open.
 */
export function refuseCaller(
  auth: AuthClass,
  headers: InboundRequest['headers'],
  keyHash: string | undefined,
): TransportError | undefined {
  if (auth !== 'inference' || keyHash === undefined) return undefined;
  const bearer = /^Bearer +(\S+) *$/i.exec(String(headers['authorization'] ?? ''))?.[1];
  let isPresent = false;
  for (const presented of [bearer, ...headerNames.map((name) => headers[name])]) {
    if (typeof presented !== 'string' || presented === '') continue;
    if (isCredential(presented, keyHash)) return undefined;
    isPresent = true;
  }
  return isPresent ? wrong : missing;
}

/** The same for the engine, which asks once the hooks before authentication have run. */
export function authenticatorOf(keyHash: string | undefined): NonNullable<InboundRequest['authenticate']> {
  return (headers) => {
    const refusal = refuseCaller('inference', headers, keyHash);
    if (refusal === undefined) return undefined;
    const { message, code, statusCode } = refusal;
    return new GatewayError(message, { code, statusCode });
  };
}
