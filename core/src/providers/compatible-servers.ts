import type { CompatibleServer } from './openai-compatible.ts';

const completionsPath = '/v1/completions';
const responsesPath = '/v1/responses';
const embeddingsPath = '/v1/embeddings';

/**
 * Providers on OpenAI's dialects. Base URLs are without the version, as in Bifrost's `base_url`. Where a quirk is declared the
 * source is the provider's API reference or its recorded traffic (testkit/recordings).
 */
export const compatibleServers: readonly CompatibleServer[] = [
  {
    name: 'groq',
    baseUrl: 'https://api.groq.com/openai',
    responsesPath,
    // https://console.groq.com/docs/openai: these answer 400.
    quirks: {
      reasoningField: 'reasoning',
      reasoningRequest: 'reasoning_effort',
      unsupportedFields: ['logprobs', 'top_logprobs', 'logit_bias'],
    },
  },
  {
    name: 'mistral',
    baseUrl: 'https://api.mistral.ai',
    embeddingsPath,
    // Unknown fields answer 422; usage is on the last chunk of every stream.
    quirks: {
      maxTokensField: 'max_tokens',
      reasoningRequest: 'reasoning_effort',
      noDeveloperRole: true,
      noStreamOptions: true,
      toolCallIdPattern: '^[a-zA-Z0-9]{9}$',
      unsupportedFields: ['logprobs', 'top_logprobs', 'logit_bias', 'user', 'store', 'service_tier', 'seed'],
    },
  },
  {
    name: 'deepseek',
    baseUrl: 'https://api.deepseek.com',
    chatPath: '/chat/completions',
    responsesPath: '/responses',
    modelsPath: '/models',
    quirks: {
      maxTokensField: 'max_tokens',
      reasoningField: 'reasoning_content',
      reasoningRequest: 'thinking',
      noDeveloperRole: true,
    },
  },
  {
    name: 'xai',
    baseUrl: 'https://api.x.ai',
    responsesPath,
    completionsPath,
    embeddingsPath,
    quirks: { reasoningField: 'reasoning_content', reasoningRequest: 'reasoning_effort' },
  },
  {
    name: 'openrouter',
    baseUrl: 'https://openrouter.ai/api',
    responsesPath,
    completionsPath,
    embeddingsPath,
    quirks: { reasoningField: 'reasoning', reasoningRequest: 'reasoning', maxTokensField: 'max_tokens' },
  },
  {
    name: 'together',
    baseUrl: 'https://api.together.xyz',
    completionsPath,
    embeddingsPath,
    quirks: {
      maxTokensField: 'max_tokens',
      reasoningField: 'reasoning',
      reasoningRequest: 'reasoning_effort',
      noDeveloperRole: true,
    },
  },
  {
    name: 'cerebras',
    baseUrl: 'https://api.cerebras.ai',
    completionsPath,
    quirks: {
      reasoningField: 'reasoning',
      reasoningRequest: 'reasoning_effort',
      noDeveloperRole: true,
      unsupportedFields: ['frequency_penalty', 'presence_penalty', 'logit_bias'],
    },
  },
  {
    name: 'perplexity',
    baseUrl: 'https://api.perplexity.ai',
    chatPath: '/chat/completions',
    embeddingsPath,
    quirks: {
      maxTokensField: 'max_tokens',
      reasoningRequest: 'reasoning_effort',
      noDeveloperRole: true,
      noStreamOptions: true,
      unsupportedFields: [
        'tools',
        'tool_choice',
        'parallel_tool_calls',
        'logprobs',
        'top_logprobs',
        'logit_bias',
        'n',
        'seed',
      ],
    },
  },
  {
    name: 'ollama',
    baseUrl: 'http://localhost:11434',
    responsesPath,
    completionsPath,
    embeddingsPath,
    isKeyless: true,
    quirks: {
      maxTokensField: 'max_tokens',
      reasoningField: 'reasoning',
      reasoningRequest: 'reasoning_effort',
      noDeveloperRole: true,
      unsupportedFields: ['logit_bias', 'n', 'user', 'parallel_tool_calls'],
    },
  },
  {
    name: 'vllm',
    baseUrl: 'http://localhost:8000',
    responsesPath,
    completionsPath,
    embeddingsPath,
    isKeyless: true,
    // https://docs.vllm.ai/en/stable/features/reasoning_outputs/ (2026): `reasoning`, which was `reasoning_content` before 0.11; answers
    // are read under both names.
    quirks: { reasoningField: 'reasoning', reasoningRequest: 'reasoning_effort' },
  },
  {
    name: 'sgl',
    baseUrl: 'http://localhost:30000',
    completionsPath,
    embeddingsPath,
    isKeyless: true,
    // https://docs.sglang.io/docs/advanced_features/separate_reasoning
    quirks: { maxTokensField: 'max_tokens', reasoningField: 'reasoning_content', reasoningRequest: 'reasoning_effort' },
  },
  {
    name: 'lmstudio',
    baseUrl: 'http://localhost:1234',
    responsesPath,
    completionsPath,
    embeddingsPath,
    isKeyless: true,
    // https://lmstudio.ai/docs/developer/openai-compat; the field's name is the default of its own client plugin.
    quirks: { maxTokensField: 'max_tokens', reasoningField: 'reasoning_content', noDeveloperRole: true },
  },
  {
    name: 'alibaba',
    baseUrl: 'https://dashscope-intl.aliyuncs.com/compatible-mode',
    embeddingsPath,
    // https://www.alibabacloud.com/help/en/model-studio/deep-thinking: `enable_thinking`, `stream_options` as OpenAI has them.
    quirks: {
      maxTokensField: 'max_tokens',
      reasoningField: 'reasoning_content',
      reasoningRequest: 'enable_thinking',
      noDeveloperRole: true,
    },
  },
  {
    name: 'zai',
    baseUrl: 'https://api.z.ai/api/paas',
    chatPath: '/v4/chat/completions',
    embeddingsPath: '/v4/embeddings',
    modelsPath: null,
    quirks: {
      maxTokensField: 'max_tokens',
      reasoningField: 'reasoning_content',
      reasoningRequest: 'thinking',
      noDeveloperRole: true,
      unsupportedFields: ['logprobs', 'top_logprobs', 'logit_bias', 'n', 'seed', 'parallel_tool_calls'],
    },
  },
  {
    name: 'huggingface',
    baseUrl: 'https://router.huggingface.co',
    responsesPath,
    quirks: { maxTokensField: 'max_tokens', noDeveloperRole: true },
  },
];
