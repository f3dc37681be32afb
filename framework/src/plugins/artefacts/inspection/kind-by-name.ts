import { extname } from 'node:path';
import type { ArtefactKind } from '@bifrost/sdk';

const kindsByExtension: Readonly<Record<string, ArtefactKind>> = {
  '.ts': 'module',
  '.mts': 'module',
  '.js': 'module',
  '.mjs': 'module',
  '.wasm': 'wasm',
  '.so': 'native',
  '.dylib': 'native',
  '.dll': 'native',
  '.node': 'node-addon',
};

/** The kind that a file's name promises: `libx.so.1` is a library too. */
export function kindByName(file: string): ArtefactKind | undefined {
  const name = file.toLowerCase();
  return kindsByExtension[extname(name)] ?? (/\.so(?:\.\d+)+$/.test(name) ? 'native' : undefined);
}
