import { parseExactly, RoundingWatch, stringifyExactly } from '../json/exact-numbers.ts';
import { InvalidRequestError, isJsonObject } from '@bifrost/sdk';
import type { ConversationRequest, JsonObject } from '@bifrost/sdk';
import type { Loss } from '../dialects/codec.ts';
import type { Surface } from '../providers/provider.ts';
import { extraParams, isPassedThrough, mergeExtraParams } from './extra-params.ts';
import type { RequestRun } from './run.ts';

/** The body as a JSON object. Throws InvalidRequestError. */
export function parseBody(run: RequestRun): JsonObject {
  // Not within what follows: where a stored body cannot be had, that is no fault of the caller.
  const bytes = run.body;
  let body: unknown;
  try {
    const watch = new RoundingWatch();
    body = parseExactly(bytes.toString('utf8').replace(/^\ufeff/, ''));
    run.hasRounded ||= watch.hasNoted;
  } catch (cause) {
    throw new InvalidRequestError(`the body is not valid JSON: ${(cause as Error).message}`, {
      code: 'BF_REQUEST_INVALID_JSON',
      cause,
    });
  }
  if (isJsonObject(body)) return body;
  throw new InvalidRequestError('the body must be a JSON object', { code: 'BF_REQUEST_INVALID_JSON' });
}

/** The request in the canonical model, decoded once, for whoever reads it first. Throws InvalidRequestError. */
export function conversationOf(run: RequestRun): ConversationRequest {
  run.conversation ??= run.clientCodec.decodeRequest(parseBody(run), { model: run.modelText, stream: run.isStream });
  return run.conversation;
}

/** The request in the dialect of `surface`, for the model `model` there; what it cannot say goes to `losses`. */
export function encodeRequest(run: RequestRun, surface: Surface, model: string, losses: Loss[]): Buffer {
  const conversation = { ...conversationOf(run), model, stream: run.isStream, isStreamUsageRequested: true };
  const extra = extraParams(run, conversation);
  const add = (loss: Loss): void => {
    if (extra === undefined || !isPassedThrough(loss, extra)) losses.push(loss);
  };
  const options = { report: { add } };
  const watch = new RoundingWatch();
  const json = run.services
    .codecOf(surface.dialect)
    .encodeRequest(conversation, surface.quirks === undefined ? options : { ...options, quirks: surface.quirks });
  const whole = extra === undefined ? json : mergeExtraParams(json, extra);
  return Buffer.from(run.hasRounded ? stringifyExactly(whole) : watch.stringify(whole));
}
