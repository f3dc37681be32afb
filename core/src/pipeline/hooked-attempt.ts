import type { ConversationResponse, ErrorInfo, StreamEvent } from '@bifrost/sdk';
import type { PreLLMOutcome } from '../plugins/chain.ts';
import { classifyFailure } from '../reliability/failure.ts';
import type { AttemptResult } from './attempt.ts';
import { deliver } from './attempt-outcome.ts';
import type { AttemptDone } from './attempt-outcome.ts';
import { requestOf } from './plugin-stages.ts';
import { tellOutcome } from './post-llm.ts';
import { renderResponse } from './render-answer.ts';
import { collectEvents, renderEvents } from './render-events.ts';
import type { RequestRun } from './run.ts';
import { whenSettled } from './when-settled.ts';

/**
 * One attempt with `preLLMHook` before it and `postLLMHook` after it. On a whole answer of the provider the post hook has
 * run before the answer was written (`BufferedWhole`); here it hears of failures, which it may recover, of a plugin's own answer,
 * and of a stream's end. A conversation changed by `preLLMHook` holds for this attempt alone.
 */
export function hookedAttempt(run: RequestRun, call: (called: AttemptDone) => void, done: AttemptDone): void {
  const { conversation, isConversationChanged } = run;
  const startedAt = performance.now();
  run.plugins?.update(run.facts());
  run.isOutcomeTold = false;
  const end: AttemptDone = (outcome) => {
    run.conversation = conversation;
    run.isConversationChanged = isConversationChanged;
    done(outcome);
  };
  const called: AttemptDone = (outcome) => {
    if (outcome.kind === 'thrown') end(outcome);
    else deliver(() => settle(run, outcome, startedAt), end);
  };
  const proceed = (change: PreLLMOutcome | undefined): void => {
    if (change?.error !== undefined || change?.response !== undefined || change?.stream !== undefined) {
      deliver(() => answerInstead(run, change, startedAt), end);
      return;
    }
    if (change?.conversation !== undefined) {
      run.conversation = change.conversation;
      run.isConversationChanged = true;
    }
    call(called);
  };
  let change: ReturnType<typeof preLLM>;
  try {
    change = preLLM(run);
  } catch (error) {
    end({ kind: 'thrown', error });
    return;
  }
  if (change instanceof Promise) change.then(proceed, (error: unknown) => end({ kind: 'thrown', error }));
  else proceed(change);
}

/** A plugin decided in the provider's place: with an error, an answer or a stream. */
function answerInstead(run: RequestRun, change: PreLLMOutcome, startedAt: number): Promise<AttemptResult> {
  if (change.error !== undefined) return recover(run, failedBy(change.error), startedAt);
  if (change.response !== undefined) return answerBy(run, change.response, startedAt);
  return answerByStream(run, change.stream ?? [], startedAt);
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
function settle(run: RequestRun, result: AttemptResult, startedAt: number): AttemptResult | Promise<AttemptResult> {
  // What they have made an error of is no news to them.
  if (run.isOutcomeTold) return result;
  if (result.kind === 'failed') return recover(run, result, startedAt);
  if (!run.isStream) return result;
  const { error, response } = run;
  const statusCode = error?.statusCode ?? run.statusCode;
  return whenSettled(tellOutcome(run, { statusCode, startedAt, response, error }), () => result);
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
