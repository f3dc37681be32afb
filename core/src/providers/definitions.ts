import { anthropicDefinition } from './anthropic.ts';
import { compatibleServers } from './compatible-servers.ts';
import { geminiDefinition } from './gemini.ts';
import { mockDefinition } from './mock/config.ts';
import { createCompatibleDefinition } from './openai-compatible.ts';
import { openaiDefinition } from './openai.ts';
import type { ProviderDefinition } from './provider.ts';

/** The built-in providers by name. */
export const providerDefinitions: ReadonlyMap<string, ProviderDefinition> = new Map(
  [
    openaiDefinition,
    anthropicDefinition,
    geminiDefinition,
    ...compatibleServers.map(createCompatibleDefinition),
    mockDefinition,
  ].map((definition) => [definition.name, definition]),
);
