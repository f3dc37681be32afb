import type { ErrorInfo } from '@bifrost/sdk';
import type { SseEvent } from '../sse/event.ts';
import type { Attempt } from './attempt.ts';
import { inBandStatus, parseLoosely } from './error-relay.ts';

/** The error that a provider put inside a 200: its status comes from what it says. */
export function inBandError(attempt: Attempt, event: SseEvent): ErrorInfo {
  const { plan } = attempt;
  const decoded = plan.codec.decodeError(502, parseLoosely(Buffer.from(event.data)));
  return {
    ...decoded,
    statusCode: inBandStatus(decoded, 200),
    origin: 'provider',
    provider: plan.runtime.name,
    model: plan.model,
  };
}
