import { randomUUID } from 'node:crypto';

const statedPattern = /^[\x21-\x7e]{1,128}$/;
const madeId = Symbol('made request id');

/** A request as far as its id goes: any object that has its headers and lives as long as it. */
interface IdentifiedRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  [madeId]?: string;
}

/** The request's id: the caller's `x-request-id` where it is fit for a header and a log, else one made once. */
export function requestIdOf(request: IdentifiedRequest): string {
  const stated = request.headers['x-request-id'];
  if (typeof stated === 'string' && statedPattern.test(stated)) return stated;
  request[madeId] ??= randomUUID();
  return request[madeId];
}
