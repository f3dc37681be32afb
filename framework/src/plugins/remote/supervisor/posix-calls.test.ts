import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('loads the module for native calls without a warning, and leaves other warnings as they are', () => {
  const url = new URL('./posix-calls.ts', import.meta.url).href;
  const script = `const { loadFfi } = await import(${JSON.stringify(url)});
    console.log(typeof loadFfi()?.dlopen);
    process.emitWarning('another');`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(stdout.trim()).toBe('function');
  expect(stderr).toContain('another');
  expect(stderr).not.toContain('FFI');
});
