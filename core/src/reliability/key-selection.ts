import { InvalidRequestError } from '@bifrost/sdk';
import type { KeyConfig, ProviderConfig } from '../config.ts';

/** A caller's wish for one stored key: by id (wins) or by name. */
export interface KeyPin {
  readonly id?: string;
  readonly name?: string;
}

const aliasTables = new WeakMap<KeyConfig, ReadonlyMap<string, string>>();

function aliasesOf(key: KeyConfig): ReadonlyMap<string, string> {
  let table = aliasTables.get(key);
  if (table === undefined) {
    table = new Map(Object.entries(key.aliases).map(([alias, model]) => [alias.toLowerCase(), model]));
    aliasTables.set(key, table);
  }
  return table;
}

/** The provider's name for a model that the caller named, by the key's aliases. */
export function resolveAlias(key: KeyConfig, model: string): string {
  const table = aliasesOf(key);
  return table.size === 0 ? model : (table.get(model.toLowerCase()) ?? model);
}

/** How a key admits a model: by name (or alias), by its wildcard, or not at all. */
export function admission(key: KeyConfig, model: string): 'named' | 'wildcard' | 'none' {
  if (!key.isEnabled) return 'none';
  const wanted = model.toLowerCase();
  const target = resolveAlias(key, model).toLowerCase();
  const isOneOf = (names: readonly string[]) =>
    names.some((name) => name.toLowerCase() === wanted || name.toLowerCase() === target);
  if (key.blacklistedModels.includes('*') || isOneOf(key.blacklistedModels)) return 'none';
  if (isOneOf(key.models)) return 'named';
  if (!key.models.includes('*')) return 'none';
  return aliasesOf(key).has(wanted) ? 'named' : 'wildcard';
}

const keylessKey: KeyConfig = {
  id: 'keyless',
  name: 'keyless',
  value: '',
  models: ['*'],
  blacklistedModels: [],
  weight: 1,
  aliases: {},
  isEnabled: true,
};

/** The keys to choose from: a server that needs none gets one empty key. */
export function keysOf(provider: ProviderConfig): readonly KeyConfig[] {
  if (provider.keys.length > 0) return provider.keys;
  return provider.definition.isKeyless === true || provider.definition.isEmbedded === true ? [keylessKey] : [];
}

/**
 * The keys that may serve `model`. Throws InvalidRequestError (`BF_KEY_NONE_CONFIGURED`, `BF_KEY_NONE_FOR_MODEL`,
 * `BF_KEY_PIN_UNKNOWN`): a pin passes by the weights, not by the model filter, and an unknown pin is an error.
 */
export function eligibleKeys(provider: ProviderConfig, model: string, pin?: KeyPin): readonly KeyConfig[] {
  const name = provider.definition.name;
  const mayBeEmpty = provider.definition.isKeyless === true || provider.definition.isEmbedded === true;
  const all = keysOf(provider);
  if (all.length === 0) {
    throw new InvalidRequestError(
      `no keys found for provider: ${name} and model: ${model}; add one under providers.${name}.keys`,
      {
        code: 'BF_KEY_NONE_CONFIGURED',
      },
    );
  }
  let keys = all.filter((key) => (mayBeEmpty || key.value !== '') && admission(key, model) !== 'none');
  if (pin !== undefined) {
    const isPinned = (key: KeyConfig) => (pin.id === undefined ? key.name === pin.name : key.id === pin.id);
    if (!all.some(isPinned)) {
      throw new InvalidRequestError(
        `the provider ${name} has no key with the ${pin.id === undefined ? 'name' : 'id'} that the request pins`,
        {
          code: 'BF_KEY_PIN_UNKNOWN',
        },
      );
    }
    keys = keys.filter(isPinned);
  }
  if (keys.length === 0) {
    throw new InvalidRequestError(
      `no keys found that support model: ${model}; the ${name} keys allow other models only (see providers.${name}.keys[].models)`,
      { code: 'BF_KEY_NONE_FOR_MODEL' },
    );
  }
  return keys;
}

/** Draws a key by weight among those not in `excluded`; `random` in [0, 1). All weights 0 draw evenly. Undefined: none left. */
export function pickKey(
  keys: readonly KeyConfig[],
  excluded: ReadonlySet<KeyConfig> | undefined,
  random: number,
): KeyConfig | undefined {
  if (keys.length === 1 && excluded === undefined) return keys[0];
  let total = 0;
  let count = 0;
  for (const key of keys) {
    if (excluded?.has(key) === true) continue;
    total += key.weight;
    count += 1;
  }
  let rest = random * (total === 0 ? count : total);
  let last: KeyConfig | undefined;
  for (const key of keys) {
    if (excluded?.has(key) === true) continue;
    last = key;
    rest -= total === 0 ? 1 : key.weight;
    if (rest < 0) return key;
  }
  return last;
}
