import type { ConversationResponse, ErrorInfo, StreamEvent } from '@bifrost/sdk';
import type { PreLLMOutcome } from '../plugins/chain.ts';
import { classifyFailure } from '../reliability/failure.ts';
import type { AttemptResult } from './attempt.ts';
import { requestOf } from './plugin-stages.ts';
import { tellOutcome } from './post-llm.ts';
import { renderResponse } from './render-answer.ts';
import { collectEvents, renderEvents } from './render-events.ts';
import type { RequestRun } from './run.ts';

/**
 * One attempt with `preLLMHook` before it and `postLLMHook` after it. On a whole answer of the provider the post hook has
 * run before the answer was written (`BufferedWhole`); here it hears of failures, which it may recover, of a plugin's own answer,
 * and of a stream's end. A conversation changed by `preLLMHook` holds for this attempt alone.
 */
export async function hookedAttempt(run: RequestRun, call: () => Promise<AttemptResult>): Promise<AttemptResult> {
  const { conversation, isConversationChanged } = run;
  const startedAt = performance.now();
  run.plugins?.update(run.facts());
  run.isOutcomeTold = false;
  try {
    const change = await preLLM(run);
    if (change?.error !== undefined) return await recover(run, failedBy(change.error), startedAt);
    if (change?.response !== undefined) return await answerBy(run, change.response, startedAt);
    if (change?.stream !== undefined) return await answerByStream(run, change.stream, startedAt);
    if (change?.conversation !== undefined) {
      run.conversation = change.conversation;
      run.isConversationChanged = true;
    }
    return await settle(run, await call(), startedAt);
  } finally {
    run.conversation = conversation;
    run.isConversationChanged = isConversationChanged;
  }
}

function preLLM(run: RequestRun): PreLLMOutcome | undefined | Promise<PreLLMOutcome | undefined> {
  const reads = run.needs.preLLM;
  return reads === undefined ? undefined : run.plugins?.preLLM(requestOf(run, reads));
}

/** Answers with what a plugin said. */
async function answerBy(run: RequestRun, response: ConversationResponse, startedAt: number): Promise<AttemptResult> {
  const post = await tellOutcome(run, { statusCode: 200, startedAt, response });
  if (post?.error !== undefined) return failedBy(post.error);
  return renderResponse(run, post?.response ?? response);
}

/** Answers with a plugin's stream; a client that wants a whole answer gets what it adds up to. */
async function answerByStream(
  run: RequestRun,
  stream: AsyncIterable<StreamEvent> | Iterable<StreamEvent>,
  startedAt: number,
): Promise<AttemptResult> {
  if (run.isStream) return settle(run, await renderEvents(run, stream), startedAt);
  const collected = await collectEvents(run, stream);
  if ('response' in collected) return answerBy(run, collected.response, startedAt);
  return settle(run, collected.result, startedAt);
}

/** Tells the post hooks how the attempt ended, where they have not heard of it before the answer was written. */
async function settle(run: RequestRun, result: AttemptResult, startedAt: number): Promise<AttemptResult> {
  if (result.kind === 'failed') return recover(run, result, startedAt);
  if (run.isStream && !run.isOutcomeTold) {
    const { error, response } = run;
    await tellOutcome(run, { statusCode: error?.statusCode ?? run.statusCode, startedAt, response, error });
  }
  return result;
}

function failedBy(error: ErrorInfo): AttemptResult & { kind: 'failed' } {
  return { kind: 'failed', failure: { info: error, class: classifyFailure(error) } };
}

/** A failure as the post hooks leave it: the same, another one, or an answer. */
async function recover(
  run: RequestRun,
  result: AttemptResult & { kind: 'failed' },
  startedAt: number,
): Promise<AttemptResult> {
  const { info } = result.failure;
  const change = await tellOutcome(run, { statusCode: info.statusCode, startedAt, error: info });
  if (change?.error !== undefined) return failedBy(change.error);
  return change?.response === undefined ? result : renderResponse(run, change.response);
}
