import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logTo } from '../__tests__/open-guest.ts';
import { hostFunctions } from '../host-functions.ts';
import { HostScope } from '../host-scope.ts';
import { hookOperations, operations } from './operations.ts';

const root = resolve(import.meta.dirname, '../../../../../..');
const read = (path: string): string => readFileSync(resolve(root, path), 'utf8');
const page = read('docs/plugins/wasm-abi.md');
const all = Object.entries({ ...operations, ...hookOperations });

/** `preLLMHook` as the C header has it: `PRE_LLM_HOOK`. */
function constantOf(name: string): string {
  return name.replaceAll(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '_').toUpperCase();
}

describe('the ABI is the same in the code, on its page and in the SDKs', () => {
  it.each(all)('operation %s is %d', (name, number) => {
    expect(page).toMatch(new RegExp(`^\\| ${number} +\\| \`?${name}\`? +\\|`, 'm'));
    expect(read('sdk/wasm/bifrost_plugin_wasm.h')).toMatch(new RegExp(`BF_${constantOf(name)} = ${number}\\b`));
    expect(read('sdk/wasm/assembly/bifrost-plugin.ts')).toContain(`export const ${name}: i32 = ${number};`);
    const rust = constantOf(name).replaceAll('_', '').toLowerCase();
    expect(read('sdk/wasm/rust/bifrost_plugin.rs').toLowerCase()).toContain(` ${number} => ${rust},`);
  });

  it.each(Object.entries(hostFunctions(new HostScope(logTo([])))))('import %s is described', (name, { signature }) => {
    expect(page).toMatch(new RegExp(`^\\| \`${name}\` +\\|`, 'm'));
    const parameters = signature.replace('nothing', '()').match(/[if]\d\d/g)?.length ?? 0;
    const line = page.split('\n').find((text) => text.startsWith(`| \`${name}\``)) ?? '';
    const cell = line.split('|')[2]?.trim() ?? '';
    const referred = /^as `(\w+)`$/.exec(cell)?.[1];
    const described =
      referred === undefined ? cell : (page.split('\n').find((text) => text.startsWith(`| \`${referred}\``)) ?? '');
    expect(described.match(/\b[if](?:32|64)\b/g)?.length ?? 0).toBe(parameters);
    for (const sdk of ['bifrost_plugin_wasm.h', 'rust/bifrost_plugin.rs', 'assembly/bifrost-plugin.ts']) {
      expect(read(`sdk/wasm/${sdk}`), sdk).toMatch(new RegExp(`\\b${name}\\b`));
    }
  });
});
