import { stringifyExactly } from '../json/exact-numbers.ts';
import type { ConversationResponse, JsonObject, StreamFrame } from '@bifrost/sdk';
import { ResponseAccumulator } from '../conversation/accumulator.ts';
import { framesOf } from '../conversation/response-frames.ts';
import type { Loss } from '../dialects/codec.ts';
import type { AttemptResult } from './attempt.ts';
import { ClientStream } from './client-stream.ts';
import { createClientEncoder, encodeAnswer } from './encode-response.ts';
import { PullGate } from './pull-gate.ts';
import { respondWhole } from './respond-whole.ts';
import { addLosses, beginHeaders } from './response-headers.ts';
import { toErrorInfo } from './respond-error.ts';
import type { RequestRun } from './run.ts';

type ClientHeaders = Record<string, string | readonly string[]>;

const answered: AttemptResult = { kind: 'answered' };

/** Answers with a canonical response that no provider's bytes carry (a plugin's, the mock's): whole, or as a stream. */
export async function renderResponse(run: RequestRun, response: ConversationResponse): Promise<AttemptResult> {
  if (run.isStream) return renderFrames(run, framesOf(response));
  run.usage = response.usage;
  const losses: Loss[] = [];
  run.lane = 'translated';
  return renderJson(run, encodeAnswer(run, response, losses), losses);
}

/** Answers with a JSON body. */
export async function renderJson(run: RequestRun, json: JsonObject, losses: readonly Loss[]): Promise<AttemptResult> {
  run.lane = 'translated';
  run.firstContentAt ??= performance.now();
  const body = Buffer.from(stringifyExactly(json));
  await respondWhole(run, 200, renderedHeaders(run, losses, 'application/json'), body);
  return answered;
}

/** Answers with a stream of frames that are all at hand. */
export async function renderFrames(run: RequestRun, frames: Iterable<StreamFrame>): Promise<AttemptResult> {
  const accumulator = new ResponseAccumulator();
  run.lane = 'translated';
  const source = new PullGate();
  run.writer.attach(source);
  run.waitingFor = source;
  const losses: Loss[] = [];
  const ended = Promise.withResolvers<void>();
  const stream = new ClientStream(run, {
    encoder: () => createClientEncoder(run, losses),
    losses,
    startedAt: performance.now(),
    onEnded: () => ended.resolve(),
  });
  run.writer.begin(200, renderedHeaders(run, losses, 'text/event-stream'));
  stream.open();
  try {
    for (const frame of frames) {
      if (run.isCanceled) return { kind: 'canceled' };
      run.firstContentAt ??= performance.now();
      accumulator.push(frame);
      stream.pushFrames([frame]);
      if (source.isPaused) await source.resumed();
    }
    stream.end();
  } catch (error) {
    stream.fail(toErrorInfo(error));
  } finally {
    run.usage = accumulator.usage;
    run.response = accumulator.result();
    run.writer.attach(null);
    run.waitingFor = null;
  }
  if (!run.isCanceled) await ended.promise;
  return answered;
}

/** The headers of an answer that no provider's bytes carry. */
export function renderedHeaders(run: RequestRun, losses: readonly Loss[], contentType: string): ClientHeaders {
  const isArray = run.request.route.streamFraming === 'json-array';
  const headers = beginHeaders(run, isArray ? 'application/json' : contentType);
  if (run.isStream) headers['cache-control'] = 'no-cache';
  addLosses(headers, losses);
  run.lossesInHead = losses.length;
  return headers;
}
