import type { LoadedConfig, LoadConfigOptions } from '@bifrost/framework/config';
import { createProviderCatalogue } from './provider-catalogue.ts';

/** Reads the configuration with this build's providers. The schemas are loaded only now, and only in the supervisor. */
export async function loadProgramConfig(options: Omit<LoadConfigOptions, 'catalogue'>): Promise<LoadedConfig> {
  const [{ loadConfig }, catalogue] = await Promise.all([
    import('@bifrost/framework/config'),
    createProviderCatalogue(),
  ]);
  return loadConfig({ ...options, catalogue });
}
