import { join } from 'node:path';
import { buildExecutable } from '../build/build-executable.ts';
import { parseBuildTarget, readBuildHost } from '../build/build-target.ts';
import { artefact } from './artefact-store.ts';

/** The version and commit that artefacts of tests are stamped with. */
export const testedVersion = '1.3.30';
const source = { commit: '0123456789ab', buildTime: '2026-01-02T03:04:05Z' };

async function executable(name: string, variables: Readonly<Record<string, string>>): Promise<string> {
  const folder = await artefact(name, async (directory) => {
    const host = readBuildHost();
    const output = join(directory, 'bifrost-http');
    const target = parseBuildTarget(variables, host);
    await buildExecutable({ target, host, version: testedVersion, source, output });
  });
  return join(folder, 'bifrost-http');
}

/** Path of the portable executable of the present sources. */
export const portableExecutable = (): Promise<string> => executable('portable', {});

/** Path of the dynamically linked executable of the present sources. */
export const dynamicExecutable = (): Promise<string> => executable('dynamic', { DYNAMIC: '1' });

/** Path of the portable executable for arm64. */
export const arm64Executable = (): Promise<string> => executable('portable-arm64', { GOARCH: 'arm64' });

/** Path of the dynamically linked executable for arm64. */
export const dynamicArm64Executable = (): Promise<string> =>
  executable('dynamic-arm64', { DYNAMIC: '1', GOARCH: 'arm64' });
