/** A loaded plugin as the chains see it: hooks, place, and what the host gives it. The loaders make these. */
import type { ContextOwner } from './request-context.ts';
import type { HookHandlers, HookName, Hook, JsonObject, ModelInfo, SharedState } from '@bifrost/sdk';

/** The three groups that run one after the other; `builtin` is kept for the gateway's own plugins. */
export type PluginPlacement = 'pre_builtin' | 'builtin' | 'post_builtin';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Hooks as the loader found and checked them. */
export type PluginHooks = { readonly [Name in HookName]?: Hook<HookHandlers[Name], Name> };

export interface PluginInstance {
  /** The entry's name: unique within a snapshot, without `/`. */
  readonly name: string;
  /** What the plugin's config schema yielded; `ctx.config`. */
  readonly config: unknown;
  readonly hooks: PluginHooks;
  /** `this` inside bare hook functions. */
  readonly self: object;
  readonly isGuard: boolean;
  readonly placement: PluginPlacement;
  /** Lower first within the placement group; ties keep the order of registration. */
  readonly order: number;
  /** Where `ctx.log` and the chain's own reports about this plugin go. Must not throw. */
  log(level: LogLevel, message: string, fields: JsonObject): void;
  /** Told once when `disableAfter` has switched the plugin off. */
  onDisabled?(reason: string): void;
  /** The plugin's asynchronous context: work that a hook leaves behind can then be told from others' work. */
  readonly asyncScope?: AsyncScope;
  /** `ctx.shared`. */
  readonly shared: SharedState;
  /**
   * Called once for each request in which a hook of the plugin was called, after the last one (`inject` included). For plugins
   * that run elsewhere and keep something for each request. Must not throw.
   */
  onRequestEnd?(request: ContextOwner): void;
  /** The gateway's catalogue; absent: nothing is known of any model. */
  getModelInfo?(provider: string, model: string): ModelInfo | undefined;
}

/** Calls a function inside an asynchronous context; `AsyncResource` of `node:async_hooks` has this shape. */
export interface AsyncScope {
  runInAsyncScope(
    handler: (context: unknown, input: unknown) => unknown,
    self: unknown,
    context: unknown,
    input: unknown,
  ): unknown;
}
