/** The providers as data alone: for who reads a configuration and runs no engine (`@bifrost/core/providers`). */
export { createCustomDefinition } from './custom.ts';
export type { CustomProviderOptions } from './custom.ts';
export { providerDefinitions } from './definitions.ts';
export { defaultClient, defaultConcurrency, defaultNetwork, defaultQueueSize } from '../config-defaults.ts';
