import { mockEmbeddings } from '../providers/mock/embeddings.ts';
import { mockFrames } from '../providers/mock/frames.ts';
import { countConversation, mockResponse } from '../providers/mock/response.ts';
import type { Loss } from '../dialects/codec.ts';
import { classifyFailure } from '../reliability/failure.ts';
import type { AttemptResult } from './attempt.ts';
import { conversationOf } from './encode-request.ts';
import { countedConversationOf, embeddingRequestOf, encodeCount, encodeEmbeddings } from './other-operations.ts';
import { tellOutcome } from './post-llm.ts';
import { renderFrames, renderJson, renderResponse } from './render-answer.ts';
import type { Target } from './resolve-model.ts';
import type { RequestRun } from './run.ts';

/** Answers in process, in any dialect: the translated lane without a provider behind it. Throws InvalidRequestError. */
export async function answerEmbedded(run: RequestRun, target: Target): Promise<AttemptResult> {
  const { operation } = run.request.route;
  const losses: Loss[] = [];
  if (operation === 'count-tokens') {
    return renderJson(run, encodeCount(run, countConversation(countedConversationOf(run))), losses);
  }
  if (operation === 'embeddings') {
    const response = mockEmbeddings({ ...embeddingRequestOf(run), model: target.model });
    run.usage = response.usage;
    return renderJson(run, encodeEmbeddings(run, response, losses), losses);
  }
  const request = { ...conversationOf(run), model: target.model };
  const identity = { id: run.request.requestId, createdAt: Math.floor(run.services.now() / 1000) };
  const response = mockResponse(request, identity);
  if (run.isStream) return renderFrames(run, mockFrames(response));
  run.usage = response.usage;
  const post = await tellOutcome(run, { statusCode: 200, startedAt: performance.now(), response });
  if (post?.error === undefined) return renderResponse(run, post?.response ?? response);
  return { kind: 'failed', failure: { info: post.error, class: classifyFailure(post.error) } };
}
