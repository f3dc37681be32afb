/** The two functions over an entry's `config` that a plugin may have: what is stored of it, and what is shown. */
import { settleWithin } from '@bifrost/core/plugins';
import { isJsonObject, PluginError } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';
import type { CheckedPlugin } from './read-plugin-module.ts';

export type ConfigViewName = 'marshalConfigForStorage' | 'redactConfig';

const configViewNames: readonly ConfigViewName[] = ['marshalConfigForStorage', 'redactConfig'];

/** Within this a plugin has to have answered, in milliseconds. */
export const configViewTimeoutMs = 2000;

/** Those that the plugin has. */
export function configViewsOf(plugin: CheckedPlugin): readonly ConfigViewName[] {
  return configViewNames.filter((view) => plugin[view] !== undefined);
}

/** The error of a view that was not given; `why` may be such an error's message, from another thread or process. */
export function configViewFailed(plugin: string, view: ConfigViewName, why: string): PluginError {
  const said = `plugin ${plugin}: its ${view} `;
  if (why.startsWith(said)) return configViewFailed(plugin, view, why.slice(said.length));
  return new PluginError(plugin, `its ${view} ${why}`, { code: 'BF_PLUGIN_CONFIG_VIEW_FAILED' });
}

/**
 * Asks the plugin. Rejects with PluginError where it throws, does not settle, or answers with anything but a JSON object: whoever asked
 * then uses nothing of the config.
 */
export async function viewConfig(
  name: string,
  plugin: CheckedPlugin,
  { view, config }: { readonly view: ConfigViewName; readonly config: JsonObject },
): Promise<JsonObject> {
  const asked = plugin[view];
  if (asked === undefined) throw configViewFailed(name, view, 'is not there');
  // Called at once: whoever calls this knows by that whose code runs.
  const answered = new Promise((resolve) => resolve(asked.call(plugin.self, structuredClone(config))));
  const settled = await settleWithin(answered, configViewTimeoutMs);
  if (settled.kind === 'threw') {
    // Its message may well have a part of the config in it.
    const type = settled.thrown instanceof Error ? settled.thrown.name : typeof settled.thrown;
    throw configViewFailed(
      name,
      view,
      `threw (${type}; what it says is not told, as it may hold a part of the config)`,
    );
  }
  if (settled.kind !== 'value') throw configViewFailed(name, view, `did not settle within ${configViewTimeoutMs} ms`);
  const text = jsonOf(settled.value);
  const value: unknown = text === undefined ? undefined : JSON.parse(text);
  if (isJsonObject(value)) return value;
  throw configViewFailed(name, view, 'returned what is no JSON object');
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    // A cycle or a bigint.
    return undefined;
  }
}
