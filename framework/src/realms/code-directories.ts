import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packaging } from './packaging.ts';

/** Packages that a child loads code of; what lies beside them (plugins, examples) is not the child's. */
const packages = ['sdk', 'core', 'framework', 'transports', 'node_modules'];

/**
 * Directories that a child under Node's permission model must be able to read for our own code (`--allow-fs-read=DIR/`). None
 * for the executable, which carries its code.
 */
export function codeDirectories(): readonly string[] {
  if (packaging === 'executable') return [];
  const here = dirname(fileURLToPath(import.meta.url));
  if (packaging !== 'source') return [here];
  // The packages are links into each other.
  return packages.map((name) => join(here, '../../..', name));
}
