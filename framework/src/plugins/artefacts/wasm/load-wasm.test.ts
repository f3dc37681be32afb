import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PluginError } from '@bifrost/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { border, compileGuest, hookGuest } from './__tests__/compile-guest.ts';
import { committed, debianRustc, missingTools } from './__tests__/example-files.ts';
import { loadGuest, openGuest } from './__tests__/open-guest.ts';
import type { GuestOptions } from './__tests__/open-guest.ts';
import { wasmLoader } from './index.ts';

/** Magic number and version. */
const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const folder = mkdtempSync(join(tmpdir(), 'bifrost-wasm-'));

async function failureOf(file: string, options: GuestOptions = {}): Promise<PluginError> {
  const failed: unknown = await loadGuest(file, [], options).then(
    () => new Error('it was loaded'),
    (thrown: unknown) => thrown,
  );
  expect(failed).toBeInstanceOf(PluginError);
  return failed as PluginError;
}

const describing = (json: string): string =>
  `${border} export function bifrost_call(operation: i32, pointer: usize, length: i32): usize { return operation == 0 ? ${json} : 0; }`;

const withImport = (line: string, use: string): string => `${line}\n${hookGuest(use)}`;

describe('a WebAssembly file that cannot be a plugin', () => {
  it.each<[string, string, string, string]>([
    [
      'an ABI of a newer gateway',
      'export function bifrost_abi_2(): void {}',
      'BF_PLUGIN_WASM_ABI',
      'it speaks bifrost-plugin/2, and this gateway does not: it loads "bifrost-plugin/1" (the module exports a function `bifrost_abi_1`) and Bifrost\'s own WASM ABI',
    ],
    [
      'no ABI at all',
      'export function add(a: i32, b: i32): i32 { return a + b; }',
      'BF_PLUGIN_WASM_ABI',
      'it does not say which ABI it speaks: it loads',
    ],
    [
      'a misspelt tag',
      'export function bifrost_api_1(): void {}',
      'BF_PLUGIN_WASM_ABI',
      '(it exports "bifrost_api_1"; did you mean "bifrost_abi_1"?)',
    ],
    [
      'a missing export',
      'export function bifrost_abi_1(): void {}\nexport function bifrost_aloc(size: i32): i32 { return 0; }',
      'BF_PLUGIN_WASM_EXPORT',
      'it does not export the function "bifrost_alloc"; it exports "bifrost_aloc": did you mean "bifrost_alloc"?',
    ],
    [
      'an export of another signature',
      `${border} export function bifrost_call(operation: i32): i64 { return 0; }`,
      'BF_PLUGIN_WASM_EXPORT',
      'its export "bifrost_call" is (i32) -> i64; expected (i32, i32, i32) -> i32',
    ],
    [
      "a misspelt hook of Bifrost's ABI",
      'export function malloc(n: u32): u32 { return 0; } export function get_name(): u64 { return 0; }\n' +
        'export function init(a: u32, b: u32): i32 { return 0; } export function pre_hok_hook(a: u32, b: u32): u64 { return 0; }',
      'BF_PLUGIN_WASM_EXPORT',
      'it exports "pre_hok_hook", which is no hook of this ABI',
    ],
    [
      "a hook's old name",
      'export function malloc(n: u32): u32 { return 0; } export function get_name(): u64 { return 0; }\n' +
        'export function init(a: u32, b: u32): i32 { return 0; } export function http_intercept(a: u32, b: u32): u64 { return 0; }',
      'BF_PLUGIN_WASM_EXPORT',
      'it exports "http_intercept", which is no hook of this ABI; did you mean "http_pre_hook"?',
    ],
    [
      'an unknown function of the host',
      withImport('@external("bifrost", "value_got") declare function value_got(): void;', 'value_got(); return 0;'),
      'BF_PLUGIN_WASM_IMPORT',
      'bifrost.value_got: there is no such function: did you mean "value_get"?',
    ],
    [
      'a function of the host with another signature',
      withImport('@external("bifrost", "now") declare function now(a: i32): i32;', 'now(1); return 0;'),
      'BF_PLUGIN_WASM_IMPORT',
      'bifrost.now: it is imported as (i32) -> i32, and is () -> f64',
    ],
    [
      'a function that nobody has',
      withImport('@external("net", "connect") declare function connect(): void;', 'connect(); return 0;'),
      'BF_PLUGIN_WASM_IMPORT',
      'net.connect: no capability grants it',
    ],
    [
      'WASI preview 2',
      withImport('@external("wasi:http/types", "fields") declare function fields(): void;', 'fields(); return 0;'),
      'BF_PLUGIN_WASM_IMPORT',
      'wasi:http/types.fields: of WASI, preview 1 (`wasi_snapshot_preview1`) is given: build for wasm32-wasip1',
    ],
    [
      'a library that was not linked',
      withImport('@external("env", "SSL_connect") declare function f(): void;', 'f(); return 0;'),
      'BF_PLUGIN_WASM_IMPORT',
      'env.SSL_connect: a symbol that was not found when the module was linked: link its library',
    ],
    [
      'no description and no manifest',
      describing('0'),
      'BF_PLUGIN_WASM_OUTPUT',
      'describe: it answered nothing, and no manifest states its hooks',
    ],
  ])('%s', async (_what, source, code, words) => {
    const failure = await failureOf(await compileGuest(source));
    expect(failure.message).toContain(words);
    expect(failure.code).toBe(code);
  });

  it.each([
    [
      'a hook that does not exist',
      '{"hooks":{"preLlmHok":{}}}',
      'unknown member "preLlmHok": did you mean preLLMHook?',
    ],
    ['options that are code', '{"hooks":{"preLLMHook":{"when":1}}}', '`preLLMHook.when` must be a function'],
    ['options of another shape', '{"hooks":{"preLLMHook":{"reads":"all"}}}', '`preLLMHook.reads` must be one of head'],
    ['a description of another shape', '{"name":1,"hooks":{"inject":{}}}', '`name` must be letters'],
    ['a description with another member', '{"nam":"x","hooks":{}}', 'unknown member "nam"; did you mean "name"?'],
    ['a description that is no JSON', '{', 'its description is wrong: it is not JSON'],
    ['another API', '{"api":"9.1","hooks":{"inject":{}}}', 'it was written for plugin API "9.1"'],
  ])('%s in its description', async (_what, json, words) => {
    const file = await compileGuest(describing(`frame(0, '${json}')`));
    await expect(openGuest(file)).rejects.toThrow(words);
  });

  it('bytes that are no WebAssembly, whatever they are, end in a PluginError', async () => {
    const file = join(folder, 'random.wasm');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), fc.boolean(), async (bytes, hasHead) => {
        writeFileSync(file, hasHead ? Buffer.from([...head, ...bytes]) : bytes);
        const failure = await failureOf(file);
        expect(failure.code).toMatch(/^BF_PLUGIN_WASM_/);
      }),
      { numRuns: 200 },
    );
  });

  it('code that does not validate', async () => {
    const file = join(folder, 'invalid.wasm');
    const text = (name: string): number[] => [name.length, ...Buffer.from(name)];
    const types = [2, 0x60, 0, 0, 0x60, 3, 0x7f, 0x7f, 0x7f, 1, 0x7f, 0x60, 1, 0x7f, 1, 0x7f];
    types[0] = 3;
    const exports = [
      4,
      ...text('memory'),
      2,
      0,
      ...text('bifrost_abi_1'),
      0,
      0,
      ...text('bifrost_call'),
      0,
      1,
      ...text('bifrost_alloc'),
      0,
      2,
    ];
    const bodies = [3, 2, 0, 0x0b, 2, 0, 0x0b, 2, 0, 0x0b];
    const section = (id: number, content: readonly number[]): number[] => [id, content.length, ...content];
    writeFileSync(
      file,
      Buffer.from([
        ...head,
        ...section(1, types),
        ...section(3, [3, 0, 1, 2]),
        ...section(5, [1, 0, 1]),
        ...section(7, exports),
        ...section(10, bodies),
      ]),
    );
    expect((await failureOf(file)).message).toContain('its code is not valid WebAssembly: ');
  });

  it('a file that is not there', async () => {
    expect((await failureOf(join(folder, 'none.wasm'))).message).toContain('none.wasm cannot be read: ENOENT');
  });

  it('more memory from the start than it may have', async () => {
    const file = await compileGuest(hookGuest(''), ['--initialMemory', '40']);
    const failure = await failureOf(file, { maxMemoryBytes: 1_000_000 });
    expect(failure.message).toContain('it begins with 2621440 bytes of memory, and is allowed 1000000');
    expect(failure.code).toBe('BF_PLUGIN_WASM_MEMORY');
  });
});

