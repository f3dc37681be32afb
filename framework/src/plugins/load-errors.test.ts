import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entry, hostIn, pluginFolder } from './__tests__/plugin-folder.ts';
import type { PluginEntry } from './plugin-entry.ts';

/** Loads one plugin that fails; its status. */
async function failureOf(
  files: Readonly<Record<string, string>>,
  path: string,
  rest: Partial<PluginEntry> = {},
): Promise<{ readonly code?: string; readonly message: string }> {
  using folder = pluginFolder(files);
  const { host, lines } = hostIn(folder.path, { workingDirectory: '/nowhere', initTimeoutMs: 200 });
  await host.load([entry('p', path, rest)]);
  const [status] = host.status();
  expect(status?.state).toBe('error');
  expect(lines.filter((line) => line.startsWith('error'))).toHaveLength(1);
  const message = (status?.message ?? '').replaceAll(folder.path, '<folder>');
  return { message, ...(status?.code === undefined ? {} : { code: status.code }) };
}

const plugin = (members: string): Record<string, string> => ({ 'p.ts': `export default { name: 'p', ${members} };` });
const hook = 'preLLMHook() {}';

describe('a plugin that is not there', () => {
  it('names what was looked for, the config folder and the working directory', async () => {
    expect(await failureOf({}, './gone.ts')).toEqual({
      code: 'BF_PLUGIN_FILE_MISSING',
      message:
        'plugin p: there is no file or folder "./gone.ts"; looked for <folder>/gone.ts and /nowhere/gone.ts ' +
        '(config folder <folder>, working directory /nowhere)',
    });
  });

  it.each<[string, Record<string, string>, string, string]>([
    [
      'an npm package that is not installed',
      {},
      'some-plugin',
      'there is no file, folder or npm package "some-plugin"',
    ],
    [
      'a folder with one compiled plugin',
      { 'p/readme.md': '', 'p/plugin.wasm': '' },
      './p',
      'index.mjs; it holds plugin.wasm: did you mean <folder>/p/plugin.wasm?',
    ],
    ['a folder without an entry', { 'p/readme.md': '' }, './p', 'the folder <folder>/p has no plugin in it'],
    [
      'a package.json that names a missing file',
      { 'p/package.json': '{"main":"a.js"}' },
      './p',
      'names "a.js" as the entry, but there is no file <folder>/p/a.js',
    ],
    [
      'a package.json that is no JSON',
      { 'p/package.json': '{' },
      './p',
      '<folder>/p/package.json:1:2 is not JSON: the text ends before the JSON does',
    ],
    ['a native library', { 'p.so': '' }, './p.so', 'should be a native library, but it is an empty file'],
    ['a WebAssembly module', { 'p.wasm': '' }, './p.wasm', 'should be a WebAssembly module, but it is an empty file'],
    ['a URL', {}, 'https://example.com/p.ts', 'is taken only with its digest: add "sha256"'],
    ['a CommonJS extension', { 'p.cjs': '' }, './p.cjs', 'rewrite it as an ES module'],
    ['a text file', { 'p.txt': '' }, './p.txt', 'ends in ".txt", expected .ts, .mts, .js, .mjs'],
  ])('%s', async (_what, files, path, message) => {
    expect((await failureOf(files, path)).message).toContain(message);
  });
});

