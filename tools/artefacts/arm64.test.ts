import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MissingLibraryError } from '../build/carried-libraries.ts';
import { repository } from '../build/repository.ts';
import { arm64Executable, dynamicArm64Executable, testedVersion } from './executables.ts';
import { complete, runGateway } from './run-gateway.ts';

const emulator = '/usr/bin/qemu-aarch64-static';
const libraries = '/usr/aarch64-linux-gnu';
const compiler = '/usr/bin/aarch64-linux-gnu-gcc';
// An emulated thread is slow, not blocked.
const patient = ['-blocked-after-ms', '60000'];

describe.skipIf(!existsSync(emulator))(`executables for arm64 under ${emulator} (qemu-user-static)`, () => {
  it('the portable one says what it is, serves and ends', { timeout: 180_000 }, async ({ skip }) => {
    let path = '';
    try {
      path = await arm64Executable();
    } catch (error) {
      if (error instanceof MissingLibraryError) skip(error.message);
      throw error;
    }
    const facts: unknown = JSON.parse(execFileSync(emulator, [path, '-version', '-json'], { encoding: 'utf8' }));
    expect(facts).toMatchObject({ version: testedVersion, architecture: 'arm64', build: 'portable' });
    await using gateway = await runGateway([emulator, path], { args: patient });
    const { response, text } = await complete(gateway.url);
    expect(response.status).toBe(200);
    expect(text).toContain('You said: Hello');
  });

  const isComplete = existsSync(compiler) && existsSync(join(libraries, 'lib/libatomic.so.1'));
  it.skipIf(!isComplete)('the dynamic one loads a native plugin in C', { timeout: 180_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bifrost-arm64-'));
    try {
      const plugin = join(folder, 'plugin.so');
      execFileSync('make', [
        '-s',
        '-C',
        join(repository, 'examples/plugins/native-c'),
        `CC=${compiler}`,
        `OUT=${plugin}`,
      ]);
      const config = join(folder, 'config.json');
      const entry = { name: 'native-c', path: plugin, enabled: true, config: { stamp: 'on arm64' } };
      writeFileSync(config, JSON.stringify({ plugins: [entry] }));
      const command = [emulator, '-L', libraries, await dynamicArm64Executable()];
      const [file = '', ...first] = command;
      const facts: unknown = JSON.parse(execFileSync(file, [...first, '-version', '-json'], { encoding: 'utf8' }));
      expect(facts).toMatchObject({ architecture: 'arm64', build: 'dynamic', nativePlugins: true });
      await using gateway = await runGateway(command, { args: ['-config', config, '-app-dir', folder, ...patient] });
      await gateway.until(/plugin status: native-c - active/);
      expect((await complete(gateway.url)).response.headers.get('x-native-c')).toBe('on arm64');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
