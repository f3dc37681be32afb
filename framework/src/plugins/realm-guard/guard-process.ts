/**
 * Refuses calls of plugin code that would end or change the whole process: in a serving thread they would hit every request. The
 * plugin is told by its asynchronous context, and where that is lost by the tag in its files' URLs. This keeps mistakes out, not
 * attackers: code in the same realm can take other ways. What is not trusted runs in `process` isolation.
 */
import { syncBuiltinESMExports } from 'node:module';
import { PluginError } from '@bifrost/sdk';
import { callingPlugin } from '../plugin-scope.ts';

const refusedCalls = [
  'exit',
  'reallyExit',
  'abort',
  'kill',
  'chdir',
  'umask',
  'setuid',
  'setgid',
  'seteuid',
  'setegid',
  'setgroups',
  'initgroups',
] as const;

type Call = (...input: unknown[]) => unknown;

/** Guards the `process` object of this thread. Returns a function that takes the guard away. Call it once per thread. */
export function guardProcess(): () => void {
  // `reallyExit` and some others are not in the types, or not on every system.
  const target = process as unknown as Record<string, unknown>;
  const originals = new Map<string, unknown>();
  for (const name of refusedCalls) {
    const original = target[name];
    if (typeof original !== 'function') continue;
    originals.set(name, original);
    target[name] = function guarded(this: unknown, ...input: unknown[]): unknown {
      // Asking for the mask changes nothing.
      const plugin = name === 'umask' && input.length === 0 ? undefined : callingPlugin();
      if (plugin === undefined) return (original as Call).apply(this, input);
      throw new PluginError(plugin, `process.${name}() is refused: it would hit the whole gateway`, {
        code: 'BF_PLUGIN_PROCESS_CALL',
      });
    };
  }
  // For `import { exit } from 'node:process'`.
  syncBuiltinESMExports();
  return () => {
    for (const [name, original] of originals) target[name] = original;
    syncBuiltinESMExports();
  };
}
