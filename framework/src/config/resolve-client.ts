import type { ClientConfig } from '@bifrost/core';
import { unusedClientKeys } from './client-schema.ts';
import type { ClientFile } from './client-schema.ts';
import { defaultClient } from '@bifrost/core/providers';
import type { ConfigNote, InferenceAccess } from './loaded-config.ts';

const bytesPerMegabyte = 1024 * 1024;

/** `client` with its defaults. */
export function resolveClient(file: ClientFile): ClientConfig {
  const megabytes = file.max_request_body_size_mb;
  const inFlight = file.max_request_bytes_in_flight_mb;
  const lower = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase());
  return {
    dropExcessRequests: file.drop_excess_requests ?? defaultClient.dropExcessRequests,
    maxRequestBodyBytes: megabytes === undefined ? defaultClient.maxRequestBodyBytes : megabytes * bytesPerMegabyte,
    ...(inFlight === undefined ? {} : { maxRequestBytesInFlight: inFlight * bytesPerMegabyte }),
    requiredHeaders: lower(file.required_headers ?? defaultClient.requiredHeaders),
    allowedOrigins: file.allowed_origins ?? defaultClient.allowedOrigins,
    headerAllowlist: lower(file.header_filter_config?.allowlist ?? []),
    headerDenylist: lower(file.header_filter_config?.denylist ?? []),
    isPerRequestRawOverrideAllowed: file.allow_per_request_raw_override ?? false,
    keepAliveCommentSeconds: file.keep_alive_comment_in_seconds ?? defaultClient.keepAliveCommentSeconds,
  };
}

/** Whether callers of inference need the inference key. One of Bifrost's three names is enough to ask for it. */
export function resolveInferenceAccess(file: ClientFile): InferenceAccess {
  const stated = [file.enforce_auth_on_inference, file.enforce_governance_header, file.enforce_scim_auth];
  const isRefused = file.enforce_auth_on_inference === false;
  return {
    keyRequired: stated.includes(true) ? 'always' : isRefused ? 'never' : 'beyond-loopback',
    ...(file.inference_key === undefined ? {} : { key: file.inference_key }),
  };
}

/** A note on the keys of `client` that have no effect yet, where there are any. */
export function describeUnusedClientKeys(file: ClientFile): ConfigNote[] {
  const given = Object.entries(file).filter(([key, value]) => unusedClientKeys.includes(key) && value !== undefined);
  if (given.length === 0) return [];
  return [{ level: 'info', message: `not used yet: ${given.map(([key]) => `client.${key}`).join(', ')}` }];
}
