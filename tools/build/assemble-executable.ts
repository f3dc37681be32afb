import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { isElf } from './elf/elf-file.ts';
import { forgetSections, stripExecutable } from './elf/strip-executable.ts';
import { repository } from './repository.ts';

/** Read by readAsset (framework/src/realms/asset.ts). */
const smallest = { params: { [constants.ZSTD_c_compressionLevel]: 19 } };

export interface AssembleOptions {
  /** Node for the target. */
  readonly runtime: string;
  /** The first script, as CommonJS. */
  readonly boot: string;
  /** Carried files by name. */
  readonly assets: ReadonlyMap<string, string>;
}

/**
 * Joins the runtime and the program to one executable; returns its bytes. No code cache and only relative paths: either would make
 * the bytes differ from build to build.
 */
export function assembleExecutable({ runtime, boot, assets }: AssembleOptions): Buffer {
  mkdirSync(join(repository, 'tmp'), { recursive: true });
  const folder = mkdtempSync(join(repository, 'tmp/assemble-'));
  try {
    writeFileSync(join(folder, 'main.cjs'), boot);
    const names = [...assets.keys(), 'boot.cjs'];
    for (const [index, text] of [...assets.values(), boot].entries()) {
      writeFileSync(join(folder, `asset-${index}`), zstdCompressSync(text, smallest));
    }
    const bytes = readFileSync(runtime);
    writeFileSync(join(folder, 'runtime'), isElf(bytes) ? stripExecutable(bytes) : bytes);
    chmodSync(join(folder, 'runtime'), 0o755);
    const config = {
      main: 'main.cjs',
      mainFormat: 'commonjs',
      executable: 'runtime',
      output: 'executable',
      disableExperimentalSEAWarning: true,
      useSnapshot: false,
      useCodeCache: false,
      // Experimental modules are used on purpose; Node's warnings would be noise in every log.
      execArgv: ['--disable-warning=ExperimentalWarning'],
      // Children get their flags by --node-options=; NODE_OPTIONS of the user's shell is not ours to obey.
      execArgvExtension: 'cli',
      assets: Object.fromEntries(names.map((name, index) => [name, `asset-${index}`])),
    };
    writeFileSync(join(folder, 'sea.json'), JSON.stringify(config));
    execFileSync(process.execPath, ['--build-sea=sea.json'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    // What joined them has written new headers of sections, and not all of those: tools complain of the rest.
    const executable = readFileSync(join(folder, 'executable'));
    return isElf(executable) ? forgetSections(executable) : executable;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
