import type { ProviderDefinition } from './provider.ts';

/** Gemini by generateContent; model and action are in the path. */
export const geminiDefinition: ProviderDefinition = {
  name: 'gemini',
  baseUrl: 'https://generativelanguage.googleapis.com',
  auth: { header: 'x-goog-api-key' },
  surfaces: [{ dialect: 'gemini-generate-content', path: '/v1beta/models/{model}:{action}' }],
  embeddingsPath: '/v1beta/models/{model}:{action}',
  embeddingsDialect: 'gemini',
  countTokensPath: '/v1beta/models/{model}:{action}',
  modelsPath: '/v1beta/models',
};
