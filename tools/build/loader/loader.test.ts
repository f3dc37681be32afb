import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** The compiler that made the files: another release may choose other instructions. */
const compiler = /clang version 14\./;

function explainNoCompiler(): string | undefined {
  try {
    const found = execFileSync('clang', ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? '';
    execFileSync('ld.lld', ['--version'], { stdio: 'ignore' });
    return compiler.test(found) ? undefined : `the files were made with clang 14, and this machine has: ${found}`;
  } catch {
    return 'clang and lld are not installed';
  }
}

it('loader-*.bin is what loader.c compiles to', ({ skip }) => {
  const reason = explainNoCompiler();
  if (reason !== undefined) skip(reason);
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-loader-'));
  try {
    execFileSync(join(import.meta.dirname, 'compile.sh'), [folder]);
    for (const name of ['loader-x86_64.bin', 'loader-aarch64.bin']) {
      const made = readFileSync(join(folder, name)).toString('hex');
      expect(readFileSync(join(import.meta.dirname, name)).toString('hex'), name).toBe(made);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