describe('a module that does not load', () => {
  it.each<[string, Record<string, string>, string, string]>([
    [
      'syntax in TypeScript',
      { 'p.ts': `const a = 1;\nconst b = ;\n` },
      './p.ts',
      'syntax error at <folder>/p.ts:2 (`const b = ;`)',
    ],
    [
      'syntax in a nested JavaScript file',
      { 'p.mjs': `import './lib.mjs';`, 'lib.mjs': `\n\nexport const b = ;` },
      './p.mjs',
      'syntax error at <folder>/lib.mjs:3',
    ],
    [
      'an enum',
      { 'p.ts': `export enum Color { red }` },
      './p.ts',
      'enum is not supported in strip-only mode at <folder>/p.ts:1 (`export enum Color { red }`). Node runs TypeScript by removing its types',
    ],
    [
      'a missing file',
      { 'p.ts': `import './gone.ts';` },
      './p.ts',
      '<folder>/p.ts imports <folder>/gone.ts, and there is no such file',
    ],
    [
      'a .js import of a .ts file',
      { 'p.ts': `import './lib.js';`, 'lib.ts': '' },
      './p.ts',
      'write the import with its real extension (.ts)',
    ],
    [
      'an import without extension',
      { 'p.ts': `import './lib';`, 'lib.ts': '' },
      './p.ts',
      'without an extension: write ".ts" at its end',
    ],
    [
      'a missing package',
      { 'p.ts': `import 'left-over';` },
      './p.ts',
      "run `npm install left-over` in the plugin's folder",
    ],
    [
      'a type imported as a value',
      { 'p.ts': `import { Plugin } from '@bifrost/sdk'; export const preLLMHook = (plugin: Plugin) => {};` },
      './p.ts',
      'a type must be imported with `import type`',
    ],
    [
      'a decorator',
      { 'p.ts': `const d = () => {};\nclass A {\n  @d() b() {}\n}\nexport default new A();` },
      './p.ts',
      'a decorator is not supported at <folder>/p.ts:3 (`@d() b() {}`). Node runs TypeScript by removing its types',
    ],
    [
      'an alias of tsconfig.json that is no name of a package',
      { 'p.ts': `import '@/lib/words';` },
      './p.ts',
      '<folder>/p.ts imports "@/lib/words", which is no name of a package: `paths` of tsconfig.json are known to tsc alone. Write the relative path with its extension (./words.ts)',
    ],
    [
      'an alias of tsconfig.json that could be a package',
      {
        'p.ts': `import 'lib/words';`,
        'tsconfig.json': `{ "compilerOptions": { "paths": { "lib/*": ["./lib/*"] } } }`,
      },
      './p.ts',
      '`paths` of tsconfig.json are known to tsc alone',
    ],
    [
      'a part of the sdk',
      { 'p.ts': `import { definePlugin } from '@bifrost/sdk/hooks';` },
      './p.ts',
      'imports a part of @bifrost/sdk by its path: everything in it is imported from "@bifrost/sdk" itself',
    ],
    [
      'the sdk by another name',
      { 'p.ts': `import { definePlugin } from 'bifrost-sdk';` },
      './p.ts',
      'imports the package "bifrost-sdk", which is not installed: did you mean "@bifrost/sdk", which the gateway brings along?',
    ],
    [
      'another package of the gateway',
      { 'p.ts': `import { Gateway } from '@bifrost/core';` },
      './p.ts',
      'imports "@bifrost/core", which is no part of the plugin API: a plugin imports of the gateway "@bifrost/sdk" alone',
    ],
    [
      'a misspelt export of the sdk',
      { 'p.ts': `import { headerVal } from '@bifrost/sdk'; export const inject = () => headerVal;` },
      './p.ts',
      `"@bifrost/sdk" has no export "headerVal": did you mean headerValue?`,
    ],
    [
      'JSON without its attribute',
      { 'p.ts': `import words from './words.json';`, 'words.json': '{}' },
      './p.ts',
      "<folder>/words.json is JSON, which is imported with its type: `import words from './words.json' with { type: 'json' }`",
    ],
    [
      'require in an ES module',
      { 'p.ts': `const fs = require('node:fs'); export const inject = () => fs;` },
      './p.ts',
      'require is not defined: a plugin is an ES module, write `import ... from` instead (<folder>/p.ts:1)',
    ],
    [
      'exports of CommonJS in an ES module',
      { 'package.json': '{"type":"module"}', 'p.js': `\nmodule.exports = { inject() {} };` },
      './p.js',
      'module is not defined: a plugin is an ES module, write `export default definePlugin({ ... })` instead (<folder>/p.js:2)',
    ],
    [
      'an ES module in a package of CommonJS',
      { 'package.json': '{"type":"commonjs"}', 'p.ts': `import { definePlugin } from '@bifrost/sdk';` },
      './p.ts',
      '<folder>/package.json says that it is CommonJS: write "type": "module" there, or call the file p.mts',
    ],
    [
      'a throw at the top',
      { 'p.ts': `\nthrow new Error('no licence');` },
      './p.ts',
      'its module threw while it was loaded: no licence (<folder>/p.ts:2)',
    ],
    [
      'a top-level await that never ends',
      { 'p.ts': `await new Promise(() => {}); export {};` },
      './p.ts',
      'its module was not loaded within 200 ms',
    ],
    [
      'TypeScript in node_modules',
      {
        'node_modules/tsp/package.json': '{"name":"tsp","type":"module","exports":"./index.ts"}',
        'node_modules/tsp/index.ts': `export const preLLMHook = (): void => {};`,
      },
      'tsp',
      'publish it as JavaScript, or point `path` at a folder outside node_modules',
    ],
  ])('%s', async (_what, files, path, message) => {
    expect((await failureOf(files, path)).message).toContain(message);
  });
});

