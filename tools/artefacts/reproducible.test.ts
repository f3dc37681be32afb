import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MissingLibraryError } from '../build/carried-libraries.ts';
import { repository } from '../build/repository.ts';
import { documentedCommands } from './__tests__/checkout.ts';
import { arm64Executable, dynamicExecutable, portableExecutable, testedVersion } from './executables.ts';

/** A second copy of the sources with its own installed packages, as a second clone has them. */
function cloneSources(folder: string): void {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: repository,
    encoding: 'utf8',
  });
  const names = listed.split('\0').filter((name) => name !== '' && !name.startsWith('testkit/recordings'));
  for (const name of names) {
    const from = join(repository, name);
    if (statSync(from, { throwIfNoEntry: false })?.isFile() !== true) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    copyFileSync(from, join(folder, name));
  }
  // Hard links: the packages are large, and nobody writes to them. The mark tells make that they are installed.
  execFileSync('cp', ['-al', join(repository, 'node_modules'), join(folder, 'node_modules')]);
  rmSync(join(folder, 'node_modules/.install'), { force: true });
  writeFileSync(join(folder, 'node_modules/.install'), '');
  if (existsSync(join(repository, 'tmp/runtimes'))) {
    mkdirSync(join(folder, 'tmp'));
    execFileSync('cp', ['-al', join(repository, 'tmp/runtimes'), join(folder, 'tmp/runtimes')]);
  }
}

let clone = '';
beforeAll(() => {
  mkdirSync(join(repository, 'tmp'), { recursive: true });
  clone = mkdtempSync(join(repository, 'tmp/clone-'));
  cloneSources(clone);
});
afterAll(() => rmSync(clone, { recursive: true, force: true }));

/** Types a command of the documentation in the clone; returns what it printed. */
function type(command: string, environment: Readonly<Record<string, string>> = {}): string {
  // The commit and time that the shared artefacts are stamped with.
  const facts = { COMMIT: '0123456789ab', SOURCE_DATE_EPOCH: String(Date.parse('2026-01-02T03:04:05Z') / 1000) };
  const { stdout, stderr } = spawnSync('/bin/bash', ['-c', command], {
    cwd: clone,
    encoding: 'utf8',
    env: { ...process.env, VERSION: testedVersion, ...facts, ...environment },
  });
  return stdout + stderr;
}

const sums = (folder: string): string => readFileSync(join(folder, 'SHA256SUMS'), 'utf8');

describe('builds of the same sources in another folder at another time', { timeout: 180_000 }, () => {
  it.for([
    ['make build', portableExecutable],
    ['make build DYNAMIC=1 VERSION=1.3.30', dynamicExecutable],
    ['make build TARGET=linux-arm64', arm64Executable],
  ] as const)('%s has the same bytes', async ([command, build], { skip }) => {
    expect(documentedCommands()).toContain(command);
    const first = await build().catch((error: unknown) => {
      if (error instanceof MissingLibraryError) skip(error.message);
      throw error;
    });
    expect(type(command)).toMatch(/tmp\/bifrost-http: bifrost-http 1\.3\.30, linux-\S+, .* MB, in /);
    expect(sums(join(clone, 'tmp'))).toBe(sums(dirname(first)));
  });

  it.each([
    [
      'make build DYNAMIC=1 GOOS=linux GOARCH=amd64',
      'tmp/bifrost-http',
      /ELF 64-bit LSB executable, x86-64.*dynamically/,
    ],
    [
      'make build DYNAMIC=1 GOOS=linux GOARCH=arm64',
      'tmp/bifrost-http',
      /ELF 64-bit LSB executable, ARM aarch64.*dynamically/,
    ],
    ['make build TARGET=win-x64', 'tmp/bifrost-http.exe', /PE32\+ executable.*x86-64/],
  ])('%s makes what it says', (command, output, kind) => {
    expect(documentedCommands()).toContain(command);
    expect(type(command)).toContain(`${output}: bifrost-http ${testedVersion}`);
    expect(type(`file ${output}`)).toMatch(kind);
  });

  it('make package makes the archives', () => {
    expect(documentedCommands()).toContain('make package');
    expect(type('make package').match(/^tmp\/packages\/bifrost-(?:sdk|core|http)-\S+\.tgz$/gm)).toHaveLength(3);
  });

  it('for musl there is one line that says why it needs Docker', () => {
    // Nothing but Node: where there is Docker, it would build.
    const path = join(repository, 'node_modules/.bin');
    const said = type('node tools/build/main.ts', { LIBC: 'musl', DYNAMIC: '1', PATH: path });
    const page = readFileSync(join(repository, 'docs/deployment/troubleshooting.md'), 'utf8');
    const reason = 'there is no Node for musl on the npm registry';
    expect(said).toContain(
      `building in Docker, as ${reason}: docker build --platform linux/amd64 -f transports/Dockerfile`,
    );
    expect(said).toContain(`build: ${reason}, and Docker cannot be run here`);
    expect(page).toContain(`${reason}, and Docker cannot be run here`);
  });
});
