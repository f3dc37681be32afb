/** Builds the plugin of the contract suite in each of its languages, once, into `tmp/contract`, named by what it was made from. */
import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');
const fixtures = join(import.meta.dirname, 'fixtures');
const moduleFile = join(fixtures, 'contract-plugin.js');

/** The languages that the contract's plugin is written in. */
export const contractLanguages = ['module', 'wasm', 'native-c', 'native-rust', 'node-api'] as const;
export type ContractLanguage = (typeof contractLanguages)[number];

interface Recipe {
  readonly tool: string;
  readonly extension: string;
  command(out: string): readonly string[];
}

const native = join(root, 'sdk/native');
const json = join(root, 'examples/plugins/native-c');
const addon = join(root, 'framework/src/plugins/artefacts/node-addon/__tests__/scripted-addon.c');

/** The module as one expression: what the add-on evaluates to its exports. */
function moduleExpression(): string {
  const source = readFileSync(moduleFile, 'utf8').replace('export default', 'return');
  return `(() => {${source}\n})()`;
}

const recipes: Readonly<Record<Exclude<ContractLanguage, 'module'>, Recipe>> = {
  wasm: {
    tool: '/usr/bin/clang',
    extension: '.wasm',
    command: (out) => [
      ...['--target=wasm32', '-std=c11', '-Wall', '-Wextra', '-O2', '-nostdlib', '-fno-builtin', '-mbulk-memory'],
      ...['-Wl,--no-entry', '-Wl,-z,stack-size=65536', `-I${join(root, 'sdk/wasm')}`],
      ...['-o', out, join(fixtures, 'contract-wasm.c')],
    ],
  },
  'native-c': {
    tool: '/usr/bin/gcc',
    extension: '.so',
    command: (out) => [
      ...['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-O2', '-fPIC', '-fvisibility=hidden', '-shared'],
      ...[`-I${native}`, `-I${json}`, '-o', out, join(fixtures, 'contract-native.c'), join(json, 'json.c')],
    ],
  },
  'native-rust': {
    tool: '/usr/bin/rustc',
    extension: '.so',
    command: (out) => [
      ...['--edition', '2021', '--crate-type', 'cdylib', '--crate-name', 'contract', '-C', 'opt-level=2'],
      ...['-C', 'strip=symbols', '-o', out, join(fixtures, 'native-rust/lib.rs')],
    ],
  },
  'node-api': {
    tool: '/usr/bin/gcc',
    extension: '.node',
    command: (out) => [
      ...['-std=c11', '-O1', '-fPIC', '-shared', `-DEXPORTS=${JSON.stringify(moduleExpression())}`],
      ...[`-I${resolve(process.execPath, '../../include/node')}`, '-o', out, addon],
    ],
  },
};

/** Why the plugin cannot be built in this language on this machine; undefined where it can. */
export function missingContractTool(language: ContractLanguage): string | undefined {
  if (language === 'module' || existsSync(recipes[language].tool)) return undefined;
  return `${language} needs ${recipes[language].tool} (tools/install-toolchains.sh)`;
}

function sourcesOf(language: ContractLanguage): Buffer {
  const hash = createHash('sha256').update(language).update(process.version);
  const files = [...globSync(join(fixtures, '**/*.*')), ...globSync(join(json, 'json.*')), addon, import.meta.filename];
  const headers = [...globSync(join(native, '*.h')), ...globSync(join(root, 'sdk/wasm/*.h'))];
  for (const file of [...files, ...headers].toSorted()) hash.update(readFileSync(file));
  return hash.digest();
}

/** Path of the built plugin. Throws with the compiler's words. */
export function buildContractPlugin(language: ContractLanguage): string {
  if (language === 'module') return moduleFile;
  const { tool, extension, command } = recipes[language];
  const folder = join(root, 'tmp/contract');
  const file = join(folder, `${language}-${sourcesOf(language).toString('hex').slice(0, 20)}${extension}`);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  const partial = join(folder, `${randomUUID()}${extension}`);
  execFileSync(tool, command(partial), { stdio: ['ignore', 'ignore', 'inherit'] });
  renameSync(partial, file);
  return file;
}
