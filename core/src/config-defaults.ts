import type { ClientConfig, NetworkConfig } from './config.ts';

/** The four clocks and the retry settings where the file says nothing (docs/architecture: first content 600 s, idle 120 s). */
export const defaultNetwork: NetworkConfig = {
  connectTimeoutMs: 10_000,
  firstContentTimeoutMs: 600_000,
  streamIdleTimeoutMs: 120_000,
  totalTimeoutMs: 0,
  maxRetries: 0,
  retryBackoffInitialMs: 500,
  retryBackoffMaxMs: 5000,
  keepAliveTimeoutMs: 30_000,
  maxConnectionsPerHost: 5000,
  extraHeaders: {},
  isTlsVerificationOff: false,
};

/** How long, and for how many bytes, an answer is read on whose client has gone (`drain`). */
export const defaultDrain = { maxMs: 120_000, maxBytes: 16 * 1024 * 1024 };

/** Requests to one provider that may be under way at once. */
export const defaultConcurrency = 1000;
/** Requests to one provider that may wait beyond those. */
export const defaultQueueSize = 5000;

/** What holds for clients where the file says nothing. */
export const defaultClient: ClientConfig = {
  dropExcessRequests: false,
  maxRequestBodyBytes: 100 * 1024 * 1024,
  requiredHeaders: [],
  allowedOrigins: ['*'],
  headerAllowlist: [],
  headerDenylist: [],
  isPerRequestRawOverrideAllowed: false,
  keepAliveCommentSeconds: 15,
};
