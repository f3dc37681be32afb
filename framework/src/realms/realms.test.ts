import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isNativeCodeAllowed, readBuildStamp } from './build-stamp.ts';
import { codeDirectories } from './code-directories.ts';
import { packagingOf } from './packaging.ts';
import { realmEntry } from './realm-entry.ts';
import { quoteNodeFlag, startChild, withoutNullDevice } from './start-child.ts';
import { startThread } from './start-thread.ts';

const echo = realmEntry('echo-entry', new URL('./__tests__/echo-entry.ts', import.meta.url));
const ipc = { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] } as const;

describe('entries from source', () => {
  it('run in a thread with what the caller gave', async () => {
    const worker = startThread(echo, { workerData: { n: 1 } });
    const [facts] = (await once(worker, 'message')) as [unknown];
    expect(facts).toMatchObject({ data: { n: 1 }, canRead: 'no permission model' });
    await worker.terminate();
  });

  it('run in a thread whatever flags the program itself was started with', async () => {
    const execArgv = ['--max-semi-space-size=16', '--no-warnings', '--expose-gc'];
    const worker = startThread(echo, { workerData: { n: 2 }, execArgv });
    const [facts] = (await once(worker, 'message')) as [unknown];
    expect(facts).toMatchObject({ data: { n: 2 } });
    await worker.terminate();
    expect(() => startThread(echo, { execArgv: 7 as never })).toThrow(/execArgv/);
  });

  it('run in a child process with an empty environment, arguments and no right that was not given', async () => {
    const nodeFlags = ['--permission', ...codeDirectories().map((path) => `--allow-fs-read=${path}/`)];
    const child = startChild(echo, { ...ipc, stdio: [...ipc.stdio], nodeFlags, args: ['a b', '--c'] });
    const [facts] = (await once(child, 'message')) as [{ readonly environment: object }];
    expect(facts).toMatchObject({ args: ['a b', '--c'], canRead: false });
    expect(Object.keys(facts.environment).filter((name) => !name.startsWith('NODE_CHANNEL'))).toEqual([]);
    await once(child, 'exit');
  });

  it('need the packages to be readable, and nothing of the repository around them', () => {
    for (const directory of codeDirectories()) {
      expect(existsSync(directory)).toBe(true);
      expect(existsSync(join(directory, 'package-lock.json'))).toBe(false);
    }
  });
});

describe('packaging', () => {
  it.each([
    ['file:///a/b.ts', 'source'],
    ['file:///a/b.js', 'bundle'],
    ['bifrost:///b.js', 'executable'],
  ])('of %s is %s', (url, expected) => expect(packagingOf(url)).toBe(expected));
});

describe('a flag in NODE_OPTIONS', () => {
  it.each([
    ['--permission', '--permission'],
    ['--allow-fs-read=/a b/', '"--allow-fs-read=/a b/"'],
    [String.raw`--x=a"b\c`, String.raw`"--x=a\"b\\c"`],
  ])('%s is written %s', (flag, expected) => expect(quoteNodeFlag(flag)).toBe(expected));
});

describe('native code', () => {
  it('is allowed from source, where there is no stamp', () => {
    expect(readBuildStamp()).toBeUndefined();
    expect(isNativeCodeAllowed()).toBe(true);
  });

  it.each([
    ['portable', false],
    ['dynamic', true],
    ['bundle', true],
  ] as const)('in a %s build: %s', (kind, expected) => expect(isNativeCodeAllowed({ kind })).toBe(expected));
});

describe('where there is no /dev/null', () => {
  it.each([
    ['ignore', 'pipe'],
    ['inherit', 'inherit'],
    [
      ['ignore', 'inherit', 7, 'ipc'],
      ['pipe', 'inherit', 7, 'ipc'],
    ],
  ] as const)('%j becomes %j', (asked, expected) => {
    expect(withoutNullDevice(typeof asked === 'string' ? asked : [...asked], false)).toEqual(expected);
    expect(withoutNullDevice('ignore', true)).toBe('ignore');
  });
});
