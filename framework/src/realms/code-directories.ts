import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packaging } from './packaging.ts';

/**
 * Directories that a child under Node's permission model must be able to read for our own code (`--allow-fs-read=DIR/`). None
 * for the executable, which carries its code.
 */
export function codeDirectories(): readonly string[] {
  if (packaging === 'executable') return [];
  const here = dirname(fileURLToPath(import.meta.url));
  // From source: the whole repository, as the packages and node_modules are links into each other.
  return [packaging === 'source' ? join(here, '../../..') : here];
}
