/** The example plugins' modules: as they were committed, and built from their sources where the compiler is there. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const examples = resolve(import.meta.dirname, '../../../../../../examples/plugins');

/** Debian's; the one in PATH may lack the target. */
export const debianRustc = '/usr/bin/rustc';
const rustTarget = '/usr/lib/rustlib/wasm32-unknown-unknown';

const needs = {
  'wasm-c': ['clang', 'lld'],
  'wasm-c-wasi': ['clang', 'lld', 'wasi-libc', 'libclang-rt-dev-wasm32'],
  'wasm-rust': ['rustc', 'libstd-rust-dev-wasm32'],
  'wasm-assemblyscript': [],
  'wasm-bifrost-abi': ['clang', 'lld', 'rustc', 'libstd-rust-dev-wasm32'],
} as const;

export type ExampleName = keyof typeof needs;

const present: Readonly<Record<string, () => boolean>> = {
  clang: () => existsSync('/usr/bin/clang'),
  lld: () => existsSync('/usr/bin/wasm-ld') || existsSync('/usr/bin/wasm-ld-14'),
  'wasi-libc': () => existsSync('/usr/lib/wasm32-wasi/libc.a'),
  'libclang-rt-dev-wasm32': () => existsSync('/usr/lib/llvm-14/lib/clang/14.0.6/lib/wasi'),
  rustc: () => existsSync(debianRustc),
  'libstd-rust-dev-wasm32': () => existsSync(rustTarget),
};

/** Debian packages that the example's build needs and this machine has not. */
export function missingTools(example: ExampleName): string[] {
  return needs[example].filter((tool) => present[tool]?.() !== true);
}

export function committed(example: ExampleName, file = 'plugin.wasm'): string {
  return join(examples, example, file);
}

/** Builds the example into a new folder and returns the path of `file` there. */
export function build(example: ExampleName, file = 'plugin.wasm'): string {
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-wasm-'));
  execFileSync(join(examples, example, 'build.sh'), [example === 'wasm-bifrost-abi' ? folder : join(folder, file)], {
    // oxlint-disable-next-line node/no-process-env -- the compilers need PATH
    env: { ...process.env, RUSTC: debianRustc },
    stdio: 'pipe',
  });
  return join(folder, file);
}

export interface Variant {
  readonly what: string;
  readonly missing: readonly string[];
  readonly file: (name?: string) => string;
}

/** Each example twice: a test over these says which of both it ran on. */
export function variants(example: ExampleName): Variant[] {
  const missing = missingTools(example);
  let folder: string | undefined;
  return [
    { what: 'as committed', missing: [], file: (name) => committed(example, name) },
    {
      what: missing.length === 0 ? 'built from source' : `built from source (skipped: no ${missing.join(', ')} here)`,
      missing,
      file(name = 'plugin.wasm') {
        folder ??= resolve(build(example, name), '..');
        return join(folder, name);
      },
    },
  ];
}
