import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { WorkerOptions } from 'node:worker_threads';
import { readAsset } from './asset.ts';
import { packaging } from './packaging.ts';
import { entryUrl } from './realm-entry.ts';
import type { RealmEntry } from './realm-entry.ts';

/** As `WorkerOptions`; the source is the entry's. */
export type ThreadOptions = Omit<WorkerOptions, 'eval'>;

/**
 * The first lines of a thread, plain JavaScript in a string: a file of TypeScript would itself need the compiler. The compile
 * cache is asked for before the first module is loaded; with it Node needs no compiler in the thread, which saves a tenth of its
 * start and several MB.
 */
function bootstrapOf(entry: RealmEntry): string {
  // Node appends a folder for its version by itself.
  const cacheOfVersion = getCompileCacheDir();
  const compileCache = cacheOfVersion === undefined ? undefined : dirname(cacheOfVersion);
  if (packaging === 'executable') {
    return `const bifrostRealm = ${JSON.stringify({ name: entry.name, compileCache })};\n${readAsset('boot.cjs').toString()}`;
  }
  const useCache = compileCache === undefined ? '' : `enableCompileCache(${JSON.stringify(compileCache)});`;
  return `const { enableCompileCache } = require('node:module');\n${useCache}\nimport(${JSON.stringify(entryUrl(entry))});`;
}

/** Flags that are of the engine or of the whole process: they hold in a thread anyway, and Node refuses to start one with them. */
function refusedFlags(error: unknown): readonly string[] {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_WORKER_INVALID_EXEC_ARGV') return [];
  return error.message.slice(error.message.indexOf(': ') + 2).split(', ');
}

/** Starts a thread of this process on one of our entries, whatever the packaging. `workerData` and messages are the caller's. */
export function startThread(entry: RealmEntry, options: ThreadOptions = {}): Worker {
  const source = bootstrapOf(entry);
  // Experimental modules are used on purpose; Node's warnings would be noise in every log.
  const flags = [...(options.execArgv ?? process.execArgv), '--disable-warning=ExperimentalWarning'];
  const start = (execArgv: string[]): Worker => new Worker(source, { ...options, eval: true, execArgv });
  try {
    return start(flags);
  } catch (error) {
    const refused = refusedFlags(error);
    if (refused.length === 0) throw error;
    return start(flags.filter((flag) => !refused.includes(flag)));
  }
}
