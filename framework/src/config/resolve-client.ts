import type { ClientConfig } from '@bifrost/core';
import { unusedClientKeys, unusedProtectiveClientKeys } from './client-schema.ts';
import type { ClientFile } from './client-schema.ts';
import { defaultClient } from '@bifrost/core/providers';
import type { ConfigNote } from './loaded-config.ts';

const bytesPerMegabyte = 1024 * 1024;

/** `client` with its defaults. */
export function resolveClient(file: ClientFile): ClientConfig {
  const megabytes = file.max_request_body_size_mb;
  const lower = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase());
  return {
    dropExcessRequests: file.drop_excess_requests ?? defaultClient.dropExcessRequests,
    maxRequestBodyBytes: megabytes === undefined ? defaultClient.maxRequestBodyBytes : megabytes * bytesPerMegabyte,
    requiredHeaders: lower(file.required_headers ?? defaultClient.requiredHeaders),
    allowedOrigins: file.allowed_origins ?? defaultClient.allowedOrigins,
    headerAllowlist: lower(file.header_filter_config?.allowlist ?? []),
    headerDenylist: lower(file.header_filter_config?.denylist ?? []),
    isPerRequestRawOverrideAllowed: file.allow_per_request_raw_override ?? false,
    keepAliveCommentSeconds: defaultClient.keepAliveCommentSeconds,
  };
}

/** One note per kind of key of `client` that has no effect yet. */
export function describeUnusedClientKeys(file: ClientFile): ConfigNote[] {
  const given = Object.entries(file).filter(([key, value]) => unusedClientKeys.includes(key) && value !== undefined);
  const isProtective = ([key, value]: [string, unknown]): boolean =>
    unusedProtectiveClientKeys.includes(key) && value === true;
  const quiet = given.filter((entry) => !isProtective(entry)).map(([key]) => `client.${key}`);
  const notes: ConfigNote[] = given.filter(isProtective).map(([key]) => ({
    level: 'warn',
    message: `client.${key} is not used yet: inference is served WITHOUT a credential`,
  }));
  if (quiet.length > 0) notes.push({ level: 'info', message: `not used yet: ${quiet.join(', ')}` });
  return notes;
}