describe('a plugin of a wrong shape', () => {
  it.each([
    ['a misspelt hook', 'preLlmHok() {}', 'unknown member "preLlmHok": did you mean preLLMHook?'],
    ["a hook in Go's spelling", 'HTTPTransportPreHook() {}', 'did you mean httpTransportPreHook?'],
    ['a hook of an old Bifrost', 'preHook() {}', 'unknown member "preHook": did you mean preLLMHook?'],
    ['chunks where no stream is', 'preLLMHook: { handler() {}, chunks: "each" }', '`preLLMHook` knows no `chunks`'],
    [
      'a chunk mode that is none',
      'streamEventHook: { handler() {}, chunks: { afterMs: 0 } }',
      '`streamEventHook.chunks` must be one of each, sentence, tool-call, end or { afterMs, afterBytes }',
    ],
    [
      'a hold-back of nothing',
      'streamEventHook: { handler() {}, holdBack: {} }',
      '`streamEventHook.holdBack` must be { characters, maxBytes? }',
    ],
    ['an API range that cannot be read', `${hook}, apiVersion: '~7'`, '`apiVersion` must be a string such as "v1"'],
    ['an unknown member', `${hook}, colour: 1`, 'unknown member "colour"; known are name, version'],
    ['a member that all objects have', `${hook}, constructor: 1`, 'unknown member "constructor"; known are name'],
    ['no hook', '', 'it has no hook'],
    ['a hook that is no function', 'preLLMHook: 7', '`preLLMHook` must be a function, or an object with a `handler`'],
    ['a hook without a handler', 'preLLMHook: { reads: "head" }', '`preLLMHook.handler` must be a function'],
    [
      'a misspelt option',
      'preLLMHook: { handler() {}, read: "head" }',
      'in `preLLMHook`: unknown member "read": did you mean reads?',
    ],
    ['a wrong read', 'inject: { handler() {}, reads: "body" }', '`inject.reads` must be one of head'],
    [
      'a wrong policy',
      'preLLMHook: { handler() {}, onError: "ignore" }',
      '`preLLMHook.onError` must be "continue", "deny", "skip" or { disableAfter: n }',
    ],
    [
      'a denying observer',
      'inject: { handler() {}, onError: "deny" }',
      '`inject.onError` must be "continue", "skip" or',
    ],
    ['a wrong time', 'preLLMHook: { handler() {}, timeoutMs: 0 }', '`preLLMHook.timeoutMs` must be a positive number'],
    [
      'an early filter on the model',
      'httpTransportPreHook: { handler() {}, filter: { model: "a" } }',
      'cannot ask for provider or model',
    ],
    [
      'a misspelt filter',
      'preLLMHook: { handler() {}, filter: { models: "a" } }',
      'in `preLLMHook.filter`: unknown member "models": did you mean model?',
    ],
    [
      'a share above 1',
      'preLLMHook: { handler() {}, filter: { sampling: 5 } }',
      '`preLLMHook.filter.sampling` must be a number from 0 to 1',
    ],
    ['another API version', `${hook}, apiVersion: 'v2'`, 'it was written for plugin API "v2"; this gateway has "v1"'],
    ['a schema that is none', `${hook}, configSchema: { parse() {} }`, '`configSchema` must be a Standard Schema'],
    [
      'several unknown members, all of them',
      'preLlmHok() {}, onInit() {}, postHook() {}',
      'unknown member "preLlmHok": did you mean preLLMHook?; unknown member "onInit": did you mean init?; unknown member "postHook": did you mean postLLMHook?',
    ],
    [
      'several unknown options, all of them',
      'preLLMHook: { handler() {}, read: "head", timeout: 5 }',
      'in `preLLMHook`: unknown member "read": did you mean reads?; unknown member "timeout": did you mean timeoutMs?',
    ],
    ['a wrong init', `${hook}, init: 'yes'`, '`init` must be a function'],
  ])('%s', async (_what, members, message) => {
    expect((await failureOf(plugin(members), './p.ts')).message).toContain(message);
  });

  it.each([
    [
      'a function as default export',
      'export default () => ({});',
      'its default export is a function, expected an object',
    ],
    [
      'a class as default export',
      'export default class P { preLLMHook() {} }',
      'its default export is a class, expected an object: `export default new P()`',
    ],
    [
      'another name than default',
      'export const plugin = { preLLMHook() {} };',
      'it has no default export, only plugin: write `export default definePlugin({ ... })`',
    ],
    [
      'nothing exported',
      'const a = 1; void a; export {};',
      'it exports nothing: write `export default definePlugin({ ... })`',
    ],
    [
      'a misspelt named export',
      'export const preLLMHok = () => {}; export const inject = () => {};',
      'unknown member "preLLMHok": did you mean preLLMHook?',
    ],
    [
      'a hook beside the default export',
      `export default { name: 'p', preLLMHook() {} }; export const postLLMHook = () => {};`,
      'it exports postLLMHook beside a default export',
    ],
  ])('%s', async (_what, text, message) => {
    expect((await failureOf({ 'p.ts': text }, './p.ts')).message).toContain(message);
  });

  it('is found before init runs', async () => {
    await failureOf(plugin(`init() { globalThis.initRan = true; }, preLlmHook() {}`), './p.ts');
    expect(globalThis).not.toHaveProperty('initRan');
  });
});

