/** What an artefact that is not JavaScript says of itself, and the plugin object that the loader makes of it. */
import { isJsonObject, PluginError } from '@bifrost/sdk';
import type { HookContext, HookName, HookOptionsData, JsonObject, PluginContext, PluginManifest } from '@bifrost/sdk';
import { didYouMean } from '../../../config/suggestion.ts';

/** The JSON of `describe`: a part of the manifest, which goes before it. `readPluginModule` checks names and options of the hooks. */
export interface StatedPlugin {
  readonly name?: unknown;
  readonly version?: unknown;
  /** The plugin API that it was written for, as in a manifest. */
  readonly api?: unknown;
  readonly guard?: unknown;
  /** The functions over configs that it has. */
  readonly configViews: readonly ConfigView[];
  readonly hooks: Readonly<Record<string, JsonObject | HookOptionsData>>;
}

/** Functions that make of a config what is stored, or shown. */
export type ConfigView = 'marshalConfigForStorage' | 'redactConfig';

const configViews = ['marshalConfigForStorage', 'redactConfig'] as const;
const members = ['name', 'version', 'api', 'guard', 'hooks', ...configViews];

function invalid(plugin: string, message: string): PluginError {
  return new PluginError(plugin, `its description is wrong: ${message}`, { code: 'BF_PLUGIN_SHAPE_INVALID' });
}

function parse(plugin: string, text: string): JsonObject {
  let stated: unknown;
  try {
    stated = JSON.parse(text);
  } catch (cause) {
    throw invalid(plugin, `it is not JSON (${cause instanceof Error ? cause.message : 'unreadable'})`);
  }
  if (!isJsonObject(stated)) throw invalid(plugin, 'expected a JSON object with `name`, `version`, `api` and `hooks`');
  return stated;
}

type StatedHooks = Record<string, JsonObject | HookOptionsData>;

function readHooks(plugin: string, hooks: unknown, manifest: PluginManifest | undefined): StatedHooks {
  if (!isJsonObject(hooks)) {
    throw invalid(plugin, '`hooks` must be an object: {"preRequestHook": {}, "preLLMHook": {"reads": "messages"}}');
  }
  const entries = Object.entries(hooks).map(([hook, options]) => {
    if (isJsonObject(options)) return [hook, options] as const;
    throw invalid(plugin, `\`hooks.${hook}\` must be an object with the hook's options, {} for none`);
  });
  const described = new Map<string, JsonObject | HookOptionsData>(entries);
  for (const [hook, options] of Object.entries(manifest?.hooks ?? {})) {
    const own = described.get(hook);
    if (own === undefined) {
      throw invalid(
        plugin,
        `the manifest has options for ${hook}, which it does not have${didYouMean(hook, described.keys())}`,
      );
    }
    described.set(hook, { ...own, ...options });
  }
  return Object.fromEntries(described);
}

/** Reads the text of `describe`; what the manifest says of hooks and `guard` goes before it. Throws PluginError. */
export function readDescription(plugin: string, text: string, manifest?: PluginManifest): StatedPlugin {
  const stated = parse(plugin, text);
  const unknown = Object.keys(stated).find((member) => !members.includes(member));
  if (unknown !== undefined) throw invalid(plugin, `unknown member "${unknown}"${didYouMean(unknown, members)}`);
  const { name, version, api } = stated;
  const guard = manifest?.guard ?? stated['guard'];
  const wrong = configViews.find((view) => stated[view] !== undefined && typeof stated[view] !== 'boolean');
  if (wrong !== undefined) throw invalid(plugin, `\`${wrong}\` must be true or false`);
  return {
    configViews: configViews.filter((view) => stated[view] === true),
    hooks: readHooks(plugin, stated['hooks'], manifest),
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    ...(api === undefined ? {} : { api }),
    ...(guard === undefined ? {} : { guard }),
  };
}

/** How the functions of the artefact are called. All are synchronous: the artefact's code runs in this thread. */
export interface PluginCalls {
  create(context: PluginContext<unknown>): void;
  /** Called with names that `readPluginModule` has accepted. */
  call(hook: HookName, context: HookContext<unknown>, input: object): unknown;
  destroy(context: PluginContext<unknown>): void;
  /** Needs no instance: may be called before `create` and after `destroy`. */
  view(view: ConfigView, config: JsonObject): unknown;
}

/** The plugin as a module would export it; `readPluginModule` checks it. Unknown hooks are kept, so that it reports them. */
export function pluginOf(stated: StatedPlugin, calls: PluginCalls): object {
  const { name, version, api, guard, hooks } = stated;
  const declared = Object.entries(hooks).map(([hook, options]) => {
    // Not called before the name was checked.
    const handler = (context: HookContext<unknown>, input: object): unknown =>
      calls.call(hook as HookName, context, input);
    return [hook, { ...options, handler }];
  });
  return {
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    ...(api === undefined ? {} : { apiVersion: api }),
    ...(guard === undefined ? {} : { guard }),
    ...Object.fromEntries(declared),
    ...Object.fromEntries(stated.configViews.map((view) => [view, (config: JsonObject) => calls.view(view, config)])),
    init: (context: PluginContext<unknown>) => calls.create(context),
    cleanup: (context: PluginContext<unknown>) => calls.destroy(context),
  };
}
