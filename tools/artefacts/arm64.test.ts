import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { MissingLibraryError } from '../build/carried-libraries.ts';
import { arm64Executable, testedVersion } from './executables.ts';
import { complete, runGateway } from './run-gateway.ts';

const emulator = '/usr/bin/qemu-aarch64-static';

it('the arm64 executable says what it is, serves and ends under an emulator', async ({ skip }) => {
  if (!existsSync(emulator)) skip(`${emulator} is not installed (qemu-user-static)`);
  let path = '';
  try {
    path = await arm64Executable();
  } catch (error) {
    if (error instanceof MissingLibraryError) skip(error.message);
    throw error;
  }
  const facts: unknown = JSON.parse(execFileSync(emulator, [path, '-version', '-json'], { encoding: 'utf8' }));
  expect(facts).toMatchObject({ version: testedVersion, architecture: 'arm64', build: 'portable' });
  await using gateway = await runGateway([emulator, path], { args: ['-blocked-after-ms', '60000'] });
  const { response, text } = await complete(gateway.url);
  expect(response.status).toBe(200);
  expect(text).toContain('You said: Hello');
}, 180_000);
