/**
 * The plugin contract. Inputs are deeply read-only plain data; a change is a returned value, `undefined` means "unchanged",
 * so a plugin that throws leaves the value before it in place.
 */
import type { PluginContext } from './hook-context.ts';
import type { Hook, HookHandlers, HookName } from './hooks.ts';
import type { JsonObject } from './json.ts';

type MaybePromise<T> = T | Promise<T>;

/** A validator in the shape of Standard Schema (https://standardschema.dev): zod, valibot, arktype and others have it. */
export interface ConfigSchema<Config> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    validate(
      value: unknown,
    ): MaybePromise<
      | { readonly value: Config; readonly issues?: undefined }
      | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }
    >;
    readonly types?: { readonly input: unknown; readonly output: Config } | undefined;
  };
}

/** What a plugin says of itself, and its life cycle. */
export interface PluginBase<Config = JsonObject> {
  /** Letters, digits, `.`, `_` and `-`; the entry in `config.json` may give an instance another name. */
  readonly name: string;
  readonly version?: string;
  /** The plugin API this was written for, `v1` or a range such as `>=1.1 <2`. @default 'v1' */
  readonly apiVersion?: string;
  /** A guard may deny, and fails closed: a failing hook refuses the request instead of letting it pass. @default false */
  readonly guard?: boolean;
  /** Checks the entry's `config` before `init`; its output is `ctx.config`. Absent: `config` is passed as it stands. */
  readonly configSchema?: ConfigSchema<Config>;
  /** Once per instance (one for each serving thread), before the first hook. To throw or reject refuses the plugin. */
  init?(context: PluginContext<Config>): MaybePromise<void>;
  /** Once per instance whose `init` succeeded, after the last request that began with it; last loaded first. */
  cleanup?(context: PluginContext<Config>): MaybePromise<void>;
  /** What is stored in the place of the entry's `config` (a secret replaced by a reference, say). Not a hook: no request runs it. */
  marshalConfigForStorage?(config: JsonObject): MaybePromise<JsonObject>;
  /** What the admin API shows in the place of the entry's `config`. To throw shows nothing of it. */
  redactConfig?(config: JsonObject): MaybePromise<JsonObject>;
}

/** A plugin: the default export of its module. */
export type Plugin<Config = JsonObject> = PluginBase<Config> & {
  readonly [Name in HookName]?: Hook<HookHandlers<Config>[Name], Name, Config>;
};

/** Gives a plugin's author completion and type errors, `config` typed by `configSchema`; returns its argument. */
export function definePlugin<Config = JsonObject>(plugin: Plugin<Config>): Plugin<Config> {
  return plugin;
}
