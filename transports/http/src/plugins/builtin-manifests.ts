import guard from '@bifrost/plugin-guard/manifest' with { type: 'json' };
import jsonParser from '@bifrost/plugin-json-parser/manifest' with { type: 'json' };
import mocker from '@bifrost/plugin-mocker/manifest' with { type: 'json' };
import type { JsonObject, PluginManifest } from '@bifrost/sdk';

const manifests: readonly object[] = [guard, jsonParser, mocker];

/** The manifest of a plugin that comes with the gateway. */
export function builtinManifest(name: string): PluginManifest | undefined {
  // They are JSON files of ours, and the tests read them as anyone's manifest is read.
  return (manifests as readonly PluginManifest[]).find((manifest) => manifest.name === name);
}

/** The JSON Schema of its config. */
export function builtinConfigSchema(name: string): JsonObject | undefined {
  return builtinManifest(name)?.configSchema;
}
