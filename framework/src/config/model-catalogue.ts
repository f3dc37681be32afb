/**
 * The operator's sheet of models, limits and prices: JSON in the shape of LiteLLM's public list, which Bifrost's datasheet has too. A
 * member for each model, prices in dollars per token.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isJsonObject } from '@bifrost/sdk';
import type { JsonObject, ModelInfo, ModelPrices } from '@bifrost/sdk';
import { parseJsonText } from './json-text.ts';

const priceColumns = {
  inputUsdNano: 'input_cost_per_token',
  outputUsdNano: 'output_cost_per_token',
  cacheReadUsdNano: 'cache_read_input_token_cost',
  cacheWriteUsdNano: 'cache_creation_input_token_cost',
  cacheWrite1hUsdNano: 'cache_creation_input_token_cost_above_1hr',
  reasoningUsdNano: 'output_cost_per_reasoning_token',
  inputAudioUsdNano: 'input_cost_per_audio_token',
  outputAudioUsdNano: 'output_cost_per_audio_token',
  inputImageUsdNano: 'input_cost_per_image_token',
  outputImageUsdNano: 'output_cost_per_image_token',
} as const satisfies Record<keyof ModelPrices, string>;

const nanoOfDollar = 1e9;

export type ModelCatalogue = { readonly models: readonly ModelInfo[] } | { readonly problem: string };

/** 2.5e-6 dollars are 2500 nano-dollars, and not 2500.0000000000005. */
function toNano(dollars: number): number {
  return Number((dollars * nanoOfDollar).toPrecision(12));
}

function amount(row: JsonObject, column: string): number | undefined {
  const value = row[column];
  // A few sheets write numbers as text.
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? number : undefined;
}

function pricesOf(row: JsonObject): ModelPrices {
  const known = Object.entries(priceColumns).flatMap(([name, column]) => {
    const dollars = amount(row, column);
    return dollars === undefined ? [] : [[name, toNano(dollars)] as const];
  });
  return Object.fromEntries(known);
}

/** `openai/gpt-4o`, or a bare name with the provider in a column. */
function parseRow(key: string, row: JsonObject): ModelInfo | undefined {
  const stated = row['provider'] ?? row['litellm_provider'];
  const slash = key.indexOf('/');
  const provider = typeof stated === 'string' ? stated : key.slice(0, Math.max(0, slash));
  if (provider === '') return undefined;
  const contextWindow = amount(row, 'context_length') ?? amount(row, 'max_input_tokens');
  const maxOutputTokens = amount(row, 'max_output_tokens');
  const prices = pricesOf(row);
  return {
    provider,
    model: key.startsWith(`${provider}/`) ? key.slice(provider.length + 1) : key,
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(Object.keys(prices).length === 0 ? {} : { prices }),
  };
}

/** Reads the sheet at `path`, a file or a file: URL; what it says of other providers than `providers` is left out. */
export function readModelCatalogue(path: string, providers: ReadonlySet<string>): ModelCatalogue {
  const file = path.startsWith('file:') ? fileURLToPath(path) : path;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return { problem: code === 'ENOENT' ? `there is no file ${file}` : `${file} cannot be read (${code})` };
  }
  const parsed = parseJsonText(text);
  if ('error' in parsed) {
    const { line, column } = parsed.position;
    return { problem: `${file}:${line}:${column} is not JSON: ${parsed.error}` };
  }
  const sheet = parsed.value;
  if (!isJsonObject(sheet)) {
    return { problem: `${file}: expected an object with a member for each model, as LiteLLM's list has` };
  }
  const models = Object.entries(sheet).flatMap(([key, row]) => {
    const info = isJsonObject(row) ? parseRow(key, row) : undefined;
    return info !== undefined && providers.has(info.provider) ? [info] : [];
  });
  return { models };
}
