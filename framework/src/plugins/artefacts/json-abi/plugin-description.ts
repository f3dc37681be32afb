/** What an artefact that is not JavaScript says of itself, and the plugin object that the loader makes of it. */
import { isJsonObject, PluginError } from '@bifrost/sdk';
import type { HookContext, JsonObject, PluginContext } from '@bifrost/sdk';
import { didYouMean } from '../../../config/suggestion.ts';

/** The JSON of `describe`: a part of the manifest. Hook names and their options are checked by `readPluginModule`. */
export interface StatedPlugin {
  readonly name?: unknown;
  readonly version?: unknown;
  /** The plugin API that it was written for, as in a manifest. */
  readonly api?: unknown;
  readonly guard?: unknown;
  readonly hooks: JsonObject;
}

const members = ['name', 'version', 'api', 'guard', 'hooks', 'description'];

function invalid(plugin: string, message: string): PluginError {
  return new PluginError(plugin, `its description is wrong: ${message}`, { code: 'BF_PLUGIN_SHAPE_INVALID' });
}

/** Reads the text of `describe`. Throws PluginError for what is not such a description. */
export function readDescription(plugin: string, text: string): StatedPlugin {
  let stated: unknown;
  try {
    stated = JSON.parse(text);
  } catch (cause) {
    throw invalid(plugin, `it is not JSON (${cause instanceof Error ? cause.message : 'unreadable'})`);
  }
  if (!isJsonObject(stated)) throw invalid(plugin, 'expected a JSON object with `name`, `version`, `api` and `hooks`');
  const unknown = Object.keys(stated).find((member) => !members.includes(member));
  if (unknown !== undefined) throw invalid(plugin, `unknown member "${unknown}"${didYouMean(unknown, members)}`);
  const { name, version, api, guard, hooks } = stated;
  if (!isJsonObject(hooks)) {
    throw invalid(plugin, '`hooks` must be an object: {"preRequestHook": {}, "preLLMHook": {"reads": "messages"}}');
  }
  const wrong = Object.keys(hooks).find((hook) => !isJsonObject(hooks[hook]));
  if (wrong !== undefined) throw invalid(plugin, `\`hooks.${wrong}\` must be an object with the hook's options, {} for none`);
  return {
    hooks,
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    ...(api === undefined ? {} : { api }),
    ...(guard === undefined ? {} : { guard }),
  };
}

/** How the functions of the artefact are called. All are synchronous: the artefact's code runs in this thread. */
export interface PluginCalls {
  create(context: PluginContext<unknown>): void;
  call(hook: string, context: HookContext<unknown>, input: object): unknown;
  destroy(context: PluginContext<unknown>): void;
}

/** The plugin as a module would export it; `readPluginModule` checks it. Unknown hooks are kept, so that it reports them. */
export function pluginOf(stated: StatedPlugin, calls: PluginCalls): object {
  const { name, version, api, guard, hooks } = stated;
  const plugin: Record<string, unknown> = {
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    ...(api === undefined ? {} : { apiVersion: api }),
    ...(guard === undefined ? {} : { guard }),
    init: (context: PluginContext<unknown>) => calls.create(context),
    cleanup: (context: PluginContext<unknown>) => calls.destroy(context),
  };
  for (const [hook, options] of Object.entries(hooks)) {
    const handler = (context: HookContext<unknown>, input: object): unknown => calls.call(hook, context, input);
    plugin[hook] = { ...(isJsonObject(options) ? options : {}), handler };
  }
  return plugin;
}
