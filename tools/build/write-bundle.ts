import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProgramBundle } from './bundle-program.ts';

/**
 * Writes the bundle into a folder and removes files of an earlier one. `main.js` comes last, as make looks at its time; a program
 * that runs from the folder keeps what it has loaded.
 */
export function writeBundle(folder: string, { files }: ProgramBundle): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  for (const [name, text] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    if (name !== 'main.js') writeFileSync(join(folder, name), text);
  }
  writeFileSync(join(folder, 'main.js'), files.get('main.js') ?? '');
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.js') && !files.has(name)) rmSync(join(folder, name));
  }
}
