import { AttemptChain } from './attempt-chain.ts';
import { peekRequest } from './peeked-fields.ts';
import { openPlugins, routeByPlugins } from './plugin-stages.ts';
import { acceptRequest } from './accept.ts';
import { recordRequest } from './record.ts';
import { respondError, toErrorInfo } from './respond-error.ts';
import type { RequestRun } from './run.ts';

/**
 * One request, end to end: accept, authenticate (the transport's work, or the transport's after
 * the plugins'), peek, route, then per target and key
 * guard, encode, call, decode, render; record. A feature attaches to a stage, as a plugin hook where it can; it adds no branch
 * here. Never throws; `run.onEnd` is called once, when the answer is out and recorded.
 *
 * The stages hand over by calls and not by promises, and are handed the run and no closure over it: a request whose hooks are
 * synchronous walks to the provider without either.
 */
export function runPipeline(run: RequestRun): void {
  let prepared: boolean | Promise<boolean>;
  try {
    prepared = prepareRequest(run);
  } catch (error) {
    answerThrown(run, error);
    return;
  }
  if (prepared instanceof Promise) {
    prepared.then(
      (isAnswered) => attemptRequest(run, isAnswered),
      (error: unknown) => answerThrown(run, error),
    );
  } else attemptRequest(run, prepared);
}

function attemptRequest(run: RequestRun, isAnswered: boolean): void {
  if (isAnswered) endRequest(run);
  else new AttemptChain(run, endRequest).start();
}

/** The stages before the first attempt. True where a plugin has answered. Throws GatewayError. */
function prepareRequest(run: RequestRun): boolean | Promise<boolean> {
  acceptRequest(run);
  const opened = openPlugins(run);
  return opened instanceof Promise
    ? opened.then((isAnswered) => isAnswered || peekAndRoute(run))
    : opened || peekAndRoute(run);
}

function peekAndRoute(run: RequestRun): false | Promise<false> {
  peekRequest(run);
  const routed = routeByPlugins(run);
  return routed instanceof Promise ? routed.then(() => routeRequest(run)) : routeRequest(run);
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
function endRequest(run: RequestRun): void {
  if (run.writer.opening === null) recordAndEnd(run);
  else void run.writer.opening.then(() => recordAndEnd(run));
}

function recordAndEnd(run: RequestRun): void {
  recordRequest(run);
  run.onEnd(run);
}

/** Answers what a stage has thrown. */
function answerThrown(run: RequestRun, error: unknown): void {
  const info = toErrorInfo(error);
  if (info.code === 'BF_ENGINE_FAILED') run.services.logger?.error('a request failed inside the engine', error);
  if (run.isCanceled) {
    run.error = info;
    endRequest(run);
    return;
  }
  const giveUp = (failure: unknown): void => {
    // Not even the error could be written in the client's dialect: the connection must not stay open.
    run.services.logger?.error('an error could not be rendered', failure);
    run.writer.destroy();
    endRequest(run);
  };
  try {
    const responded = respondError(run, { info });
    if (responded instanceof Promise) responded.then(() => endRequest(run), giveUp);
    else endRequest(run);
  } catch (failure) {
    giveUp(failure);
  }
}
