import type { ConversationResponse, JsonObject } from '@bifrost/sdk';
import type { EncodeOptions, Loss, LossReport, StreamEncoder } from '../dialects/codec.ts';
import { conversationOf } from './encode-request.ts';
import type { RequestRun } from './run.ts';

function encodeOptions(run: RequestRun, report: LossReport): EncodeOptions {
  return {
    report,
    request: conversationOf(run),
    fallbackId: run.request.requestId,
  };
}

/** An encoder of the client's dialect. */
export function createClientEncoder(run: RequestRun, losses: Loss[]): StreamEncoder {
  return run.clientCodec.createStreamEncoder(encodeOptions(run, reportTo(losses)));
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

/** Bifrost's `extra_fields` of an answer. */
export function extraFields(run: RequestRun): JsonObject {
  const { primary, target } = run;
  return {
    request_type: run.requestType,
    latency: Math.round(performance.now() - run.request.startedAt),
    model_requested: run.modelText,
    ...(target === undefined ? {} : { provider: target.runtime.name, resolved_model_used: target.model }),
    ...(target === undefined || primary === undefined
      ? {}
      : {
          routing_info: {
            provider: target.runtime.name,
            model: target.model,
            ...(run.keyName === undefined ? {} : { key: run.keyName }),
            is_fallback: run.fallbackIndex > 0,
            primary_provider: primary.runtime.name,
            primary_model: primary.model,
          },
        }),
  };
}