describe('an entry or a config that is wrong', () => {
  it('lists all issues of a schema with their paths, and does not call init', async () => {
    const zod = JSON.stringify(join(import.meta.dirname, '../../../node_modules/zod/index.js'));
    const text = `
      import { z } from ${zod};
      export default { name: 'p', configSchema: z.object({ url: z.string(), limits: z.array(z.object({ max: z.number() })) }),
        init() { globalThis.initRan = true; }, preLLMHook() {} };`;
    const failure = await failureOf({ 'p.mjs': text }, './p.mjs', { config: { limits: [{ max: 1 }, { max: 'x' }] } });
    expect(failure.code).toBe('BF_PLUGIN_CONFIG_INVALID');
    expect(failure.message).toMatch(/its config is wrong: config\.url: .*; config\.limits\[1\]\.max: /);
    expect(globalThis).not.toHaveProperty('initRan');
  });

  it.each([
    ['throws', 'validate() { throw new Error("x"); }', 'its configSchema threw instead of reporting issues'],
    ['never answers', 'validate: () => new Promise(() => {})', 'its configSchema did not answer within 200 ms'],
    ['answers later', 'validate: async () => ({ issues: [{ message: "no" }] })', 'its config is wrong: config: no'],
  ])('copes with a schema that %s', async (_what, validate, message) => {
    const failure = await failureOf(
      plugin(`${hook}, configSchema: { '~standard': { version: 1, vendor: 'x', ${validate} } }`),
      './p.ts',
    );
    expect(failure.message).toContain(message);
  });

  it.each<[string, Partial<PluginEntry>, string]>([
    ['a name with a slash', { name: 'a/b' }, 'a name has letters, digits'],
    ['the place of built-in plugins', { placement: 'builtin' }, 'placement "builtin" is kept for built-in plugins'],
  ])('refuses %s', async (_what, rest, message) => {
    expect((await failureOf(plugin(hook), './p.ts', rest)).message).toContain(message);
  });

  it('refuses a second entry of the same name', async () => {
    using folder = pluginFolder(plugin(hook));
    const { host } = hostIn(folder.path);
    await host.load([entry('p', './p.ts'), entry('p', './p.ts')]);
    expect(host.status()).toMatchObject([{ state: 'active' }, { state: 'error', code: 'BF_PLUGIN_ENTRY_INVALID' }]);
  });
});
