import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assembleExecutable } from '../build/assemble-executable.ts';
import { bundleBoot, bundleProgram } from '../build/bundle-program.ts';
import { readBuildHost } from '../build/build-target.ts';
import { findRuntime } from '../build/runtime-binary.ts';
import { writeBundle } from '../build/write-bundle.ts';

/** A small program of the realms alone, so that what they promise is seen without the gateway around. */
const entries = {
  main: join(import.meta.dirname, '__tests__/realms-main.ts'),
  'echo-entry': join(import.meta.dirname, '__tests__/echo-entry.ts'),
};
const folder = mkdtempSync(join(tmpdir(), 'bifrost-realms-'));
const plugin = join(folder, 'plugin with blank.ts');
const commands: Record<'bundle' | 'executable', readonly string[]> = { bundle: [], executable: [] };

beforeAll(async () => {
  writeFileSync(plugin, `const word: string = await Promise.resolve('from disk'); export default word;`);
  const bundle = await bundleProgram({ kind: 'bundle' }, entries, []);
  writeBundle(join(folder, 'bundle'), bundle);
  const host = readBuildHost();
  const runtime = findRuntime({ ...host, kind: 'dynamic' }, host).file;
  const executable = join(folder, 'executable');
  writeFileSync(executable, assembleExecutable({ runtime, boot: await bundleBoot(), assets: bundle.files }), {
    mode: 0o755,
  });
  commands.bundle = [process.execPath, join(folder, 'bundle/main.js')];
  commands.executable = [executable];
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

interface Report {
  readonly packaging: string;
  readonly codeDirectories: readonly string[];
  readonly thread: unknown;
  readonly child: unknown;
}

describe.each(['bundle', 'executable'] as const)('realms of the %s', (form) => {
  let report: Report;
  beforeAll(() => {
    const [file = '', ...args] = commands[form];
    const output = execFileSync(file, [...args, pathToFileURL(plugin).href, folder], { encoding: 'utf8' });
    report = JSON.parse(output) as Report;
  });

  it('know their form and what must be readable', () => {
    expect(report.packaging).toBe(form);
    expect(report.codeDirectories).toEqual(form === 'bundle' ? [join(folder, 'bundle')] : []);
  });

  it('run an entry in a thread, which loads TypeScript with top-level await from disk', () => {
    expect(report.thread).toEqual({
      where: 'thread',
      data: { n: 1 },
      args: [],
      loaded: 'from disk',
      hasPermissionModel: false,
      canReadElsewhere: true,
      environment: expect.any(Array),
    });
  });

  it('run an entry in a process with empty environment, given flags and messages', () => {
    expect(report.child).toEqual({
      where: 'process',
      data: null,
      args: ['a "b" c'],
      loaded: 'from disk',
      hasPermissionModel: true,
      canReadElsewhere: false,
      environment: [],
    });
  });
});
