/**
 * Packs a folder of recorded exchanges (one JSON file each) into one zstd-compressed JSON-lines file per provider.
 * Usage: node tools/pack-recordings.ts FOLDER
 */
import { readdirSync, readFileSync, statSync, writeFileSync, cpSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';

const source = process.argv[2];
if (source === undefined) throw new Error('usage: node tools/pack-recordings.ts FOLDER');
const target = resolve(import.meta.dirname, '../testkit/recordings');
const params = { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_windowLog]: 24 };

for (const provider of readdirSync(source).toSorted()) {
  const folder = join(source, provider);
  if (!statSync(folder).isDirectory() || provider === 'LICENSES') continue;
  const lines = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => JSON.stringify(JSON.parse(readFileSync(join(folder, name), 'utf8'))));
  writeFileSync(join(target, `${provider}.jsonl.zst`), zstdCompressSync(lines.join('\n'), { params }));
  console.log(`${provider}: ${lines.length} exchanges`);
}
cpSync(join(source, 'LICENSES'), join(target, 'LICENSES'), { recursive: true });
cpSync(join(source, 'README.md'), join(target, 'README.md'));
