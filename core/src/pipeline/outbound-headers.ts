import type { KeyConfig } from '../config.ts';
import { RequestHeaders } from '../upstream/request-headers.ts';
import type { ProviderRuntime } from './provider-runtime.ts';
import type { RequestRun } from './run.ts';

/** Names that no caller sets upstream, whatever prefix or list would allow it: transport, credentials, the gateway's own. */
const neverFromCaller = new Set([
  'authorization',
  'proxy-authorization',
  'x-api-key',
  'x-goog-api-key',
  'api-key',
  'cookie',
  'set-cookie',
  'host',
  'content-length',
  'content-encoding',
  'content-type',
  'accept',
  'accept-encoding',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'user-agent',
]);
const extraPrefix = 'x-bf-eh-';
const gatewayPrefix = 'x-bf-';

/** Collects header names and values in turn; a name set by a stronger party is not set again. */
class HeaderList {
  readonly list: string[] = [];
  readonly #names = new Set<string>();

  add(name: string, value: string | readonly string[] | undefined): void {
    if (value === undefined || this.#names.has(name)) return;
    this.#names.add(name);
    if (typeof value === 'string') this.list.push(name, value);
    else for (const one of value) this.list.push(name, one);
  }
}

/**
 * The headers of one upstream call: an allow-list, nothing else of the caller's leaves. Precedence: the operator's
 * `extra_headers`, the gateway's own (credential, encoding), the caller's (`x-bf-eh-*`, allow-listed names, the provider's
 * `forwardedHeaders`), the provider's defaults. The list may be shared between calls: do not change it.
 */
export function buildOutboundHeaders(run: RequestRun, runtime: ProviderRuntime, key: KeyConfig): RequestHeaders {
  if (hasCallerHeaders(run, runtime)) return assemble(run, runtime, key);
  const cache = run.isStream ? runtime.streamHeaders : runtime.wholeHeaders;
  let list = cache.get(key);
  if (list === undefined) {
    list = assemble(run, runtime, key);
    cache.set(key, list);
  }
  return list;
}

/** True where a header of this caller's may leave. */
function hasCallerHeaders(run: RequestRun, runtime: ProviderRuntime): boolean {
  for (const name of runtime.config.definition.forwardedHeaders ?? []) if (run.headers[name] !== undefined) return true;
  if (run.snapshot.allowedHeaders.size > 0) return true;
  for (const name in run.headers) if (name.startsWith(extraPrefix)) return true;
  return false;
}

function assemble(run: RequestRun, runtime: ProviderRuntime, key: KeyConfig): RequestHeaders {
  const { definition, network } = runtime.config;
  const headers = new HeaderList();
  for (const name in network.extraHeaders) headers.add(name.toLowerCase(), network.extraHeaders[name]);
  if (key.value !== '') headers.add(definition.auth.header, `${definition.auth.prefix ?? ''}${key.value}`);
  headers.add('content-type', 'application/json');
  headers.add('accept', run.isStream ? 'text/event-stream' : 'application/json');
  // A compressed answer could not be watched.
  headers.add('accept-encoding', 'identity');
  headers.add('user-agent', 'bifrost');
  addCallerHeaders(headers, run);
  for (const name of definition.forwardedHeaders ?? []) {
    if (!run.snapshot.deniedHeaders.has(name)) headers.add(name, run.headers[name]);
  }
  if (definition.defaultHeaders !== undefined) {
    for (const name in definition.defaultHeaders) headers.add(name.toLowerCase(), definition.defaultHeaders[name]);
  }
  return new RequestHeaders(headers.list);
}

function addCallerHeaders(headers: HeaderList, run: RequestRun): void {
  const { allowedHeaders, deniedHeaders } = run.snapshot;
  for (const given in run.headers) {
    const isPrefixed = given.startsWith(extraPrefix);
    if (!isPrefixed && allowedHeaders.size === 0) continue;
    const name = isPrefixed ? given.slice(extraPrefix.length) : given;
    if (allowedHeaders.size > 0 && !allowedHeaders.has(name)) continue;
    if (name === '' || deniedHeaders.has(name) || neverFromCaller.has(name) || name.startsWith(gatewayPrefix)) continue;
    headers.add(name, run.headers[given]);
  }
}
