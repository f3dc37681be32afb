import type { KeyConfig } from '../config.ts';
import type { Surface } from '../providers/provider.ts';
import type { UpstreamAddress } from '../upstream/address.ts';
import { callAddress } from './call-address.ts';
import type { ProviderRuntime } from './provider-runtime.ts';
import type { RequestRun } from './run.ts';

/** Query parameters of a caller that never travel on: credentials, and what the gateway decides. */
const ownParameters = new Set(['key', 'api_key', 'api-key', 'access_token', 'alt', 'provider']);

interface Destination {
  readonly runtime: ProviderRuntime;
  readonly key: KeyConfig;
  readonly surface: Surface;
  readonly model: string;
  readonly isOtherDialect: boolean;
  /** What the path says after the colon where it depends on the body. */
  readonly action: string | undefined;
}

/** Origin and path (with query) of a call. */
export function locateRequest(run: RequestRun, destination: Destination): UpstreamAddress {
  const { runtime, key, surface, model, isOtherDialect, action } = destination;
  const override =
    runtime.config.requestPathOverrides?.[run.requestType] ??
    runtime.config.requestPathOverrides?.[run.request.route.requestType];
  let path = override ?? surface.path;
  if (path.includes('{')) {
    path = path.replace('{model}', encodeURIComponent(model)).replace('{action}', action ?? pathAction(run));
  }
  const baseUrl = key.baseUrl ?? runtime.config.definition.baseUrl;
  const query = buildQuery(run, path, isOtherDialect);
  return query === '' && path === surface.path
    ? runtime.surfaceAddress(baseUrl, path)
    : callAddress(runtime.address(baseUrl), path, query);
}

/** The action of a path such as `/models/m:embedContent`: the caller's own where it has one for this operation. */
function pathAction(run: RequestRun): string {
  if (run.request.route.operation === 'embeddings') {
    return run.request.path.endsWith(':batchEmbedContents') ? 'batchEmbedContents' : 'embedContent';
  }
  if (run.request.route.operation === 'count-tokens') return 'countTokens';
  return run.isStream ? 'streamGenerateContent' : 'generateContent';
}

function buildQuery(run: RequestRun, path: string, isOtherDialect: boolean): string {
  let query = path.endsWith(':streamGenerateContent') ? 'alt=sse' : '';
  if (run.request.query !== '' && !isOtherDialect) {
    for (const [name, value] of new URLSearchParams(run.request.query)) {
      if (ownParameters.has(name.toLowerCase())) continue;
      query += `${query === '' ? '' : '&'}${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
    }
  }
  if (query === '') return '';
  return path.includes('?') ? `&${query}` : `?${query}`;
}