describe('a WebAssembly plugin', () => {
  it('may import its memory, which is capped too', async () => {
    const file = await compileGuest(
      hookGuest(`while (memory.grow(1) >= 0) {} return frame(0, '{"result":' + memory.size().toString() + '}');`),
      ['--importMemory', '--maximumMemory', '1000'],
    );
    const guest = await openGuest(file, { maxMemoryBytes: 10 * 65_536 });
    expect(guest.call('preMCPHook', { client: 'c', method: 'ping' })).toEqual({ result: 10 });
  });

  it('has the options of its manifest above its own', async () => {
    const { plugin } = await openGuest(await compileGuest(hookGuest('')), {
      manifest: { guard: true, hooks: { preLLMHook: { reads: 'messages', timeoutMs: 7 } } },
    });
    expect(plugin.isGuard).toBe(true);
    expect(plugin.hooks.preLLMHook).toMatchObject({ reads: 'messages', timeoutMs: 7 });
    expect(Object.keys(plugin.hooks).toSorted()).toEqual(['preLLMHook', 'preMCPHook']);
  });

  it('that does not describe itself has the hooks of its manifest', async () => {
    const { plugin } = await openGuest(await compileGuest(describing('0')), { manifest: { hooks: { inject: {} } } });
    expect(plugin.actualName).toBe('guest');
    expect(Object.keys(plugin.hooks)).toEqual(['inject']);
  });

  it('may be a command, whose main is run before anything else', async () => {
    const command = (status: number): string =>
      `@external("wasi_snapshot_preview1", "proc_exit") declare function proc_exit(status: i32): void;
      export function _start(): void { calls = 40; proc_exit(${status}); }
      ${hookGuest(`return frame(0, '{"result":' + calls.toString() + '}');`)}`;
    const guest = await openGuest(await compileGuest(command(0)));
    expect(guest.call('preMCPHook', { client: 'c', method: 'ping' })).toEqual({ result: 41 });
    const failure = await failureOf(await compileGuest(command(3)));
    expect(failure.message).toContain('its _start failed: it called proc_exit(3)');
  });

  it.skipIf(missingTools('wasm-rust').length > 0)(
    "may be built with Rust's library for WASI",
    async () => {
      const file = join(folder, 'rust-wasi.wasm');
      const source = join(committed('wasm-rust'), '../plugin.rs');
      const options = ['--edition', '2021', '--target', 'wasm32-wasi', '-C', 'panic=abort', '-C', 'strip=debuginfo'];
      execFileSync(debianRustc, [...options, '-o', file, source], { stdio: 'pipe' });
      const guest = await openGuest(file, { config: { stamp: '!' } });
      const end = { type: 'text-end', part: '0' };
      expect(guest.call('streamEventHook', end)).toEqual([{ type: 'text-delta', part: '0', text: '!' }, end]);
    },
    120_000,
  );

  it('is loaded by the loader of its kind', async () => {
    expect(wasmLoader.kind).toBe('wasm');
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const request = { name: 'c', file: committed('wasm-c'), generation: '1', grants: {}, log };
    const loaded = await wasmLoader.load(request);
    expect(loaded.module).toHaveProperty('default.name', 'wasm-c');
  });
});
