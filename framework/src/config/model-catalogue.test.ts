import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pluginFolder } from '../plugins/__tests__/plugin-folder.ts';
import { catalogue } from './__tests__/load-file.ts';
import { loadConfig } from './load-config.ts';
import type { LoadedConfig } from './loaded-config.ts';

/** A configuration with openai and the embedded provider, whose folder has `files`. */
function load(files: Readonly<Record<string, string>>, pricing: object): LoadedConfig {
  using folder = pluginFolder(files);
  const path = join(folder.path, 'config.json');
  const providers = { openai: { keys: [{ value: 'sk-1' }] } };
  folder.write({ 'config.json': JSON.stringify({ providers, framework: { pricing } }) });
  return loadConfig({ catalogue, environment: {}, path });
}

const sheet = (rows: object): Record<string, string> => ({ 'prices.json': JSON.stringify(rows) });
const fromSheet = { pricing_url: './prices.json' };

describe('the sheet of models', () => {
  it("is read in the shape of LiteLLM's list and of Bifrost's, for the providers that are configured", () => {
    const rows = {
      sample_spec: { litellm_provider: 'one of many', input_cost_per_token: 0 },
      'gpt-4o-mini': {
        litellm_provider: 'openai',
        max_input_tokens: 128_000,
        max_output_tokens: 16_384,
        input_cost_per_token: 1.5e-7,
        output_cost_per_token: 6e-7,
        cache_read_input_token_cost: 7.5e-8,
      },
      'openai/o4': { provider: 'openai', context_length: 200_000, output_cost_per_reasoning_token: '0.000004' },
      'mock/hello': { input_cost_per_token: 2.2e-6, cache_creation_input_token_cost: null },
      'claude-sonnet-4-5': { provider: 'anthropic', input_cost_per_token: 3e-6 },
      nobody: { input_cost_per_token: 1 },
      text: 'no row',
    };
    const config = load(sheet(rows), fromSheet);
    expect(config.models).toEqual([
      {
        provider: 'openai',
        model: 'gpt-4o-mini',
        contextWindow: 128_000,
        maxOutputTokens: 16_384,
        prices: { inputUsdNano: 150, outputUsdNano: 600, cacheReadUsdNano: 75 },
      },
      { provider: 'openai', model: 'o4', contextWindow: 200_000, prices: { reasoningUsdNano: 4000 } },
      { provider: 'mock', model: 'hello', prices: { inputUsdNano: 2200 } },
    ]);
    const message = 'framework.pricing.pricing_url: 3 models of the configured providers are known';
    expect(config.notes).toEqual([{ level: 'info', message }]);
  });

  it.each([
    ['where it is not there', {}, /framework\.pricing\.pricing_url: there is no file \/.*prices\.json/],
    ['where it is no JSON', { 'prices.json': '{\n  "a": }' }, /prices\.json:2:8 is not JSON/],
    ['where it is a list', { 'prices.json': '[]' }, /prices\.json: expected an object with a member for each model/],
  ])('keeps the gateway from starting %s', (_what, files, message) => {
    expect(() => load(files, fromSheet)).toThrow(message);
  });

  it('is not fetched: a URL of Bifrost is accepted and reported', () => {
    const config = load({}, { pricing_url: 'https://getbifrost.ai/datasheet', pricing_sync_interval: 86_400 });
    expect(config.models).toEqual([]);
    const unused = 'framework.pricing.pricing_sync_interval, framework.pricing.pricing_url (a URL: give a file)';
    expect(config.notes).toEqual([{ level: 'info', message: `not used yet: ${unused}` }]);
  });
});
