/** Environment variables whose key creates a provider where there is no config file. */
export const environmentProviders: readonly { readonly variable: string; readonly provider: string }[] = [
  { variable: 'OPENAI_API_KEY', provider: 'openai' },
  { variable: 'ANTHROPIC_API_KEY', provider: 'anthropic' },
  { variable: 'MISTRAL_API_KEY', provider: 'mistral' },
  { variable: 'GEMINI_API_KEY', provider: 'gemini' },
];

/** Providers that a Bifrost file may name and that have no adapter here yet: accepted, left out, reported (bifrost-core 3.1). */
export const laterProviders: ReadonlySet<string> = new Set([
  'azure',
  'bedrock',
  'bedrock_mantle',
  'cohere',
  'databricks',
  'elevenlabs',
  'fireworks',
  'github-copilot',
  'github_copilot',
  'nebius',
  'opencode-go',
  'opencode-zen',
  'parasail',
  'replicate',
  'runware',
  'runway',
  'sarvam',
  'typesafe',
  'vertex',
  'wafer',
]);

/** Plugins built into Bifrost that have no counterpart here yet: an entry without a path is accepted, left out, reported. */
export const laterPlugins: ReadonlySet<string> = new Set([
  'bigquery',
  'datadog',
  'governance',
  'kafka',
  'logging',
  'maxim',
  'otel',
  'prompts',
  'pubsub',
  'semantic_cache',
  'telemetry',
]);
