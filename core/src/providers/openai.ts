import type { ProviderDefinition } from './provider.ts';

/** OpenAI by its own surfaces: chat, responses, the old completions. */
export const openaiDefinition: ProviderDefinition = {
  name: 'openai',
  baseUrl: 'https://api.openai.com',
  auth: { header: 'authorization', prefix: 'Bearer ' },
  surfaces: [
    { dialect: 'openai-chat', path: '/v1/chat/completions' },
    { dialect: 'openai-responses', path: '/v1/responses' },
    { dialect: 'openai-completions', path: '/v1/completions' },
  ],
  embeddingsPath: '/v1/embeddings',
  embeddingsDialect: 'openai',
  modelsPath: '/v1/models',
  forwardedHeaders: ['openai-beta', 'openai-organization', 'openai-project', 'idempotency-key'],
};
