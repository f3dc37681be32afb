import type { RequestTrace } from '@bifrost/sdk';
import type { Mutable } from '../mutable.ts';
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
  const trace: Mutable<RequestTrace> = {
    facts: run.facts(),
    statusCode: run.isCanceled && !run.writer.isEnded ? clientGone : run.statusCode,
    startedAt: run.startedAtEpoch,
    // What is read after the client has left is nobody's waiting.
    latencyMs: (run.isCanceled ? run.canceledAt : performance.now()) - request.startedAt,
    attempts: run.attempts,
    lane: run.lane,
  };
  if (firstContentAt !== undefined) trace.timeToFirstContentMs = firstContentAt - request.startedAt;
  if (run.usage !== undefined) trace.usage = run.usage;
  if (run.drained !== undefined) {
    const { outcome, bytes, tookMs } = run.drained;
    trace.drain = { outcome, bytes, latencyMs: tookMs };
  }
  if (run.error !== undefined) trace.error = run.error;
  return trace;
}
