import { ConfigError } from '@bifrost/sdk';
import type { ClientConfig, KeyConfig, NetworkConfig, ProviderConfig } from '../config.ts';
import { defaultConcurrency, defaultNetwork, defaultQueueSize } from '../config-defaults.ts';
import type { EngineLogger } from '../pipeline/engine.ts';
import type { TraceListener } from '../pipeline/seam.ts';
import type { PluginChains } from '../plugins/chain.ts';
import { providerDefinitions } from '../providers/definitions.ts';

/** One provider as a program that embeds the engine names it. */
export interface GatewayProvider {
  /** API keys, or whole key settings. A provider that needs none has none. */
  readonly keys?: readonly (string | (Partial<KeyConfig> & Pick<KeyConfig, 'value'>))[];
  /** Another server of the same kind, without a trailing slash. */
  readonly baseUrl?: string;
  /** Clocks, retries, headers; the rest as in `defaultNetwork`. */
  readonly network?: Partial<NetworkConfig>;
}

export interface GatewayOptions {
  /** By name: `openai`, `anthropic`, ... `mock` is always there. */
  readonly providers?: Readonly<Record<string, GatewayProvider>>;
  readonly client?: Partial<ClientConfig>;
  /** Chains of plugins, as `createPluginChains` makes them. @default none */
  readonly plugins?: PluginChains;
  readonly logger?: EngineLogger;
  /** Told of every finished request; must not throw. */
  readonly onTrace?: TraceListener;
}

export interface RequestOptions {
  /** Ends the request, and the call to the provider with it. */
  readonly signal?: AbortSignal;
  /** Request headers as a client of the HTTP server would send them, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

function resolveKey(
  provider: string,
  given: string | (Partial<KeyConfig> & { value: string }),
  index: number,
): KeyConfig {
  const key = typeof given === 'string' ? { value: given } : given;
  const name = key.name ?? `${provider}-key-${index + 1}`;
  const defaults = { id: name, name, models: ['*'], blacklistedModels: [], weight: 1, aliases: {}, isEnabled: true };
  return { ...defaults, ...key };
}

/** One provider with its defaults. Throws ConfigError for a name that the engine does not know, or where a key is missing. */
export function resolveGatewayProvider(name: string, given: GatewayProvider): ProviderConfig {
  const definition = providerDefinitions.get(name);
  if (definition === undefined) {
    const known = [...providerDefinitions.keys()].join(', ');
    throw new ConfigError(`providers.${name}`, `there is no such provider; expected one of ${known}`);
  }
  const keys = (given.keys ?? []).map((key, index) => resolveKey(name, key, index));
  if (keys.every(({ value }) => value === '') && definition.isKeyless !== true) {
    throw new ConfigError(
      `providers.${name}`,
      'there is no key; give it at least one, e.g. keys: [process.env.MY_KEY]',
    );
  }
  return {
    definition: { ...definition, ...(given.baseUrl === undefined ? {} : { baseUrl: given.baseUrl }) },
    keys,
    network: { ...defaultNetwork, ...given.network },
    proxy: { type: 'none' },
    concurrency: defaultConcurrency,
    queueSize: defaultQueueSize,
    isRawRequestSentBack: false,
    isRawResponseSentBack: false,
  };
}
