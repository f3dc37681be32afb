import type { Loss } from '../dialects/codec.ts';
import type { UpstreamHeaders } from '../upstream/call.ts';
import type { RequestRun } from './run.ts';
import { serverTiming } from './server-timing.ts';

/** Headers of a provider's answer that end here: of the connection, of its site, of its encoding, or that only we may set. */
const notPassedOn = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'content-encoding',
  'content-type',
  'date',
  'server',
  'via',
  'set-cookie',
  // Redirects are not followed; the client must not follow them past the gateway either.
  'location',
  'alt-svc',
  'strict-transport-security',
  'content-security-policy',
  'content-security-policy-report-only',
  'report-to',
  'nel',
  'reporting-endpoints',
  'expect-ct',
  'vary',
  'server-timing',
  'x-request-id',
]);

/** Longest list of field names in one header, in characters. */
const maxFieldList = 2000;
const unsafe = /[^\x20-\x7e]/;

type HeaderValue = string | readonly string[];
type ClientHeaders = Record<string, HeaderValue>;

/** A value as a header may carry it: anything beyond printable ASCII is percent-encoded. */
export function safeHeaderValue(value: string): string {
  return unsafe.test(value) ? encodeURIComponent(value.toWellFormed()) : value;
}

/** Copies what may pass of a provider's headers. Its own request id becomes `x-bf-upstream-request-id`. */
export function copyUpstreamHeaders(target: ClientHeaders, upstream: UpstreamHeaders): void {
  for (const name in upstream) {
    const value = upstream[name];
    if (value === undefined) continue;
    if (name === 'x-request-id') target['x-bf-upstream-request-id'] = value;
    else if (name === 'server-timing') target['x-bf-upstream-server-timing'] = value;
    if (notPassedOn.has(name) || name.startsWith('x-bf-') || name.startsWith('access-control-')) continue;
    target[name] = value;
  }
}

/**
 * The headers that every answer begins with: its type, and who served the request and how. On the identical and spliced lanes this is
 * the only place that says so. They are written as literals: an object that grows name by name is moved several times.
 */
export function beginHeaders(
  run: RequestRun,
  contentType: HeaderValue,
  now: number = performance.now(),
): ClientHeaders {
  const { target, primary, keyName, fallbackIndex } = run;
  const latencyMs = String(Math.round(now - run.request.startedAt));
  const timing = (run.timing = serverTiming(run, now));
  if (target === undefined || primary === undefined) {
    return {
      'content-type': contentType,
      'x-request-id': run.request.requestId,
      'x-bf-lane': run.lane,
      'x-bf-request-type': run.requestType,
      'x-bf-latency-ms': latencyMs,
      'server-timing': timing,
    };
  }
  const headers: ClientHeaders = {
    'content-type': contentType,
    'x-request-id': run.request.requestId,
    'x-bf-lane': run.lane,
    'x-bf-request-type': run.requestType,
    'x-bf-latency-ms': latencyMs,
    'server-timing': timing,
    'x-bf-provider': safeHeaderValue(target.runtime.name),
    'x-bf-model': safeHeaderValue(target.model),
    'x-bf-is-fallback': fallbackIndex === 0 ? 'false' : 'true',
  };
  if (keyName !== undefined) headers['x-bf-key'] = safeHeaderValue(keyName);
  if (fallbackIndex === 0) return headers;
  headers['x-bf-primary-provider'] = safeHeaderValue(primary.runtime.name);
  headers['x-bf-primary-model'] = safeHeaderValue(primary.model);
  return headers;
}

/** Lists the fields that a translation dropped or changed, shortened where there are too many. */
export function addLosses(target: ClientHeaders, losses: readonly Loss[]): void {
  if (losses.length === 0) return;
  const dropped = fieldList(losses, 'dropped');
  if (dropped !== '') target['x-bf-dropped-fields'] = dropped;
  const changed = fieldList(losses, 'changed');
  if (changed !== '') target['x-bf-changed-fields'] = changed;
}

function fieldList(losses: readonly Loss[], action: Loss['action']): string {
  const fields = new Set<string>();
  for (const loss of losses) if (loss.action === action) fields.add(safeHeaderValue(loss.field));
  let list = '';
  let left = fields.size;
  for (const field of fields) {
    if (list.length + field.length > maxFieldList) return `${list}${list === '' ? '' : ', '}and ${left} more`;
    list += list === '' ? field : `, ${field}`;
    left -= 1;
  }
  return list;
}
