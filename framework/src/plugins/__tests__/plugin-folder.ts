/** Plugins written to a temporary folder outside the repository, and a host that loads them as Node does. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { PluginLog } from '@bifrost/sdk';
import { createPluginHost } from '../create-plugin-host.ts';
import type { PluginHost, PluginHostOptions } from '../plugin-host.ts';
import type { PluginEntry } from '../plugin-entry.ts';

/** Vitest's `import()` sees no `registerHooks`; a required file's does. */
const importNatively = createRequire(import.meta.url)('./import-natively.cjs') as (
  specifier: string,
) => Promise<unknown>;

export interface PluginFolder {
  readonly path: string;
  write(files: Readonly<Record<string, string>>): void;
  [Symbol.dispose](): void;
}

/** A new folder with `files`, removed at the end of the block. */
export function pluginFolder(files: Readonly<Record<string, string>> = {}): PluginFolder {
  const path = mkdtempSync(join(tmpdir(), 'bifrost-plugins-'));
  const folder: PluginFolder = {
    path,
    write(more) {
      for (const [name, text] of Object.entries(more)) {
        mkdirSync(dirname(join(path, name)), { recursive: true });
        writeFileSync(join(path, name), text);
      }
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
  folder.write(files);
  return folder;
}

export interface TestHost {
  readonly host: PluginHost;
  /** `level message` of every line. */
  readonly lines: string[];
}

/** A host whose config folder is `baseDirectory`. */
export function hostIn(baseDirectory: string, options: Partial<PluginHostOptions> = {}): TestHost {
  const lines: string[] = [];
  const write = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const logger: PluginLog = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const host = createPluginHost({
    logger,
    baseDirectory,
    areInputsFrozen: true,
    importModule: importNatively,
    ...options,
  });
  return { host, lines };
}

/** An enabled entry. */
export function entry(name: string, path: string, rest: Partial<PluginEntry> = {}): PluginEntry {
  return { name, path, enabled: true, ...rest };
}
