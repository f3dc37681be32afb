/**
 * Takes away from plugin code what would end, signal or change a process that is not its own to end. Called once in a realm, before
 * anything of the plugin is loaded.
 */
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import v8 from 'node:v8';
import { PluginError } from '@bifrost/sdk';

export interface LockOptions {
  readonly plugin: string;
  readonly realm: 'worker' | 'process';
  /** Native add-ons may be loaded. */
  readonly isNativeGranted: boolean;
}

const ending = ['exit', 'reallyExit', 'abort', '_kill', 'kill', 'execve'] as const;
const changing = [
  'binding',
  '_linkedBinding',
  '_debugProcess',
  '_debugEnd',
  '_rawDebug',
  '_startProfilerIdleNotifier',
  '_stopProfilerIdleNotifier',
  'chdir',
  'setuid',
  'setgid',
  'seteuid',
  'setegid',
  'setgroups',
  'initgroups',
  'setUncaughtExceptionCaptureCallback',
] as const;

/** Members of `process` that may end it or reach others: each call is an error, charged to the plugin like any other. */
export function lockProcess({ plugin, realm, isNativeGranted }: LockOptions): void {
  // Node puts a wrapper of its own in the place of `chdir` when this module is first loaded, which fails once that is locked.
  process.getBuiltinModule('node:worker_threads');
  const place = realm === 'worker' ? 'thread' : 'process';
  const lock = (owner: object, member: string, why: string): void => {
    if (!(member in owner)) return;
    const refuse = (): never => {
      throw new PluginError(plugin, why, { code: 'BF_PLUGIN_REFUSED' });
    };
    Object.defineProperty(owner, member, { value: refuse, writable: false, configurable: false, enumerable: true });
  };
  for (const member of ending) {
    lock(process, member, `process.${member}() is refused: a plugin does not end or signal processes; throw an error`);
  }
  for (const member of changing) {
    lock(process, member, `process.${member}() is refused: a plugin does not change the ${place} that it runs in`);
  }
  if (!isNativeGranted) {
    lock(process, 'dlopen', nativeRefusal('a native add-on'));
  }
  lock(os, 'setPriority', `os.setPriority() is refused: a plugin does not change the ${place} that it runs in`);
  lock(v8, 'setFlagsFromString', `v8.setFlagsFromString() is refused: it could switch off what holds the plugin`);
  syncBuiltinESMExports();
}

function nativeRefusal(what: string): string {
  return `${what} is refused: it is not granted the capability "native" (plugins[].capabilities.native: true)`;
}
