/** What `bifrost plugin new` can write. The files are real ones, below `templates/`; the program carries them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { carriedFiles, readCarriedFile } from '@bifrost/framework/realms';

export interface Template {
  readonly name: string;
  readonly summary: string;
  /** What has to be on the machine to build or run it; absent: nothing. */
  readonly needs?: string;
  /** There is nothing to build. */
  readonly isRunAsItIs?: boolean;
  /** Files of the sdk that the plugin carries: path in the sdk -> path in the plugin. */
  readonly sdkFiles: Readonly<Record<string, string>>;
}

export const templates: readonly Template[] = [
  { name: 'typescript', summary: 'TypeScript that runs as it is; the quickest way', sdkFiles: {} },
  {
    name: 'assemblyscript',
    summary: 'AssemblyScript, compiled to WebAssembly',
    needs: 'npm install (AssemblyScript)',
    sdkFiles: { 'wasm/assembly/bifrost-plugin.ts': 'assembly/bifrost-plugin.ts' },
  },
  {
    name: 'rust',
    summary: 'Rust, compiled to WebAssembly',
    needs: 'rustc with the target wasm32-unknown-unknown (Debian: rustc, libstd-rust-dev-wasm32)',
    sdkFiles: { 'wasm/rust/bifrost_plugin.rs': 'src/bifrost_plugin.rs' },
  },
  {
    name: 'c',
    summary: 'C, compiled to WebAssembly',
    needs: 'clang and lld',
    sdkFiles: { 'wasm/bifrost_plugin_wasm.h': 'bifrost_plugin_wasm.h' },
  },
  {
    name: 'go',
    summary: 'Go as a shared library; needs a gateway that loads native code',
    needs: 'go and a C compiler',
    sdkFiles: { 'native/bifrost_plugin.h': 'bifrost_plugin.h' },
  },
  {
    name: 'grpc',
    summary: 'a program of its own, called by gRPC; this one in Python, any language will do',
    needs: 'python3 with grpcio and protobuf (Debian: python3-grpcio, python3-protobuf)',
    isRunAsItIs: true,
    sdkFiles: { 'grpc/bifrost_plugin.proto': 'bifrost_plugin.proto' },
  },
];

/** The file with the types of `@bifrost/sdk`, as the program carries it. */
export const sdkTypesFile = 'cli/templates/typescript/bifrost-sdk.d.ts';

/** The file that a template writes as `.gitignore`; npm would leave that name out of a package. */
const ignoreFile = '_gitignore';

function writeFile(file: string, bytes: Buffer, name: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const text = bytes.toString().replaceAll('__NAME__', name);
  // What names its own interpreter is a program.
  writeFileSync(file, text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
}

/** Writes the files of `template` into `folder`, which is new or empty; returns their paths, relative to it. */
export function writeTemplate(template: Template, folder: string, name: string): readonly string[] {
  const root = `cli/templates/${template.name}`;
  const own = carriedFiles(root).map((path): readonly [string, string] => [path, path.slice(root.length + 1)]);
  const ofSdk = Object.entries(template.sdkFiles).map(([from, to]): readonly [string, string] => [`sdk/${from}`, to]);
  const files = [...own, ...ofSdk].map(([from, to]) => [from, to === ignoreFile ? '.gitignore' : to] as const);
  for (const [from, to] of files) writeFile(join(folder, to), readCarriedFile(from), name);
  return files.map(([, to]) => to).toSorted();
}
