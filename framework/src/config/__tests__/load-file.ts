import { createCustomDefinition, providerDefinitions } from '@bifrost/core/providers';
import { loadConfig } from '../load-config.ts';
import type { LoadConfigOptions, ProviderCatalogue } from '../load-config.ts';
import type { LoadedConfig } from '../loaded-config.ts';
import { ConfigProblemsError } from '../problem.ts';

/** All providers, and custom ones on their bases. */
export const catalogue: ProviderCatalogue = {
  definitions: providerDefinitions,
  createCustom: (name, options) =>
    providerDefinitions.has(options.baseProviderType) ? createCustomDefinition(name, options) : undefined,
};

/** A configuration, given as its text or its value. Throws what is wrong with it. */
export function load(file: unknown, environment: Record<string, string> = {}): LoadedConfig {
  const text = typeof file === 'string' ? file : JSON.stringify(file);
  return loadConfig({ catalogue, environment, text });
}

/** The lines of the one message that a wrong configuration gives. */
export function problemsOf(file: unknown, options: Partial<LoadConfigOptions> = {}): string[] {
  try {
    const text = typeof file === 'string' ? file : JSON.stringify(file);
    loadConfig({ catalogue, environment: {}, text, ...options });
  } catch (error) {
    if (error instanceof ConfigProblemsError)
      return error.message
        .split('\n')
        .slice(1)
        .map((line) => line.trim());
    throw error;
  }
  return [];
}

/** A file whose provider openai says this. */
export const openai = (provider: object): object => ({
  providers: { openai: { keys: [{ value: 'sk-1' }], ...provider } },
});
/** A file whose one key says this. */
export const key = (entry: object): object => openai({ keys: [{ value: 'sk-1', ...entry }] });
