/** A loaded plugin as the chains see it: hooks, place, and what the host gives it. The loaders make these. */
import type { ContextOwner } from './request-context.ts';
import type { HookHandlers, HookName, Hook, JsonObject, ModelInfo, OnError, SharedState } from '@bifrost/sdk';

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
  /** The operator's, in the place of what the hooks state for themselves. */
  readonly timeoutMs?: number;
  readonly onError?: OnError;
  /** False: a hook is called however often it fails. @default after 20 failures in a row, for 10 s */
  readonly breaker?: BreakerOptions | false;
  /**
   * Milliseconds, of every hook or by hook. A hook whose p99 over the last window (10 s, at least 100 calls) is above opens the
   * plugin's breaker: its policy then says what becomes of requests. Without a breaker the plugin is `degraded` and no more.
   */
  readonly budgetMs?: number | { readonly [Name in HookName]?: number };
  /** Told when the breaker has opened or a hook is slower than the budget, and when all is well again. Must not throw. */
  onDegraded?(reason: string): void;
  onRecovered?(): void;
  /**
   * A candidate for the place of another plugin of the set: it takes that plugin's place, for this share of all requests (chosen by
   * request id, so the same in every thread), and is left out of the others. The other one serves those.
   */
  readonly canary?: PluginTrial;
  /**
   * A candidate that only watches: for this share of requests its hooks run on copies of what the other plugin's hooks were shown, after
   * the request has gone on, and what they return is compared and thrown away.
   */
  readonly shadow?: PluginTrial;
  /** Its hooks are shown frozen inputs also where those of the others are not: for a plugin that is being written. @default false */
  readonly areInputsFrozen?: boolean;
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

/** Another version of a plugin on trial. */
export interface PluginTrial {
  /** The name of the plugin that it would replace. */
  readonly of: string;
  /** 0 to 1. */
  readonly share: number;
}

/** When a plugin that keeps failing is left alone for a while. */
export interface BreakerOptions {
  /** Failures in a row of one hook. @default 20 */
  readonly failures?: number;
  /** How long the plugin's hooks are left out before one call tries it again. @default 10000 */
  readonly coolDownMs?: number;
  /** Share of failed calls of one hook within the window, 0 to 1, of at least 20 calls. @default no such limit */
  readonly errorRate?: number;
  /** @default 10000 */
  readonly windowMs?: number;
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
