import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isElf } from './elf/elf-file.ts';
import { stripExecutable } from './elf/strip-executable.ts';
import { repository } from './repository.ts';

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
    for (const [name, text] of [...assets, ['boot.cjs', boot] as const]) writeFileSync(join(folder, name), text);
    const bytes = readFileSync(runtime);
    writeFileSync(join(folder, 'runtime'), isElf(bytes) ? stripExecutable(bytes) : bytes);
    chmodSync(join(folder, 'runtime'), 0o755);
    const names = [...assets.keys(), 'boot.cjs'];
    const config = {
      main: 'boot.cjs',
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
      assets: Object.fromEntries(names.map((name) => [name, name])),
    };
    writeFileSync(join(folder, 'sea.json'), JSON.stringify(config));
    execFileSync(process.execPath, ['--build-sea=sea.json'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    return readFileSync(join(folder, 'executable'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
