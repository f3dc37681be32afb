import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ManagedPlugin } from './managed-plugin.ts';
import { PluginWatch } from './plugin-watch.ts';

let folder = '';
let watch: PluginWatch | undefined;
const reloads: string[] = [];
let listeners: (() => void)[] = [];
let plugins: readonly ManagedPlugin[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'watch-'));
  reloads.length = 0;
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
  return { name, file, files, entry: { name, enabled: true, watch: isWatched } } as unknown as ManagedPlugin;
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
      list: () => plugins,
      reload: (name) => {
        reloads.push(name);
        return name === 'broken' ? Promise.reject(new Error('no')) : Promise.resolve();
      },
      onChange: (listener) => {
        listeners.push(listener);
        return () => undefined;
      },
    },
    { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  );
}

/** Long enough for a change to have been seen and settled. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 400));

describe('PluginWatch', () => {
  it('loads a plugin anew when its file or one that it imports has changed, and only that one', async () => {
    const main = write('a.ts', 'one');
    const shared = write('shared.ts', 'one');
    start([plugin('a', [main, shared]), plugin('b', [write('b.ts', 'one')]), plugin('c', [write('c.ts', '')], false)]);
    write('a.ts', 'two');
    await expect.poll(() => reloads).toEqual(['a']);
    write('shared.ts', 'two');
    await expect.poll(() => reloads).toEqual(['a', 'a']);
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
    await expect.poll(() => reloads).toEqual(['a']);
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
    await expect.poll(() => reloads).toEqual(['broken']);
    write('a.ts', 'three');
    await expect.poll(() => reloads).toEqual(['broken', 'broken']);
  });

  it('follows plugins that come and go', async () => {
    const first = write('a.ts', 'one');
    start([plugin('a', [first])]);
    plugins = [plugin('b', [write('b.ts', 'one')])];
    for (const listener of listeners) listener();
    write('a.ts', 'two');
    write('b.ts', 'two');
    await expect.poll(() => reloads).toEqual(['b']);
  });
});
