import { AttemptChain } from './attempt-chain.ts';
import { peekRequest } from './peeked-fields.ts';
import { openPlugins, routeByPlugins } from './plugin-stages.ts';
import { acceptRequest } from './accept.ts';
import { recordRequest } from './record.ts';
import { respondError, toErrorInfo } from './respond-error.ts';
import type { RequestRun } from './run.ts';
import { whenSettled } from './when-settled.ts';

/**
 * One request, end to end: accept, authenticate (the transport's work, or the transport's after
 * the plugins'), peek, route, then per target and key
 * guard, encode, call, decode, render; record. A feature attaches to a stage, as a plugin hook where it can; it adds no branch
 * here. Never throws; `onEnd` is called once, when the answer is out and recorded.
 *
 * The stages hand over by calls and not by promises: a request whose hooks are synchronous walks to the provider without one.
 */
export function runPipeline(run: RequestRun, onEnd: () => void): void {
  const end = (): void => endRequest(run, onEnd);
  const fail = (error: unknown): void => answerThrown(run, error, end);
  const attempt = (isAnswered: boolean): void => {
    if (isAnswered) end();
    else new AttemptChain(run, end).start();
  };
  let prepared: boolean | Promise<boolean>;
  try {
    prepared = prepareRequest(run);
  } catch (error) {
    fail(error);
    return;
  }
  if (prepared instanceof Promise) prepared.then(attempt, fail);
  else attempt(prepared);
}

/** The stages before the first attempt. True where a plugin has answered. Throws GatewayError. */
function prepareRequest(run: RequestRun): boolean | Promise<boolean> {
  acceptRequest(run);
  return whenSettled(openPlugins(run), (isAnswered): boolean | Promise<boolean> => {
    if (isAnswered) return true;
    peekRequest(run);
    return whenSettled(routeByPlugins(run), () => routeRequest(run));
  });
}

/** The stage `route`: names the first target. Throws InvalidRequestError. */
function routeRequest(run: RequestRun): false {
  const target = run.snapshot.targetOf(run.modelText, run.request.route.defaultProvider);
  run.primary = target;
  run.target = target;
  const { totalTimeoutMs } = target.runtime.config.network;
  if (totalTimeoutMs > 0) run.deadlineAt = run.request.startedAt + totalTimeoutMs;
  return false;
}

/** The stage `record`, once a plugin that takes its time over the head has let it go. */
function endRequest(run: RequestRun, onEnd: () => void): void {
  const record = (): void => {
    recordRequest(run);
    onEnd();
  };
  if (run.writer.opening === null) record();
  else void run.writer.opening.then(record);
}

/** Answers what a stage has thrown. */
function answerThrown(run: RequestRun, error: unknown, end: () => void): void {
  const info = toErrorInfo(error);
  if (info.code === 'BF_ENGINE_FAILED') run.services.logger?.error('a request failed inside the engine', error);
  if (run.isCanceled) {
    run.error = info;
    end();
    return;
  }
  const giveUp = (failure: unknown): void => {
    // Not even the error could be written in the client's dialect: the connection must not stay open.
    run.services.logger?.error('an error could not be rendered', failure);
    run.writer.destroy();
    end();
  };
  try {
    const responded = respondError(run, { info });
    if (responded instanceof Promise) responded.then(end, giveUp);
    else end();
  } catch (failure) {
    giveUp(failure);
  }
}
