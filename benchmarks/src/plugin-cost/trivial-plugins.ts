/** Builds `benchmarks/plugins/trivial` in each language into a folder; the compilers are those of the contract suite. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { missingContractTool } from '@bifrost/testkit/contract';
import type { ContractLanguage } from '@bifrost/testkit/contract';

export type TrivialLanguage = ContractLanguage | 'wasm-assemblyscript' | 'wasm-bifrost-abi' | 'native-go';
export type GrpcLanguage = Extract<TrivialLanguage, `grpc-${string}`>;

const root = resolve(import.meta.dirname, '../../..');
export const sources: string = join(root, 'benchmarks/plugins/trivial');
const moduleFile = join(sources, 'trivial.js');
const addon = join(root, 'framework/src/plugins/artefacts/node-addon/__tests__/scripted-addon.c');

const go = process.env['GO'] ?? '/usr/bin/go';
const rustc = '/usr/bin/rustc';
const assemblyScript = join(root, 'node_modules/assemblyscript/bin/asc.js');

/** Why the plugin cannot be built in this language on this machine; undefined where it can. */
export function missingTool(language: TrivialLanguage): string | undefined {
  switch (language) {
    case 'native-go':
      return existsSync(go) ? undefined : `${language} needs ${go} (tools/install-toolchains.sh)`;
    case 'wasm-assemblyscript':
      return existsSync(assemblyScript) ? undefined : `${language} needs ${assemblyScript} (npm ci)`;
    case 'wasm-bifrost-abi':
      return missingContractTool('wasm');
    default:
      return missingContractTool(language);
  }
}

const words = (text: string): readonly string[] => text.split(' ');

function compile(tool: string, flags: string, rest: readonly string[]): void {
  execFileSync(tool, [...words(flags), ...rest], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** A folder with the server of the language's example, the trivial plugin, the bare server and a manifest. */
function buildGrpc(language: GrpcLanguage, folder: string): string {
  const built = join(folder, language);
  cpSync(join(root, 'examples/plugins', language), built, { recursive: true });
  cpSync(join(sources, language), built, { recursive: true });
  const main = language === 'grpc-python' ? 'plugin.py' : 'plugin.js';
  const manifest = { name: 'trivial', version: '1.0.0', api: '1.1', kind: 'grpc', main };
  writeFileSync(join(built, 'bifrost-plugin.json'), JSON.stringify(manifest));
  return built;
}

function buildWasm(source: string, built: string): string {
  const flags =
    '--target=wasm32 -std=c11 -O2 -nostdlib -fno-builtin -mbulk-memory -Wl,--no-entry -Wl,-z,stack-size=65536';
  compile('/usr/bin/clang', flags, [`-I${join(root, 'sdk/wasm')}`, '-o', built, join(sources, source)]);
  return built;
}

/** With the files of the example beside it, three folders below the root: that is where its header is looked for. */
function buildGo(folder: string): string {
  const module = join(folder, 'native-go');
  mkdirSync(module, { recursive: true });
  for (const file of ['abi.go', 'go.mod'])
    copyFileSync(join(root, 'examples/plugins/native-go', file), join(module, file));
  copyFileSync(join(sources, 'native-go/plugin.go'), join(module, 'plugin.go'));
  const built = join(folder, 'trivial-go.so');
  execFileSync(go, ['build', '-trimpath', '-buildvcs=false', '-buildmode=c-shared', '-o', built, '.'], {
    cwd: module,
    env: { ...process.env, CGO_ENABLED: '1', GOPROXY: 'off', GOFLAGS: '' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return built;
}

/** Path of the built plugin. Throws with the compiler's words. */
export function buildTrivialPlugin(language: TrivialLanguage, folder: string): string {
  switch (language) {
    case 'module': {
      // Of its own: a module is cached by its path, and its bare call must not share what the gateway's has.
      const built = join(folder, 'trivial.mjs');
      copyFileSync(moduleFile, built);
      return built;
    }
    case 'wasm':
      return buildWasm('trivial-wasm.c', join(folder, 'trivial.wasm'));
    case 'wasm-bifrost-abi':
      return buildWasm('trivial-bifrost.c', join(folder, 'trivial-bifrost.wasm'));
    case 'wasm-assemblyscript': {
      const built = join(folder, 'trivial-assemblyscript.wasm');
      const source = join(sources, 'assembly/index.ts');
      compile(process.execPath, assemblyScript, [
        source,
        ...words('-O3 --noAssert --exportStart _initialize -o'),
        built,
      ]);
      return built;
    }
    case 'native-go':
      return buildGo(folder);
    case 'native-rust': {
      const built = join(folder, 'trivial-rust.so');
      const flags = '--edition 2021 --crate-type cdylib --crate-name trivial -C opt-level=2 -C strip=symbols -o';
      compile(rustc, flags, [built, join(sources, 'native-rust/lib.rs')]);
      return built;
    }
    case 'native-c': {
      const built = join(folder, 'trivial.so');
      const flags = '-std=gnu11 -O2 -fPIC -fvisibility=hidden -shared';
      compile('/usr/bin/gcc', flags, [`-I${join(root, 'sdk/native')}`, '-o', built, join(sources, 'trivial-native.c')]);
      return built;
    }
    case 'node-api': {
      const built = join(folder, 'trivial.node');
      const source = `(() => {${readFileSync(moduleFile, 'utf8').replace('export default', 'return')}\n})()`;
      const include = `-I${resolve(process.execPath, '../../include/node')}`;
      compile('/usr/bin/gcc', '-std=c11 -O1 -fPIC -shared', [
        `-DEXPORTS=${JSON.stringify(source)}`,
        include,
        '-o',
        built,
        addon,
      ]);
      return built;
    }
    case 'grpc-typescript':
    case 'grpc-python':
      return buildGrpc(language, folder);
  }
}
