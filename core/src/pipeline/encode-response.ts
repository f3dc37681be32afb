import type { ConversationResponse, JsonObject } from '@bifrost/sdk';
import type { EncodeOptions, Loss, StreamEncoder } from '../dialects/codec.ts';
import { conversationOf } from './encode-request.ts';
import type { RequestRun } from './run.ts';

function encodeOptions(run: RequestRun, losses: Loss[]): EncodeOptions {
  return {
    report: { add: (loss) => void losses.push(loss) },
    request: conversationOf(run),
    fallbackId: run.request.requestId,
  };
}

/** An encoder of the client's dialect. */
export function createClientEncoder(run: RequestRun, losses: Loss[]): StreamEncoder {
  return run.clientCodec.createStreamEncoder(encodeOptions(run, losses));
}

/** A canonical answer as the client's JSON, with the routing facts (and `more`) in the body on the unified routes. */
export function encodeAnswer(
  run: RequestRun,
  response: ConversationResponse,
  losses: Loss[],
  more: JsonObject = {},
): JsonObject {
  const body = run.clientCodec.encodeResponse(response, encodeOptions(run, losses));
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
