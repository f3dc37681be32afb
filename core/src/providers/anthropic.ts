import type { ProviderDefinition } from './provider.ts';

/** Anthropic by its Messages API. */
export const anthropicDefinition: ProviderDefinition = {
  name: 'anthropic',
  baseUrl: 'https://api.anthropic.com',
  auth: { header: 'x-api-key' },
  surfaces: [{ dialect: 'anthropic-messages', path: '/v1/messages' }],
  countTokensPath: '/v1/messages/count_tokens',
  modelsPath: '/v1/models',
  defaultHeaders: { 'anthropic-version': '2023-06-01' },
  forwardedHeaders: ['anthropic-version', 'anthropic-beta', 'idempotency-key'],
};
