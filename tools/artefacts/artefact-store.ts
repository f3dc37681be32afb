/**
 * Built artefacts for tests: each is built once for given sources and shared by all test files and runs, in `tmp/artefacts/`. The first
 * test that asks builds it, the others wait.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repository } from '../build/repository.ts';

const folders = ['sdk', 'core', 'framework', 'testkit/src', 'cli', 'transports/http', 'tools/build', 'plugins'];
const store = join(repository, 'tmp/artefacts');
/** No build takes this long: its maker was killed. */
const staleAfterMs = 15 * 60_000;

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !['node_modules', '__tests__', 'e2e'].includes(entry.name)) yield* sources(path);
    if (entry.isFile() && !entry.name.endsWith('.test.ts')) yield path;
  }
}

let key: string | undefined;

/** Digest of everything that goes into a build. */
function sourceKey(): string {
  if (key !== undefined) return key;
  const hash = createHash('sha256').update(readFileSync(join(repository, 'package-lock.json')));
  for (const folder of folders.map((name) => join(repository, name)).filter((path) => existsSync(path))) {
    for (const path of sources(folder)) hash.update(path.slice(repository.length)).update(readFileSync(path));
  }
  key = hash.digest('hex').slice(0, 16);
  return key;
}

/** Artefacts of other sources are of no use any more, and large. */
function removeOthers(current: string): void {
  for (const name of readdirSync(store)) {
    const path = join(store, name);
    if (name !== current && Date.now() - statSync(path).mtimeMs > staleAfterMs)
      rmSync(path, { recursive: true, force: true });
  }
}

/** The folder of the artefact `name`, made by `make` if it is not there. `make` gets an empty folder to fill. */
export async function artefact(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const root = join(store, sourceKey());
  const folder = join(root, name);
  const lock = `${folder}.lock`;
  mkdirSync(root, { recursive: true });
  while (!existsSync(folder)) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
    } catch {
      // Somebody else builds it. There is no event for a file of another process that is cheaper than to look.
      await sleep(100);
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > staleAfterMs) rmSync(lock, { force: true });
      continue;
    }
    try {
      if (existsSync(folder)) break;
      const building = `${folder}.${process.pid}`;
      mkdirSync(building, { recursive: true });
      await make(building);
      renameSync(building, folder);
    } finally {
      rmSync(lock, { force: true });
    }
  }
  removeOthers(sourceKey());
  return folder;
}
