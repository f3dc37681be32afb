import { attemptTargets } from './attempt-targets.ts';
import { peekRequest } from './peeked-fields.ts';
import { openPlugins, routeByPlugins } from './plugin-stages.ts';
import { acceptRequest } from './accept.ts';
import { recordRequest } from './record.ts';
import { respondError, toErrorInfo } from './respond-error.ts';
import { resolveModel } from './resolve-model.ts';
import type { RequestRun } from './run.ts';

/**
 * One request, end to end: accept, (authenticate: the transport's and the plugins' work), peek, route, then per target and key
 * guard, encode, call, decode, render; record. A feature attaches to a stage, as a plugin hook where it can; it adds no branch
 * here. Never rejects.
 */
export async function runPipeline(run: RequestRun): Promise<void> {
  try {
    acceptRequest(run);
    const isAnswered = run.snapshot.plugins === null ? false : await openPlugins(run);
    if (!isAnswered) {
      peekRequest(run);
      if (run.plugins !== null) await routeByPlugins(run);
      routeRequest(run);
      await attemptTargets(run);
    }
  } catch (error) {
    await answerThrown(run, error);
  }
  if (run.writer.opening !== null) await run.writer.opening;
  recordRequest(run);
}

/** The stage `route`: names the first target. Throws InvalidRequestError. */
function routeRequest(run: RequestRun): void {
  const target = resolveModel(run.modelText, run.snapshot.providers, run.request.route.defaultProvider);
  run.primary = target;
  run.target = target;
  const { totalTimeoutMs } = target.runtime.config.network;
  if (totalTimeoutMs > 0) run.deadlineAt = run.request.startedAt + totalTimeoutMs;
}

async function answerThrown(run: RequestRun, error: unknown): Promise<void> {
  const info = toErrorInfo(error);
  if (info.code === 'BF_ENGINE_FAILED') run.services.logger?.error('a request failed inside the engine', error);
  if (run.isCanceled) {
    run.error = info;
    return;
  }
  try {
    await respondError(run, { info });
  } catch (failure) {
    // Not even the error could be written in the client's dialect: the connection must not stay open.
    run.services.logger?.error('an error could not be rendered', failure);
    run.writer.destroy();
  }
}
