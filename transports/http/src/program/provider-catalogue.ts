import { createCustomDefinition, providerDefinitions } from '@bifrost/core/providers';
import type { ProviderCatalogue } from '@bifrost/framework/config';
import { GatewayError } from '@bifrost/sdk';

/** The providers of this build, as the configuration needs them. */
export function createProviderCatalogue(): ProviderCatalogue {
  return {
    definitions: providerDefinitions,
    createCustom(name, options) {
      try {
        return createCustomDefinition(name, options);
      } catch (error) {
        // The configuration says it better: with the path, and together with all other problems.
        if (GatewayError.isInstance(error) && error.code === 'BF_PROVIDER_BASE_UNKNOWN') return undefined;
        throw error;
      }
    },
  };
}
