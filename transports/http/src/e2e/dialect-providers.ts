import type { JsonObject } from '@bifrost/sdk';

const key = { name: 'test', value: 'sk-upstream', models: ['*'], weight: 1 };

/** A configuration with one provider for each dialect, all at one address: an endpoint that speaks that dialect alone. */
export function dialectProviders(url: string): JsonObject {
  const openaiLike = (requests: readonly string[]): object => ({
    keys: [key],
    network_config: { base_url: url },
    custom_provider_config: {
      base_provider_type: 'openai',
      allowed_requests: Object.fromEntries(requests.map((name) => [name, true])),
    },
  });
  const providers = {
    'chat-upstream': openaiLike(['chat_completion', 'chat_completion_stream', 'embedding']),
    'responses-upstream': openaiLike(['responses', 'responses_stream']),
    anthropic: { keys: [key], network_config: { base_url: url } },
    gemini: { keys: [key], network_config: { base_url: url } },
  };
  return JSON.parse(JSON.stringify({ providers })) as JsonObject;
}
