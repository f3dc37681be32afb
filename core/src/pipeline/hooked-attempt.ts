import type { ErrorInfo, LLMOutcome } from '@bifrost/sdk';
import type { PostLLMOutcome, PreLLMOutcome } from '../plugins/chain.ts';
import { classifyFailure } from '../reliability/failure.ts';
import type { AttemptResult } from './attempt.ts';
import { requestOf } from './plugin-stages.ts';
import { renderEvents, renderResponse } from './render-answer.ts';
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
  try {
    const change = await preLLM(run);
    if (change?.error !== undefined) return await recover(run, failedBy(change.error), startedAt);
    if (change?.response !== undefined) {
      const post = await postLLM(run, { ...outcomeOf(run, startedAt, 200), response: change.response });
      if (post?.error !== undefined) return failedBy(post.error);
      return await renderResponse(run, post?.response ?? change.response);
    }
    if (change?.stream !== undefined) return await renderEvents(run, change.stream);
    if (change?.conversation !== undefined) {
      run.conversation = change.conversation;
      run.isConversationChanged = true;
    }
    const result = await call();
    if (result.kind === 'failed') return await recover(run, result, startedAt);
    if (run.isStream) await postStream(run, startedAt);
    return result;
  } finally {
    run.conversation = conversation;
    run.isConversationChanged = isConversationChanged;
  }
}

function preLLM(run: RequestRun): PreLLMOutcome | undefined | Promise<PreLLMOutcome | undefined> {
  const reads = run.needs.preLLM;
  return reads === undefined ? undefined : run.plugins?.preLLM(requestOf(run, reads));
}

function postLLM(
  run: RequestRun,
  outcome: LLMOutcome,
): PostLLMOutcome | undefined | Promise<PostLLMOutcome | undefined> {
  return run.needs.postLLM === undefined ? undefined : run.plugins?.postLLM(outcome);
}

function outcomeOf(run: RequestRun, startedAt: number, statusCode: number): LLMOutcome {
  return {
    request: run.head(),
    statusCode,
    latencyMs: performance.now() - startedAt,
    ...(run.usage === undefined ? {} : { usage: run.usage }),
  };
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
  const change = await postLLM(run, { ...outcomeOf(run, startedAt, info.statusCode), error: info });
  if (change?.error !== undefined) return failedBy(change.error);
  return change?.response === undefined ? result : renderResponse(run, change.response);
}

async function postStream(run: RequestRun, startedAt: number): Promise<void> {
  const outcome = outcomeOf(run, startedAt, run.error?.statusCode ?? run.statusCode);
  await postLLM(run, {
    ...outcome,
    ...(run.response === undefined ? {} : { response: run.response }),
    ...(run.error === undefined ? {} : { error: run.error }),
  });
}
