import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { repository } from './repository.ts';

const declaration = /realmEntry\(\s*'([a-z-]+)',\s*new URL\('([^']+)',\s*import\.meta\.url\)/g;

function* sourceFiles(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && !['node_modules', '__tests__', 'e2e', '__fixtures__'].includes(entry.name)) {
      yield* sourceFiles(path);
    }
    if (entry.isFile() && /(?<!\.test|\.bench)\.ts$/.test(basename(path))) yield path;
  }
}

/**
 * The modules that a thread or process of the program begins with, by name: the program itself and whatever the sources declare
 * with `realmEntry`. Throws where a name is given twice.
 */
export function findProgramEntries(): Readonly<Record<string, string>> {
  const entries: Record<string, string> = { main: join(repository, 'transports/http/src/main.ts') };
  for (const folder of ['framework/src', 'transports/http/src']) {
    for (const file of sourceFiles(join(repository, folder))) {
      for (const [, name = '', path = ''] of readFileSync(file, 'utf8').matchAll(declaration)) {
        // The doc comment of realmEntry shows one.
        if (file.endsWith('realm-entry.ts')) continue;
        if (name in entries) throw new Error(`two entries are named ${name}: ${entries[name]} and one of ${file}`);
        entries[name] = resolve(dirname(file), path);
      }
    }
  }
  return entries;
}
