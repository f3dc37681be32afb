/**
 * What of a plugin's config is shown, what is stored, and what comes back. The plugin itself is asked where it has `redactConfig` or
 * `marshalConfigForStorage`; over what it lets be shown, the masks of its schema and of names are laid all the same.
 */
import { isDeepStrictEqual } from 'node:util';
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject, PluginLog } from '@bifrost/sdk';
import type { ConfigViewName } from '@bifrost/framework/plugin-manager';
import { restoredConfig, shownConfig } from './mask-config.ts';

export interface ConfigViewsOptions {
  /** Undefined where the plugin has no such function. Rejects where that fails. */
  readonly ask: (name: string, view: ConfigViewName, config: JsonObject) => Promise<JsonObject | undefined>;
  /** The schema of the plugin's config, where its manifest has one. */
  readonly schemaOf: (name: string) => JsonObject | undefined;
  readonly log: Pick<PluginLog, 'warn'>;
}

export class ConfigViews {
  readonly #options: ConfigViewsOptions;

  constructor(options: ConfigViewsOptions) {
    this.#options = options;
  }

  /** What may be shown; nothing of it where the plugin fails to say. Never rejects. */
  async shown(name: string, config: JsonObject): Promise<JsonObject> {
    const { ask, schemaOf, log } = this.#options;
    try {
      return shownConfig((await ask(name, 'redactConfig', config)) ?? config, schemaOf(name));
    } catch (error) {
      log.warn(
        `nothing of the config of plugin ${name} is shown: ${error instanceof Error ? error.message : 'unknown'}`,
      );
      return {};
    }
  }

  /** What is stored. Rejects where the plugin fails to say: its config may be a secret. */
  async toStored(name: string, config: JsonObject): Promise<JsonObject> {
    return (await this.#options.ask(name, 'marshalConfigForStorage', config)) ?? config;
  }

  /** As `restoredConfig`: also what the plugin has let be shown in the place of something else, and came back as that, is put back. */
  async restored(
    name: string,
    given: JsonObject,
    stored: JsonObject,
  ): Promise<{ readonly config: JsonObject; readonly missing: readonly string[] }> {
    const shown = await this.shown(name, stored);
    const config = putBack(given, shown, stored);
    return restoredConfig(isJsonObject(config) ? config : given, stored, this.#options.schemaOf(name));
  }
}

/** `given` with what `stored` has wherever `given` is as it was shown, and was shown otherwise than it is stored. */
function putBack(given: Json, shown: Json | undefined, stored: Json | undefined): Json {
  if (stored === undefined || shown === undefined) return given;
  if (isJsonObject(given) && isJsonObject(shown) && isJsonObject(stored)) {
    const members = Object.entries(given).map(([key, value]) => [key, putBack(value ?? null, shown[key], stored[key])]);
    return Object.fromEntries(members) as JsonObject;
  }
  return isDeepStrictEqual(given, shown) ? stored : given;
}
