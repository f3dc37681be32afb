import type { UpstreamHeaders } from '../upstream/call.ts';
import type { Attempt } from './attempt.ts';
import { addLosses, beginHeaders, copyUpstreamHeaders } from './response-headers.ts';

type ClientHeaders = Record<string, string | readonly string[]>;

/** The headers of an answer: what may pass of the provider's, and who served it how. */
export function answerHeaders(
  attempt: Attempt,
  upstream: UpstreamHeaders,
  now: number = performance.now(),
): ClientHeaders {
  const { plan, run } = attempt;
  attempt.noteUpstreamTime(now);
  const contentType = upstream['content-type'];
  const isEvents = run.isStream && run.request.route.streamFraming !== 'json-array';
  const ownType = isEvents ? 'text/event-stream' : 'application/json';
  // Events that leave as one JSON array are not of the provider's type any more.
  const isTypeKept = plan.lane !== 'translated' && isEvents === run.isStream;
  const headers = beginHeaders(run, isTypeKept && contentType !== undefined ? contentType : ownType, now);
  if (isEvents) headers['cache-control'] = 'no-cache';
  copyUpstreamHeaders(headers, upstream);
  const encoding = upstream['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') headers['x-bf-decompressed'] = encoding;
  addLosses(headers, plan.losses);
  run.lossesInHead = plan.losses.length;
  return headers;
}

/** The commit point of a stream: status and headers go out. Does nothing when they have. */
export function commitAnswer(attempt: Attempt, statusCode: number, upstream: UpstreamHeaders): void {
  const { writer } = attempt.run;
  if (!writer.isCommitted) writer.begin(statusCode, answerHeaders(attempt, upstream));
}
