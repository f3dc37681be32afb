import guard from '@bifrost/plugin-guard/manifest' with { type: 'json' };
import jsonParser from '@bifrost/plugin-json-parser/manifest' with { type: 'json' };
import mocker from '@bifrost/plugin-mocker/manifest' with { type: 'json' };
import type { JsonObject } from '@bifrost/sdk';

const manifests: readonly { readonly name: string; readonly configSchema: object }[] = [guard, jsonParser, mocker];

/** The JSON Schema of a built-in plugin's config, from its manifest. */
export function builtinConfigSchema(name: string): JsonObject | undefined {
  // It was read from JSON.
  return manifests.find((manifest) => manifest.name === name)?.configSchema as JsonObject | undefined;
}
