/**
 * What plugins were when they were last loaded, over restarts: a guard whose file is missing at the next start says nothing of itself,
 * and has to be refused for all the same.
 */
import { readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { hookNames, isJsonObject } from '@bifrost/sdk';
import type { HookName, PluginLog } from '@bifrost/sdk';
import type { PluginDescription } from '../remote/remote-plugin.ts';

/** The kind of a plugin, and of a guard what it sees. */
export type RememberedPlugin = Pick<PluginDescription, 'isGuard' | 'hooks'>;

export interface PluginMemory {
  /** Undefined for one that was never loaded. */
  recall(name: string): RememberedPlugin | undefined;
  /** It was loaded, and said this of itself. */
  note(name: string, description: RememberedPlugin): void;
  /** It was taken out by hand. */
  forget(name: string): void;
}

/** Names that are kept: far more than anybody has, and few enough for a file that is written as a whole. */
const maxNames = 2000;

function parseOne(value: unknown): RememberedPlugin | undefined {
  if (!isJsonObject(value)) return undefined;
  const { guard, hooks } = value;
  if (typeof guard !== 'boolean' || !Array.isArray(hooks)) return undefined;
  const known = hookNames.filter((hook) => hooks.includes(hook));
  return { isGuard: guard, hooks: Object.fromEntries(known.map((hook) => [hook, {}])) };
}

function hooksOf({ hooks }: RememberedPlugin): readonly HookName[] {
  return hookNames.filter((hook) => hooks[hook] !== undefined);
}

/** In one file of JSON; written beside the requests, by the main thread. */
export class FilePluginMemory implements PluginMemory {
  readonly #path: string;
  readonly #log: Pick<PluginLog, 'warn'>;
  readonly #plugins = new Map<string, RememberedPlugin>();
  #writing: Promise<void> = Promise.resolve();
  #isDue = false;

  /** What cannot be read is as if it was not there, and said: what was a guard is not known then. */
  constructor(path: string, log: Pick<PluginLog, 'warn'>) {
    this.#path = path;
    this.#log = log;
    try {
      this.#read();
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
      const why = error instanceof Error ? error.message : String(error);
      log.warn(`which plugins are guards is not known from earlier starts: ${path} cannot be read: ${why}`);
    }
  }

  recall(name: string): RememberedPlugin | undefined {
    return this.#plugins.get(name);
  }

  note(name: string, { isGuard, hooks }: RememberedPlugin): void {
    const [before, own] = [this.#plugins.get(name), { isGuard, hooks }];
    const isSame = before?.isGuard === isGuard && isDeepStrictEqual(hooksOf(before), hooksOf(own));
    if (isSame || (before === undefined && this.#plugins.size >= maxNames)) return;
    this.#plugins.set(name, own);
    this.#write();
  }

  forget(name: string): void {
    if (this.#plugins.delete(name)) this.#write();
  }

  /** Resolves when all that was noted is in the file, or was said not to be. */
  written(): Promise<void> {
    return this.#writing;
  }

  #read(): void {
    const value: unknown = JSON.parse(readFileSync(this.#path, 'utf8'));
    const plugins = isJsonObject(value) ? value['plugins'] : undefined;
    if (!isJsonObject(plugins)) throw new Error('it has no member "plugins"');
    for (const [name, stated] of Object.entries(plugins)) {
      const plugin = parseOne(stated);
      if (plugin !== undefined) this.#plugins.set(name, plugin);
    }
  }

  /** Several changes at once are one write. */
  #write(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#writing = this.#writing.then(() => this.#writeNow());
  }

  async #writeNow(): Promise<void> {
    this.#isDue = false;
    const stated = [...this.#plugins].map(([name, one]) => [name, { guard: one.isGuard, hooks: hooksOf(one) }]);
    const draft = `${this.#path}.${process.pid}.tmp`;
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      await writeFile(draft, `${JSON.stringify({ plugins: Object.fromEntries(stated) }, null, 2)}\n`, { mode: 0o600 });
      await rename(draft, this.#path);
    } catch (error) {
      await rm(draft, { force: true });
      const why = error instanceof Error ? error.message : String(error);
      this.#log.warn(`which plugins are guards will not be known at the next start: ${this.#path}: ${why}`);
    }
  }
}
