import { enableCompileCache, getCompileCacheDir } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Keeps compiled code between starts: the second start is ready much sooner. The folder is the user's own, as whoever can
 * write it can run code here. Every thread has to ask for it.
 */
export function useCompileCache(): void {
  const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  enableCompileCache(join(base, 'bifrost', 'compile-cache'));
}

/** The folder in use; undefined where the program did not ask for one. Node's own subfolder for its version is left out. */
export function compileCacheDirectory(): string | undefined {
  const directory = getCompileCacheDir();
  return directory === undefined ? undefined : join(directory, '..');
}
