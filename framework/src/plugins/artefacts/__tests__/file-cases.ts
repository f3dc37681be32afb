/* oxlint-disable max-lines-per-function -- a table of cases */
/** Plugins whose file is not there, not whole, or not what its name says. */
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { all, unprivileged } from './failure-bench.ts';
import type { Case, FailureBench } from './failure-bench.ts';
import { writeTgz } from './tar.ts';

export function fileCases(bench: FailureBench): Readonly<Record<string, Case>> {
  const { folder, messageFor, path, pluginIn, run, write } = bench;
  const shared = ['-shared', '-fPIC', '-o'];
  return {
    'No file at the path': {
      produce: () => {
        write('plugin.mjs', '');
        return all(messageFor({ path: './plugn.mjs' }), messageFor({ path: './gone/away.so' }));
      },
    },
    'No npm package': {
      produce: () => all(messageFor({ path: 'some-plugin' }), messageFor({ path: '@acme/some-plugin' })),
    },
    'A folder without a plugin': {
      produce: () => {
        mkdirSync(path('empty'));
        return all(messageFor({ path: './empty' }));
      },
    },
    'An entry file that is not there': {
      produce: () => all(messageFor({ path: pluginIn('unbuilt', { main: 'dist/p.mjs' }) })),
    },
    'A file that may not be read': {
      produce: async () => {
        chmodSync(folder, 0o755);
        chmodSync(write('closed.mjs', 'export {};'), 0o000);
        return [await unprivileged(() => messageFor({ path: './closed.mjs' }))];
      },
    },
    'A file that is cut off': {
      tools: ['gcc'],
      produce: () => {
        run('gcc', ...shared, 'whole.so', 'p.c');
        write('cut.so', readFileSync(path('whole.so')).subarray(0, 3000));
        return all(messageFor({ path: './cut.so' }));
      },
    },
    'A damaged file': {
      tools: ['gcc'],
      produce: () => {
        run('gcc', ...shared, 'sound.so', 'p.c');
        const bytes = readFileSync(path('sound.so'));
        // The size of one program header.
        bytes.writeUInt16LE(1, 54);
        write('damaged.so', bytes);
        return all(messageFor({ path: './damaged.so' }));
      },
    },
    "Something else under the plugin's name": {
      tools: ['gcc', 'ar'],
      produce: () => {
        write('page.so', '<!doctype html><html><body>Sign in</body></html>');
        write('pointer.wasm', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n');
        write('script.so', '/* GNU ld script */\nGROUP ( /lib/libc.so.6 )\n');
        write('text.so', 'hello\n');
        write('empty.so', '');
        write('packed.so', writeTgz([{ path: 'a' }]));
        write('page.js', '<!doctype html><html></html>');
        run('gcc', '-c', '-o', 'p.o', 'bare.c');
        run('ar', 'rcs', 'static.so', 'p.o');
        const names = [
          'page.so',
          'pointer.wasm',
          'script.so',
          'text.so',
          'empty.so',
          'packed.so',
          'page.js',
          'static.so',
        ];
        return all(...names.map((name) => messageFor({ path: `./${name}` })));
      },
    },
    'A program or an object file': {
      tools: ['gcc'],
      produce: () => {
        write('main.c', 'int main(void) { return 0; }');
        run('gcc', '-o', 'program.so', 'main.c');
        run('gcc', '-no-pie', '-o', 'fixed.so', 'main.c');
        run('gcc', '-c', '-fPIC', '-o', 'object.so', 'p.c');
        return all(...['program.so', 'fixed.so', 'object.so'].map((name) => messageFor({ path: `./${name}` })));
      },
    },
    "An extension that is none of a plugin's": {
      produce: () => {
        write('p.cjs', 'module.exports = {};');
        write('p.txt', 'hello');
        return all(messageFor({ path: './p.cjs' }), messageFor({ path: './p.txt' }));
      },
    },
  };
}
