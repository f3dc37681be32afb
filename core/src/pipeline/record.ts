import type { RequestTrace } from '@bifrost/sdk';
import type { RequestRun } from './run.ts';

/** The client left before its answer was complete (nginx's number for it; nobody receives it). */
const clientGone = 499;

/** The stage `record`: tells the trace listener and the plugins, after the answer is out. */
export function recordRequest(run: RequestRun): void {
  const { onTrace, logger } = run.services;
  if (onTrace === undefined && run.plugins === null) return;
  const plain = traceOf(run);
  const trace = run.plugins?.complete?.(plain) ?? plain;
  try {
    onTrace?.(trace);
  } catch (error) {
    logger?.error('the trace listener threw', error);
  }
  run.plugins?.finish(trace);
}

function traceOf(run: RequestRun): RequestTrace {
  const { request, firstContentAt } = run;
  return {
    facts: run.facts(),
    statusCode: run.isCanceled && !run.writer.isEnded ? clientGone : run.statusCode,
    startedAt: run.startedAtEpoch,
    latencyMs: performance.now() - request.startedAt,
    ...(firstContentAt === undefined ? {} : { timeToFirstContentMs: firstContentAt - request.startedAt }),
    ...(run.usage === undefined ? {} : { usage: run.usage }),
    ...(run.error === undefined ? {} : { error: run.error }),
    attempts: run.attempts,
    lane: run.lane,
  };
}
