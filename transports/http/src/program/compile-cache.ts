import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { homeDirectory } from './home-directory.ts';

/**
 * Keeps compiled code between starts: the second start is ready much sooner. The folder is the user's own, as whoever can
 * write it can run code here; without a home there is no cache. Threads ask for the same folder (`startThread`).
 */
export function useCompileCache(): void {
  const home = homeDirectory();
  const base = process.env['XDG_CACHE_HOME'] ?? (home === undefined ? undefined : join(home, '.cache'));
  if (base !== undefined) enableCompileCache(join(base, 'bifrost', 'compile-cache'));
}
