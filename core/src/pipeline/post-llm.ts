import type { ConversationResponse, ErrorInfo } from '@bifrost/sdk';
import type { PostLLMOutcome } from '../plugins/chain.ts';
import type { RequestRun } from './run.ts';

/** How an attempt ended, as far as `postLLMHook` hears of it. */
export interface AttemptOutcome {
  readonly statusCode: number;
  /** `performance.now()` at the attempt's start. */
  readonly startedAt: number;
  readonly response?: ConversationResponse | undefined;
  readonly error?: ErrorInfo | undefined;
}

/** Tells the plugins of an attempt's outcome, once per attempt; undefined where none listens or none changed anything. */
export function tellOutcome(
  run: RequestRun,
  { statusCode, startedAt, response, error }: AttemptOutcome,
): PostLLMOutcome | undefined | Promise<PostLLMOutcome | undefined> {
  run.isOutcomeTold = true;
  if (run.plugins === null || run.needs.postLLM === undefined) return undefined;
  // A stream's end: what is done about it now delays nobody's first content.
  if (run.isStream && run.firstContentAt !== undefined) run.plugins.noteContentOut?.();
  return run.plugins.postLLM({
    request: run.head(),
    statusCode,
    latencyMs: performance.now() - startedAt,
    ...(response === undefined ? {} : { response }),
    ...(error === undefined ? {} : { error }),
    ...(run.usage === undefined ? {} : { usage: run.usage }),
  });
}
