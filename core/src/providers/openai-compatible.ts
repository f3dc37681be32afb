import type { DialectQuirks } from '../dialects/codec.ts';
import type { ProviderDefinition, Surface } from './provider.ts';

/** What one server of OpenAI's chat dialect has and how it deviates. Paths default to `/v1/...`; null: not offered. */
export interface CompatibleServer {
  readonly name: string;
  readonly baseUrl: string;
  readonly chatPath?: string;
  readonly responsesPath?: string;
  readonly completionsPath?: string;
  readonly embeddingsPath?: string;
  readonly modelsPath?: string | null;
  readonly quirks?: DialectQuirks;
  readonly isKeyless?: boolean;
}

/** A provider that speaks OpenAI's dialects, with its deviations declared. */
export function createCompatibleDefinition(server: CompatibleServer): ProviderDefinition {
  const quirks = server.quirks === undefined ? {} : { quirks: server.quirks };
  const surfaces: Surface[] = [{ dialect: 'openai-chat', path: server.chatPath ?? '/v1/chat/completions', ...quirks }];
  if (server.responsesPath !== undefined) surfaces.push({ dialect: 'openai-responses', path: server.responsesPath });
  if (server.completionsPath !== undefined) {
    surfaces.push({ dialect: 'openai-completions', path: server.completionsPath, ...quirks });
  }
  return {
    name: server.name,
    baseUrl: server.baseUrl,
    auth: { header: 'authorization', prefix: 'Bearer ' },
    surfaces,
    ...(server.isKeyless === true ? { isKeyless: true } : {}),
    ...(server.embeddingsPath === undefined
      ? {}
      : { embeddingsPath: server.embeddingsPath, embeddingsDialect: 'openai' as const }),
    ...(server.modelsPath === null ? {} : { modelsPath: server.modelsPath ?? '/v1/models' }),
  };
}
