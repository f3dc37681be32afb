import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Keeps compiled code between starts: the second start is ready much sooner. The folder is the user's own, as whoever can
 * write it can run code here. Threads ask for the same folder (`startThread`).
 */
export function useCompileCache(): void {
  const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  enableCompileCache(join(base, 'bifrost', 'compile-cache'));
}
