import { GatewayError } from '@bifrost/sdk';
import type { ErrorInfo } from '@bifrost/sdk';
import { formatSse } from '../sse/parser.ts';
import type { AttemptFailure } from './attempt.ts';
import { errorBody } from './error-body.ts';
import { respondWhole } from './respond-whole.ts';
import { beginHeaders, copyUpstreamHeaders } from './response-headers.ts';
import type { RequestRun } from './run.ts';

/**
 * Answers with an error: in Bifrost's shape on the unified routes, in the SDK's own on a drop-in route, where the error of a
 * provider of the same dialect passes as it came. A stream that has begun ends in its dialect's error event.
 */
export function respondError(run: RequestRun, failure: Pick<AttemptFailure, 'info' | 'raw'>): void | Promise<void> {
  const { info, raw } = failure;
  run.error = info;
  if (run.writer.isCommitted) {
    writeStreamError(run, info);
    return undefined;
  }
  const headers = beginHeaders(run, 'application/json');
  if (raw !== undefined) copyUpstreamHeaders(headers, raw.headers);
  if (info.retryAfterSeconds !== undefined) headers['retry-after'] = String(Math.ceil(info.retryAfterSeconds));
  const isPassed =
    raw !== undefined && run.request.route.isDropIn && run.lane !== 'translated' && raw.statusCode >= 400;
  if (!isPassed) return respondWhole(run, info.statusCode, headers, Buffer.from(JSON.stringify(errorBody(run, info))));
  const contentType = raw.headers['content-type'];
  if (contentType !== undefined) headers['content-type'] = contentType;
  return respondWhole(run, raw.statusCode, headers, raw.body);
}

/** Ends an answer that has begun with what tells the client that it failed: never with a clean end. */
export function writeStreamError(run: RequestRun, info: ErrorInfo): void {
  run.error = info;
  if (!run.isStream) {
    run.writer.destroy();
    return;
  }
  const encoder = run.clientCodec.createStreamEncoder({ report: { add: () => undefined } });
  const events = encoder.fail(info);
  if (run.request.route.streamFraming === 'json-array') {
    run.writer.end(`,\r\n${events.map((event) => event.data).join(',\r\n')}]`);
  } else run.writer.end(events.map(formatSse).join(''));
}

/** Any thrown value as an error for the client; what is not ours says nothing of its inside. */
export function toErrorInfo(error: unknown): ErrorInfo {
  if (GatewayError.isInstance(error)) return error.toInfo();
  return {
    statusCode: 500,
    code: 'BF_ENGINE_FAILED',
    message: 'the gateway failed to handle the request',
    origin: 'gateway',
  };
}
