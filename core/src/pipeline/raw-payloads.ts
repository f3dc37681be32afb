import type { JsonObject } from '@bifrost/sdk';
import type { Attempt } from './attempt.ts';
import { wholeRequestBody } from '../upstream/request-body.ts';
import { parseLoosely } from './error-relay.ts';

/**
 * `raw_request` and `raw_response` of `extra_fields`, where they are asked for: the bodies that were exchanged with the provider. No
 * header is among them, so that no credential can be. Source: Bifrost's `send_back_raw_request` and `send_back_raw_response`.
 */
export function rawPayloads(attempt: Attempt, answer: Buffer): JsonObject {
  const { request, runtime } = attempt.plan;
  const { isRawRequestSentBack, isRawResponseSentBack } = runtime.config;
  return {
    ...(isWanted(attempt, 'x-bf-send-back-raw-request', isRawRequestSentBack)
      ? { raw_request: parseLoosely(wholeRequestBody(request.body)) as JsonObject }
      : {}),
    ...(isWanted(attempt, 'x-bf-send-back-raw-response', isRawResponseSentBack)
      ? { raw_response: parseLoosely(answer) as JsonObject }
      : {}),
  };
}

/** The caller's header decides where the operator lets it (`allow_per_request_raw_override`), else the provider's setting. */
function isWanted({ run }: Attempt, header: string, isConfigured: boolean): boolean {
  const stated = run.snapshot.client.isPerRequestRawOverrideAllowed ? run.header(header) : undefined;
  return stated === undefined ? isConfigured : stated.trim().toLowerCase() === 'true';
}
