import type { LoadedConfig, LoadConfigOptions } from '@bifrost/framework/config';

/** Reads the configuration with this build's providers. The schemas are loaded only now, and only in the supervisor. */
export async function loadProgramConfig(options: Omit<LoadConfigOptions, 'catalogue'>): Promise<LoadedConfig> {
  const [{ loadConfig }, { createProviderCatalogue }] = await Promise.all([
    import('@bifrost/framework/config'),
    import('./provider-catalogue.ts'),
  ]);
  return loadConfig({ ...options, catalogue: createProviderCatalogue() });
}
