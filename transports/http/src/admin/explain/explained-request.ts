/** A request whose hooks' decisions were written down, as a serving thread reports it to the supervisor. Plain data. */
import type { ErrorInfo, Explanation, PluginFailure, RequestFacts, RequestTrace, RoutingNote } from '@bifrost/sdk';

export interface ExplainedRequest {
  readonly facts: RequestFacts;
  readonly statusCode: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly latencyMs: number;
  readonly error?: ErrorInfo;
  readonly failures: readonly PluginFailure[];
  readonly routingNotes: readonly RoutingNote[];
  readonly explanation: Explanation;
}

/** What is kept of a trace that has an explanation. */
export function explainedRequestOf(trace: RequestTrace, explanation: Explanation): ExplainedRequest {
  const { facts, statusCode, startedAt, latencyMs, error, pluginFailures = [], routingNotes = [] } = trace;
  return {
    facts,
    statusCode,
    startedAt,
    latencyMs,
    ...(error === undefined ? {} : { error }),
    failures: pluginFailures,
    routingNotes,
    explanation,
  };
}
