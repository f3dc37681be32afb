/** Compilers of the machine, for tests that need real files of other systems. `tools/toolchains.txt` has their packages. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Which of `tools` the machine does not have. */
export function missingTools(...tools: readonly string[]): readonly string[] {
  return tools.filter((tool) => spawnSync('/bin/sh', ['-c', `command -v ${tool}`]).status !== 0);
}

export interface Workshop extends Disposable {
  readonly folder: string;
  readonly path: (name: string) => string;
  readonly write: (name: string, content: string | Uint8Array) => string;
  /** Runs a tool in the folder. Throws with what it printed. */
  readonly run: (tool: string, ...args: readonly string[]) => void;
}

/** A folder to build in, removed by `[Symbol.dispose]`. */
export function openWorkshop(): Workshop {
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-artefacts-'));
  const path = (name: string): string => join(folder, name);
  return {
    folder,
    path,
    write(name, content) {
      writeFileSync(path(name), content);
      return path(name);
    },
    run(tool, ...args) {
      // Go keeps its caches in the home folder, which tests need not have.
      const settings = [`GOCACHE=${path('.cache')}`, 'GOFLAGS=-mod=mod', 'GOTOOLCHAIN=local', 'GO111MODULE=on'];
      execFileSync('env', [...settings, tool, ...args], { cwd: folder, stdio: 'pipe' });
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A native plugin as far as its exports go. */
export const nativeSource = ['abi', 'describe', 'create', 'call', 'free_output', 'destroy']
  .map((name) => `__attribute__((visibility("default"))) int bifrost_plugin_${name}(void) { return 0; }`)
  .join('\n');
