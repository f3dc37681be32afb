import type { ProviderDefinition } from '@bifrost/core';
import type { ProviderCatalogue } from '@bifrost/framework/config';

interface CatalogueModule {
  readonly providerDefinitions: ReadonlyMap<string, ProviderDefinition>;
}

/** The providers of this build, as the configuration needs them. */
export async function createProviderCatalogue(): Promise<ProviderCatalogue> {
  const core = (await import('@bifrost/core')) as unknown as Partial<CatalogueModule>;
  return { definitions: core.providerDefinitions ?? new Map(), createCustom: () => undefined };
}
