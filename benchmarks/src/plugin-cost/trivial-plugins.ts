/** Builds `benchmarks/plugins/trivial` in each language into a folder; the compilers are those of the contract suite. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ContractLanguage } from '@bifrost/testkit/contract';

export type TrivialLanguage = Exclude<ContractLanguage, 'native-rust'>;
export type GrpcLanguage = Extract<TrivialLanguage, `grpc-${string}`>;

const root = resolve(import.meta.dirname, '../../..');
export const sources: string = join(root, 'benchmarks/plugins/trivial');
const moduleFile = join(sources, 'trivial.js');
const addon = join(root, 'framework/src/plugins/artefacts/node-addon/__tests__/scripted-addon.c');

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

/** Path of the built plugin. Throws with the compiler's words. */
export function buildTrivialPlugin(language: TrivialLanguage, folder: string): string {
  switch (language) {
    case 'module': {
      // Of its own: a module is cached by its path, and its bare call must not share what the gateway's has.
      const built = join(folder, 'trivial.mjs');
      copyFileSync(moduleFile, built);
      return built;
    }
    case 'wasm': {
      const built = join(folder, 'trivial.wasm');
      const flags =
        '--target=wasm32 -std=c11 -O2 -nostdlib -fno-builtin -mbulk-memory -Wl,--no-entry -Wl,-z,stack-size=65536';
      compile('/usr/bin/clang', flags, [`-I${join(root, 'sdk/wasm')}`, '-o', built, join(sources, 'trivial-wasm.c')]);
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
