import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from '../build/repository.ts';
import { portableExecutable, testedVersion } from './executables.ts';

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
  // Hard links: the packages are large, and nobody writes to them.
  execFileSync('cp', ['-al', join(repository, 'node_modules'), join(folder, 'node_modules')]);
}

it('two builds of the same sources in different folders at different times have the same bytes', async () => {
  const first = await portableExecutable();
  mkdirSync(join(repository, 'tmp'), { recursive: true });
  const clone = mkdtempSync(join(repository, 'tmp/clone-'));
  try {
    cloneSources(clone);
    // The commit and time that the shared artefact is stamped with.
    const facts = { COMMIT: '0123456789ab', SOURCE_DATE_EPOCH: String(Date.parse('2026-01-02T03:04:05Z') / 1000) };
    const environment = { ...process.env, ...facts, VERSION: testedVersion };
    execFileSync(process.execPath, ['tools/build/main.ts'], { cwd: clone, env: environment });
    expect(readFileSync(join(clone, 'tmp/SHA256SUMS'), 'utf8')).toBe(
      readFileSync(join(dirname(first), 'SHA256SUMS'), 'utf8'),
    );
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
}, 180_000);
