import { InvalidRequestError } from '@bifrost/sdk';
import { mockFrames } from '../providers/mock/frames.ts';
import { mockResponse } from '../providers/mock/response.ts';
import type { AttemptResult } from './attempt.ts';
import { conversationOf } from './encode-request.ts';
import { renderFrames, renderResponse } from './render-answer.ts';
import type { Target } from './resolve-model.ts';
import type { RequestRun } from './run.ts';

/** Answers in process, in any dialect: the translated lane without a provider behind it. Throws InvalidRequestError. */
export async function answerEmbedded(run: RequestRun, target: Target): Promise<AttemptResult> {
  const { operation, requestType } = run.request.route;
  if (operation !== 'conversation') {
    throw new InvalidRequestError(`the provider ${target.runtime.name} does not offer the operation ${requestType}`, {
      code: 'BF_OPERATION_UNSUPPORTED',
    });
  }
  const request = { ...conversationOf(run), model: target.model };
  const identity = { id: run.request.requestId, createdAt: Math.floor(run.services.now() / 1000) };
  const response = mockResponse(request, identity);
  return run.isStream ? renderFrames(run, mockFrames(response)) : renderResponse(run, response);
}
