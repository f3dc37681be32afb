import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { GatewayError } from '@bifrost/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ManagedPlugin } from './managed-plugin.ts';
import { PluginWatch } from './plugin-watch.ts';

let folder = '';
let watch: PluginWatch | undefined;
const reloads: string[] = [];
let listeners: (() => void)[] = [];
/** What a reload waits for. */
let loading: Promise<void> = Promise.resolve();
let plugins: readonly ManagedPlugin[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'watch-'));
  reloads.length = 0;
  loading = Promise.resolve();
  listeners = [];
  plugins = [];
});
afterEach(() => {
  watch?.close();
  rmSync(folder, { recursive: true, force: true });
});

function plugin(name: string, files: readonly string[], isWatched = true): ManagedPlugin {
  const [file = ''] = files;
  // What the watch reads of a plugin, and no more.
  return {
    name,
    file,
    files,
    entry: { name, enabled: true, path: file, watch: isWatched },
  } as unknown as ManagedPlugin;
}

/** One that runs elsewhere: nobody tells which files it has imported. */
function remote(name: string, file: string, isolation = 'worker'): ManagedPlugin {
  return { ...plugin(name, [file]), isolation, files: undefined } as unknown as ManagedPlugin;
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function start(list: readonly ManagedPlugin[]): void {
  plugins = list;
  watch = new PluginWatch(
    {
      directory: folder,
      list: () => plugins,
      reload: (name) => {
        reloads.push(name);
        return name === 'broken' ? Promise.reject(new Error('no')) : loading;
      },
      onChange: (listener) => {
        listeners.push(listener);
        return () => undefined;
      },
    },
    { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    { lookEveryMs: 50 },
  );
}

const waits = { timeout: 10_000 };

/** Long enough for a change to have been seen and settled. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 400));

describe('PluginWatch', () => {
  it('loads a plugin anew when its file or one that it imports has changed, and only that one', async () => {
    const main = write('a.ts', 'one');
    const shared = write('shared.ts', 'one');
    start([plugin('a', [main, shared]), plugin('b', [write('b.ts', 'one')]), plugin('c', [write('c.ts', '')], false)]);
    write('a.ts', 'two');
    await expect.poll(() => reloads, waits).toEqual(['a']);
    write('shared.ts', 'two');
    await expect.poll(() => reloads, waits).toEqual(['a', 'a']);
    write('c.ts', 'two');
    await settle();
    expect(reloads).toEqual(['a', 'a']);
  });

  it('takes a save of several files as one change, and a file written anew in the place of the old one', async () => {
    const main = write('a.ts', 'one');
    const other = write('b.ts', 'one');
    start([plugin('a', [main, other])]);
    write('draft', 'two');
    renameSync(join(folder, 'draft'), main);
    write('b.ts', 'two');
    await expect.poll(() => reloads, waits).toEqual(['a']);
    await settle();
    expect(reloads).toEqual(['a']);
  });

  it('does nothing where the content is the same', async () => {
    const main = write('a.ts', 'one');
    start([plugin('a', [main])]);
    write('a.ts', 'one');
    utimesSync(main, new Date(), new Date());
    await settle();
    expect(reloads).toEqual([]);
  });

  it('goes on after a version that cannot be loaded', async () => {
    start([plugin('broken', [write('a.ts', 'one')])]);
    write('a.ts', 'two');
    await expect.poll(() => reloads, waits).toEqual(['broken']);
    write('a.ts', 'three');
    await expect.poll(() => reloads, waits).toEqual(['broken', 'broken']);
  });

  it('makes one load of all saves that come while a version is being loaded', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    loading = promise;
    start([plugin('a', [write('a.ts', '0')])]);
    write('a.ts', '1');
    await expect.poll(() => reloads, waits).toEqual(['a']);
    for (const text of ['2', '3', '4']) {
      write('a.ts', text);
      await settle();
    }
    expect(reloads).toEqual(['a']);
    resolve();
    await expect.poll(() => reloads, waits).toEqual(['a', 'a']);
    await settle();
    expect(reloads).toEqual(['a', 'a']);
  });

  it('tries again what was refused for the requests that hold replaced versions, once some have ended', async () => {
    const of = (draining: number): ManagedPlugin => ({ ...plugin('a', [main]), instances: { serving: 1, draining } });
    const main = write('a.ts', '0');
    start([of(4)]);
    const refused = Promise.withResolvers<void>();
    loading = refused.promise;
    write('a.ts', '1');
    await expect.poll(() => reloads, waits).toEqual(['a']);
    refused.reject(new GatewayError('4 are held', { code: 'BF_PLUGIN_DRAINING', statusCode: 503 }));
    await settle();
    expect(reloads).toEqual(['a']);
    loading = Promise.resolve();
    plugins = [of(3)];
    await expect.poll(() => reloads, waits).toEqual(['a', 'a']);
    await settle();
    expect(reloads).toEqual(['a', 'a']);
  });

  it('loads anew what was written while the plugin was being loaded first', async () => {
    const before = write('before.ts', 'one');
    const after = write('after.ts', 'one');
    const changedMs = (file: string): number => statSync(file).ctimeMs;
    start([
      { ...plugin('a', [before]), loadedAt: Math.ceil(changedMs(before)) },
      { ...plugin('b', [after]), loadedAt: Math.floor(changedMs(after)) - 1 },
    ]);
    await expect.poll(() => reloads, waits).toEqual(['b']);
    await settle();
    expect(reloads).toEqual(['b']);
  });

  it('follows plugins that come and go', async () => {
    const first = write('a.ts', 'one');
    start([plugin('a', [first])]);
    plugins = [plugin('b', [write('b.ts', 'one')])];
    for (const listener of listeners) listener();
    write('a.ts', 'two');
    write('b.ts', 'two');
    await expect.poll(() => reloads, waits).toEqual(['b']);
  });

  it('follows what the code of a plugin says that it imports, where nobody tells it', async () => {
    const main = write('main.mjs', "import './part.mjs'; import words from './words.json' with { type: 'json' };");
    write('part.mjs', "import '../above.mjs'");
    write('words.json', '[]');
    const above = join(folder, '..', `${basename(folder)}-above.mjs`);
    write('part.mjs', `import '../${basename(above)}'`);
    writeFileSync(above, '1');
    start([remote('a', main)]);
    write('words.json', '["one"]');
    await expect.poll(() => reloads, waits).toEqual(['a']);
    writeFileSync(above, '2');
    await expect.poll(() => reloads, waits).toEqual(['a', 'a']);
    rmSync(above);
    await expect.poll(() => reloads, waits).toEqual(['a', 'a', 'a']);
  });

  it('sees what a program in another language has beside it', async () => {
    const main = write('plugin.py', 'import words');
    write('words.py', 'one');
    write('words.txt', 'one');
    start([remote('a', main, 'grpc')]);
    write('words.txt', 'two');
    await settle();
    expect(reloads).toEqual([]);
    write('words.py', 'two');
    await expect.poll(() => reloads, waits).toEqual(['a']);
  });

  it('sees the file come that a version failed for, and the file that was not there at the start', async () => {
    const main = write('main.mjs', '');
    start([remote('broken', main), remote('late', join(folder, 'late.mjs'))]);
    write('main.mjs', "import './part.mjs'");
    await expect.poll(() => reloads, waits).toEqual(['broken']);
    write('part.mjs', '');
    await expect.poll(() => reloads, waits).toEqual(['broken', 'broken']);
    write('late.mjs', '');
    await expect.poll(() => reloads, waits).toEqual(['broken', 'broken', 'late']);
  });

  it('sees a file that is gone and back, also with its folder', async () => {
    mkdirSync(join(folder, 'dist'));
    const main = write('dist/main.mjs', 'one');
    start([remote('a', main)]);
    rmSync(main);
    await expect.poll(() => reloads, waits).toEqual(['a']);
    write('dist/main.mjs', 'one');
    await expect.poll(() => reloads, waits).toEqual(['a', 'a']);
    // As builds do that begin with an empty folder.
    rmSync(join(folder, 'dist'), { recursive: true });
    await expect.poll(() => reloads.length, waits).toBe(3);
    mkdirSync(join(folder, 'dist'));
    write('dist/main.mjs', 'two');
    await expect.poll(() => reloads.length, waits).toBe(4);
    write('dist/main.mjs', 'three');
    await expect.poll(() => reloads.length, waits).toBe(5);
  });

  it('sees a link on the way to the file lead elsewhere', async () => {
    for (const version of ['1', '2', '3']) {
      mkdirSync(join(folder, version));
      write(`${version}/main.mjs`, version);
    }
    const link = (to: string, from: string): void => {
      symlinkSync(to, join(folder, 'draft'));
      renameSync(join(folder, 'draft'), join(folder, from));
    };
    // As releases are laid out, and as Kubernetes mounts a ConfigMap.
    link('1', 'current');
    link('1', '..data');
    link('..data/main.mjs', 'mounted.mjs');
    start([remote('a', join(folder, 'current/main.mjs')), remote('b', join(folder, 'mounted.mjs'))]);
    link('2', 'current');
    await expect.poll(() => reloads, waits).toEqual(['a']);
    link('2', '..data');
    await expect.poll(() => reloads, waits).toEqual(['a', 'b']);
    write('2/main.mjs', 'changed');
    await expect.poll(() => reloads.toSorted(), waits).toEqual(['a', 'a', 'b', 'b']);
  });
});
