import type { ConversationResponse, JsonObject } from '@bifrost/sdk';
import type { EncodeOptions, Loss, LossReport, StreamEncoder } from '../dialects/codec.ts';
import { conversationOf } from './encode-request.ts';
import { extraFields, FactsEncoder } from './routing-facts.ts';
import type { RequestRun } from './run.ts';

function encodeOptions(run: RequestRun, report: LossReport): EncodeOptions {
  return {
    report,
    request: conversationOf(run),
    fallbackId: run.request.requestId,
  };
}

/** An encoder of the client's dialect, with the routing facts in each chunk on the unified routes. */
export function createClientEncoder(run: RequestRun, losses: Loss[]): StreamEncoder {
  const encoder = run.clientCodec.createStreamEncoder(encodeOptions(run, reportTo(losses)));
  return run.request.route.isDropIn ? encoder : new FactsEncoder(encoder, run);
}

/**
 * An encoder for a stream that leaves as it came unless a plugin changes it. A request that cannot be decoded is then no reason to
 * fail: its provider answered it, and the encoder does without.
 */
export function createShadowEncoder(run: RequestRun, report: LossReport): StreamEncoder {
  let options: EncodeOptions;
  try {
    options = encodeOptions(run, report);
  } catch {
    // What the request says only shapes what the encoder adds of its own.
    options = { report, fallbackId: run.request.requestId };
  }
  return run.clientCodec.createStreamEncoder(options);
}

function reportTo(losses: Loss[]): LossReport {
  return { add: (loss) => void losses.push(loss) };
}

/** A canonical answer as the client's JSON, with the routing facts (and `more`) in the body on the unified routes. */
export function encodeAnswer(
  run: RequestRun,
  response: ConversationResponse,
  losses: Loss[],
  more: JsonObject = {},
): JsonObject {
  const body = run.clientCodec.encodeResponse(response, encodeOptions(run, reportTo(losses)));
  return run.request.route.isDropIn ? body : { ...body, extra_fields: { ...extraFields(run), ...more } };
}
