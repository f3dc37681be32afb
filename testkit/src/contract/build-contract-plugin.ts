/** Builds the plugin of the contract suite in each of its languages, once, into `tmp/contract`, named by what it was made from. */
import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');
const fixtures = join(import.meta.dirname, 'fixtures');
const moduleFile = join(fixtures, 'contract-plugin.js');

/** The languages that the contract's plugin is written in. */
export const contractLanguages = [
  'module',
  'wasm',
  'native-c',
  'native-rust',
  'node-api',
  'grpc-typescript',
  'grpc-python',
] as const;
/** One of the languages that the plugin of the contract suite is written in. */
export type ContractLanguage = (typeof contractLanguages)[number];
type GrpcLanguage = 'grpc-typescript' | 'grpc-python';
type CompiledLanguage = Exclude<ContractLanguage, 'module' | GrpcLanguage>;

interface Recipe {
  readonly tool: string;
  readonly extension: string;
  readonly command: (out: string) => readonly string[];
}

const native = join(root, 'sdk/native');
const examples = join(root, 'examples/plugins');
const json = join(examples, 'native-c');
const addon = join(root, 'framework/src/plugins/artefacts/node-addon/__tests__/scripted-addon.c');

/** The module as one expression: what the add-on evaluates to its exports. */
function moduleExpression(): string {
  const source = readFileSync(moduleFile, 'utf8').replace('export default', 'return');
  return `(() => {${source}\n})()`;
}

const words = (text: string): readonly string[] => text.split(' ');

const recipes: Readonly<Record<CompiledLanguage, Recipe>> = {
  wasm: {
    tool: '/usr/bin/clang',
    extension: '.wasm',
    command: (out) => [
      ...words('--target=wasm32 -std=c11 -Wall -Wextra -O2 -nostdlib -fno-builtin -mbulk-memory'),
      ...words('-Wl,--no-entry -Wl,-z,stack-size=65536'),
      `-I${join(root, 'sdk/wasm')}`,
      '-o',
      out,
      join(fixtures, 'contract-wasm.c'),
    ],
  },
  'native-c': {
    tool: '/usr/bin/gcc',
    extension: '.so',
    command: (out) => [
      ...words('-std=gnu11 -Wall -Wextra -Werror -O2 -fPIC -fvisibility=hidden -shared'),
      `-I${native}`,
      `-I${json}`,
      '-o',
      out,
      join(fixtures, 'contract-native.c'),
      join(json, 'json.c'),
    ],
  },
  'native-rust': {
    tool: '/usr/bin/rustc',
    extension: '.so',
    command: (out) => [
      ...words('--edition 2021 --crate-type cdylib --crate-name contract -C opt-level=2 -C strip=symbols -o'),
      out,
      join(fixtures, 'native-rust/lib.rs'),
    ],
  },
  'node-api': {
    tool: '/usr/bin/gcc',
    extension: '.node',
    command: (out) => [
      ...words('-std=c11 -O1 -fPIC -shared'),
      `-DEXPORTS=${JSON.stringify(moduleExpression())}`,
      `-I${resolve(process.execPath, '../../include/node')}`,
      '-o',
      out,
      addon,
    ],
  },
};

function isGrpc(language: ContractLanguage): language is GrpcLanguage {
  return language.startsWith('grpc-');
}

/** Why the plugin cannot be built or run in this language on this machine; undefined where it can. */
export function missingContractTool(language: ContractLanguage): string | undefined {
  if (language === 'module' || language === 'grpc-typescript') return undefined;
  const needed = language === 'grpc-python' ? '/usr/lib/python3/dist-packages/grpc' : recipes[language].tool;
  return existsSync(needed) ? undefined : `${language} needs ${needed} (tools/install-toolchains.sh)`;
}

/** What all of them are made from, in a few digits. */
function sourcesOf(language: ContractLanguage): string {
  const hash = createHash('sha256').update(language).update(process.version);
  const own = globSync('**/*.*', { cwd: fixtures }).map((name) => join(fixtures, name));
  const others = ['native-c/json.*', 'native-rust/src/*', 'grpc-*/*'].flatMap((glob) => globSync(join(examples, glob)));
  const headers = [...globSync(join(native, '*.h')), ...globSync(join(root, 'sdk/wasm/*.h'))];
  for (const file of [...own, ...others, ...headers, addon, import.meta.filename].toSorted())
    if (statSync(file).isFile()) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 20);
}

/** A folder with the server of the language's example, the plugin of the suite and a manifest. */
function buildGrpc(language: GrpcLanguage, folder: string): void {
  cpSync(join(examples, language), folder, { recursive: true });
  cpSync(join(fixtures, language), folder, { recursive: true });
  cpSync(moduleFile, join(folder, basename(moduleFile)));
  const main = language === 'grpc-python' ? 'plugin.py' : 'plugin.js';
  const manifest = { name: 'contract', version: '1.0.0', api: '1.1', kind: 'grpc', main };
  writeFileSync(join(folder, 'bifrost-plugin.json'), JSON.stringify(manifest));
}

/** Path of the built plugin. Throws with the compiler's words. */
export function buildContractPlugin(language: ContractLanguage): string {
  if (language === 'module') return moduleFile;
  const extension = isGrpc(language) ? '' : recipes[language].extension;
  const folder = join(root, 'tmp/contract');
  const built = join(folder, `${language}-${sourcesOf(language)}${extension}`);
  if (existsSync(built)) return built;
  mkdirSync(folder, { recursive: true });
  const partial = join(folder, `${randomUUID()}${extension}`);
  if (isGrpc(language)) buildGrpc(language, partial);
  else {
    const { tool, command } = recipes[language];
    execFileSync(tool, command(partial), { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  renameSync(partial, built);
  return built;
}
