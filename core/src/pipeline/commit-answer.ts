import type { UpstreamHeaders } from '../upstream/call.ts';
import type { Attempt } from './attempt.ts';
import { addLosses, addRoutingFacts, copyUpstreamHeaders } from './response-headers.ts';

type ClientHeaders = Record<string, string | readonly string[]>;

/** The headers of an answer: what may pass of the provider's, and who served it how. */
export function answerHeaders(
  attempt: Attempt,
  upstream: UpstreamHeaders,
  now: number = performance.now(),
): ClientHeaders {
  const headers: ClientHeaders = {};
  const { plan, run } = attempt;
  const contentType = upstream['content-type'];
  if (run.isStream && run.request.route.streamFraming !== 'json-array') {
    headers['content-type'] =
      plan.lane !== 'translated' && contentType !== undefined ? contentType : 'text/event-stream';
    headers['cache-control'] = 'no-cache';
  } else
    headers['content-type'] =
      plan.lane !== 'translated' && !run.isStream && contentType !== undefined ? contentType : 'application/json';
  copyUpstreamHeaders(headers, upstream);
  const encoding = upstream['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') headers['x-bf-decompressed'] = encoding;
  addLosses(headers, plan.losses);
  run.lossesInHead = plan.losses.length;
  addRoutingFacts(headers, run, now);
  return headers;
}

/** The commit point of a stream: status and headers go out. Does nothing when they have. */
export function commitAnswer(attempt: Attempt, statusCode: number, upstream: UpstreamHeaders): void {
  const { writer } = attempt.run;
  if (!writer.isCommitted) writer.begin(statusCode, answerHeaders(attempt, upstream));
}
