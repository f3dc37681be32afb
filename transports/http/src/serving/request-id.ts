import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const statedPattern = /^[\x21-\x7e]{1,128}$/;
const madeId = Symbol('made request id');

interface IdentifiedMessage extends IncomingMessage {
  [madeId]?: string;
}

/** The request's id: the caller's `x-request-id` where it is fit for a header and a log, else one made once. */
export function requestIdOf(request: IncomingMessage): string {
  const stated = request.headers['x-request-id'];
  if (typeof stated === 'string' && statedPattern.test(stated)) return stated;
  const identified: IdentifiedMessage = request;
  identified[madeId] ??= randomUUID();
  return identified[madeId];
}
