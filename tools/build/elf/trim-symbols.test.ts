import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { collectLibraries } from '../carried-libraries.ts';
import { stripExecutable } from './strip-executable.ts';
import { hashedSymbolEnd, hashName, makeHashTable } from './symbol-hash.ts';
import { symbolNames, trimSymbols } from './trim-symbols.ts';

const folder = mkdtempSync(join(tmpdir(), 'bifrost-trim-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the hash table of names', () => {
  it('has the hash that the format defines', () => {
    expect([hashName(''), hashName('printf'), hashName('exit')]).toEqual([0x1505, 0x156b2bb8, 0x7c967e3f]);
  });

  it('lists every name once, buckets in order, and ends where it says', () => {
    const names = Array.from({ length: 500 }, (_, index) => `name_${index * 7919}`);
    const { order, bytes } = makeHashTable(names, 12);
    expect(order.toSorted((a, b) => a - b)).toEqual(names.map((_, index) => index));
    const buckets = order.map((index) => hashName(names[index] ?? '') % bytes.readUInt32LE(0));
    expect(buckets).toEqual(buckets.toSorted((a, b) => a - b));
    expect(hashedSymbolEnd(bytes, 0)).toBe(512);
    expect(hashedSymbolEnd(makeHashTable([], 12).bytes, 0)).toBe(0);
  });
});

describe.skipIf(process.platform !== 'linux')('an executable without the names that nobody asks for', () => {
  it('runs as before, and is smaller: Node itself', () => {
    const before = stripExecutable(readFileSync(process.execPath));
    const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
    const { linker, libraries } = collectLibraries(before, architecture);
    const kept = new Set([linker, ...libraries].flatMap(({ bytes }) => symbolNames(bytes)));
    const after = trimSymbols(before, kept);
    expect(before.length - after.length).toBeGreaterThan(4_000_000);
    const names = symbolNames(after);
    expect(names.length).toBeLessThan(2000);
    expect(names).toEqual(expect.arrayContaining(['malloc', 'stdout']));
    const path = join(folder, 'node');
    writeFileSync(path, after, { mode: 0o755 });
    const script = `
      const { Worker } = require('node:worker_threads');
      new Worker("try { null.x } catch { require('node:worker_threads').parentPort.postMessage(new Intl.NumberFormat('de').format(1.5)) }",
        { eval: true }).on('message', (text) => console.log(text, require('node:zlib').gzipSync('a').length))`;
    expect(execFileSync(path, ['-e', script], { encoding: 'utf8' })).toBe('1,5 21\n');
  });

  it.each(['/bin/bash', '/bin/ls', '/bin/dash'].filter((name) => existsSync(name)))('runs as before: %s', (name) => {
    const path = join(folder, name.replaceAll('/', '_'));
    writeFileSync(path, trimSymbols(stripExecutable(readFileSync(name)), new Set()), { mode: 0o755 });
    const args = name === '/bin/ls' ? ['-d', '/proc'] : ['-c', 'echo $((6 * 7))'];
    expect(execFileSync(path, args, { encoding: 'utf8' })).toBe(execFileSync(name, args, { encoding: 'utf8' }));
  });
});
