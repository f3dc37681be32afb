import { defaultMaxMessageBytes } from '../connect-remote-plugin.ts';
import type { RunnerStart } from '../control.ts';
import { defaultCleanupTimeoutMs, defaultInitTimeoutMs, defaultMemoryBytes } from './remote-options.ts';
import type { RemotePluginOptions } from './remote-options.ts';

/** What the runner of `options` is told. */
export function runnerStartOf(options: RemotePluginOptions): RunnerStart {
  const { entry, artefact, generation, models } = options;
  return {
    entry,
    artefact,
    generation,
    initTimeoutMs: options.initTimeoutMs ?? defaultInitTimeoutMs,
    cleanupTimeoutMs: options.cleanupTimeoutMs ?? defaultCleanupTimeoutMs,
    areInputsFrozen: options.areInputsFrozen ?? entry.watch ?? false,
    maxMessageBytes: options.maxMessageBytes ?? defaultMaxMessageBytes,
    ...(models === undefined ? {} : { models }),
  };
}

/** Bytes that the plugin may use. */
export function memoryLimitOf({ entry }: RemotePluginOptions): number {
  return entry.memoryLimitBytes ?? defaultMemoryBytes;
}
