/** Writes the generated pages of docs/reference. Usage: node tools/write-references.ts */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { references } from './references.ts';

for (const [path, format] of references) {
  const file = join(import.meta.dirname, '..', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, format());
  console.log(path);
}
