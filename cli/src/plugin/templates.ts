/** What `bifrost plugin new` can write. The files are real ones, below `templates/`. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sdkFolder } from '../sdk-types.ts';

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

const templatesFolder = join(import.meta.dirname, '../../templates');

/** The file with the types of `@bifrost/sdk`. */
export const sdkTypesFile = join(templatesFolder, 'typescript/bifrost-sdk.d.ts');

/** The file that a template writes as `.gitignore`; npm would leave that name out of a package. */
const ignoreFile = '_gitignore';

function fillIn(folder: string, name: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const text = readFileSync(file, 'utf8');
    if (text.includes('__NAME__')) writeFileSync(file, text.replaceAll('__NAME__', name));
  }
}

/** Writes the files of `template` into `folder`, which is new or empty; returns their paths, relative to it. */
export function writeTemplate(template: Template, folder: string, name: string): readonly string[] {
  mkdirSync(folder, { recursive: true });
  cpSync(join(templatesFolder, template.name), folder, { recursive: true });
  for (const [from, to] of Object.entries(template.sdkFiles)) {
    const target = join(folder, to);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(sdkFolder(), from), target);
  }
  fillIn(folder, name);
  if (existsSync(join(folder, ignoreFile))) renameSync(join(folder, ignoreFile), join(folder, '.gitignore'));
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}
