import type { NetworkConfig, ProviderConfig } from '../../config.ts';
import type { ProviderDefinition } from '../provider.ts';

/** The embedded provider: answers `mock/<anything>` in process. */
export const mockDefinition: ProviderDefinition = {
  name: 'mock',
  baseUrl: 'http://mock.invalid',
  auth: { header: 'authorization' },
  isKeyless: true,
  isEmbedded: true,
  surfaces: [],
};

const network: NetworkConfig = {
  connectTimeoutMs: 10_000,
  firstContentTimeoutMs: 600_000,
  streamIdleTimeoutMs: 120_000,
  totalTimeoutMs: 0,
  maxRetries: 0,
  retryBackoffInitialMs: 500,
  retryBackoffMaxMs: 5_000,
  keepAliveTimeoutMs: 30_000,
  maxConnectionsPerHost: 1,
  extraHeaders: {},
  isTlsVerificationOff: false,
};

/** The configuration that the engine adds where none names the mock. */
export const mockProviderConfig: ProviderConfig = {
  definition: mockDefinition,
  keys: [],
  network,
  proxy: { type: 'none' },
  concurrency: 100_000,
  queueSize: 100_000,
  isRawRequestSentBack: false,
  isRawResponseSentBack: false,
};
