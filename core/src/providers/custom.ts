import { GatewayError } from '@bifrost/sdk';
import { providerDefinitions } from './definitions.ts';
import type { ProviderDefinition } from './provider.ts';

export interface CustomProviderOptions {
  /** The built-in provider whose dialects, paths and authentication it has. */
  readonly baseProviderType: string;
  /** Without a trailing slash. @default the base provider's own */
  readonly baseUrl?: string;
  readonly isKeyless?: boolean;
  /** A stream ends without `[DONE]`. */
  readonly hasNoDoneMarker?: boolean;
}

/** A provider of the operator's own making. Throws `BF_PROVIDER_BASE_UNKNOWN` where the base is none that can be built on. */
export function createCustomDefinition(name: string, options: CustomProviderOptions): ProviderDefinition {
  const base = providerDefinitions.get(options.baseProviderType);
  if (base === undefined || base.isEmbedded === true) {
    const known = [...providerDefinitions.values()].filter((one) => one.isEmbedded !== true).map((one) => one.name);
    throw new GatewayError(
      `the custom provider ${name} is based on "${options.baseProviderType}", which is none of: ${known.join(', ')}`,
      { code: 'BF_PROVIDER_BASE_UNKNOWN', statusCode: 500 },
    );
  }
  return {
    ...base,
    name,
    baseUrl: (options.baseUrl ?? base.baseUrl).replace(/\/+$/, ''),
    ...(options.isKeyless === undefined ? {} : { isKeyless: options.isKeyless }),
    ...(options.hasNoDoneMarker === true
      ? { surfaces: base.surfaces.map((one) => ({ ...one, quirks: { ...one.quirks, noDoneMarker: true } })) }
      : {}),
  };
}
