/**
 * Which plugin a piece of running code belongs to. Plugin code runs inside an asynchronous context of its own, which its
 * timers, promises and event handlers inherit; where that is lost, the tag in the stack trace's URLs tells.
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import type { AsyncScope } from '@bifrost/core';
import { pluginOfStack } from './module-hooks.ts';

/** Told of failures in work that a plugin left running: rejections nobody handled, throws in timers and event handlers. */
export interface PluginIdentity {
  readonly name: string;
  readonly generation: string;
  onEscape(thrown: unknown): void;
}

const currentPlugin = new AsyncLocalStorage<PluginIdentity>();
/** Never emptied: code of a replaced plugin may still run, and its failures must not end the thread. */
const identities = new Map<string, PluginIdentity>();
const keyOf = (name: string, generation: string): string => `${generation}/${name}`;

/** Makes the asynchronous context of one instance. */
export function createPluginScope(identity: PluginIdentity): AsyncScope {
  identities.set(keyOf(identity.name, identity.generation), identity);
  return currentPlugin.run(identity, () => new AsyncResource('BifrostPlugin'));
}

/** Runs `action` inside the plugin's context. */
export function runInPluginScope<Result>(identity: PluginIdentity, action: () => Result): Result {
  return currentPlugin.run(identity, action);
}

function identify(thrown: unknown): PluginIdentity | undefined {
  const current = currentPlugin.getStore();
  if (current !== undefined) return current;
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  const named = typeof stack === 'string' ? pluginOfStack(stack) : undefined;
  return named === undefined ? undefined : identities.get(keyOf(named.name, named.generation));
}

/** The plugin whose code calls, if any. Walks the stack where the asynchronous context does not say it: not for hot paths. */
export function callingPlugin(): string | undefined {
  const current = currentPlugin.getStore();
  if (current !== undefined) return current.name;
  const { stack } = new Error('where');
  return stack === undefined ? undefined : pluginOfStack(stack)?.name;
}

/**
 * Keeps the thread alive when a plugin's forgotten promise rejects or its timer throws: the failure is charged to the plugin.
 * What belongs to no plugin takes Node's own way (the thread ends with the error). Returns a function that takes the guard away.
 * Call it once per thread; a thread's own handlers, if any, must not swallow what this rethrows.
 *
 * Not told apart, and so fatal: failures in callbacks of native add-ons and of connections or timers that other code made
 * before the plugin was called, when they are no Error with a line of the plugin's files in its stack.
 */
export function containPluginFailures(): () => void {
  const contain = (thrown: unknown): void => {
    const plugin = identify(thrown);
    if (plugin === undefined) throw thrown;
    plugin.onEscape(thrown);
  };
  process.on('unhandledRejection', contain);
  process.on('uncaughtException', contain);
  return () => {
    process.off('unhandledRejection', contain);
    process.off('uncaughtException', contain);
  };
}
