import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hookNames } from '@bifrost/sdk';
import type { HookName, Json } from '@bifrost/sdk';
import { readPluginModule } from '../../read-plugin-module.ts';
import { buildScripted } from './__tests__/native-builds.ts';
import { requestFor, runPlugin } from './__tests__/load-native.ts';
import { createNativeLoader, nativeLoader } from './native-loader.ts';
import { hookNumbers } from './hook-numbers.ts';

const scripted = buildScripted();
const header = readFileSync(join(import.meta.dirname, '../../../../../sdk/native/bifrost_plugin.h'), 'utf8');
const mappingsOf = (part: string): number =>
  readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes(part)).length;

describe('bifrost_plugin.h', () => {
  it('has the number of every hook', () => {
    const numbers = [...header.matchAll(/^ {2}BIFROST_([A-Z_]+) = (\d+),?$/gm)];
    const ofHeader = new Map(numbers.map(([, name = '', number]) => [name.replaceAll('_', ''), Number(number)]));
    for (const hook of hookNames) {
      expect([hook, ofHeader.get(hook.toUpperCase().replace(/HOOK$/, ''))]).toEqual([hook, hookNumbers[hook]]);
    }
    expect(new Set(Object.values(hookNumbers)).size).toBe(hookNames.length);
  });
});

const body = Buffer.from('the body');
const error = { statusCode: 403, message: 'no', origin: 'plugin' };
/** For each hook: what it is given, what the library answers, and what comes out of that. */
const calls: { readonly [Name in HookName]: readonly [input: object, result?: Json, output?: unknown] } = {
  httpTransportPreAuthHook: [
    { method: 'GET', path: '/', query: {}, headers: {} },
    { request: { headers: { a: null } } },
  ],
  httpTransportPreHook: [
    { method: 'POST', path: '/', query: {}, headers: { x: ['1', '2'] }, body },
    { response: { statusCode: 200, headers: {}, body: { $bytes: 0 } } },
    { response: { statusCode: 200, headers: {}, body: Buffer.from('ydob eht') } },
  ],
  preRequestHook: [
    { model: 'm', isStream: false, fallbacks: [] },
    { model: 'other/m', fallbacks: ['x'] },
  ],
  preLLMHook: [{ model: 'm', isStream: false, fallbacks: [], conversation: { messages: [] } }, { error }],
  postLLMHook: [{ request: { model: 'm' }, statusCode: 200, latencyMs: 1.5 }, { error }],
  streamEventHook: [{ type: 'text-delta', part: '0', text: 'äöü 🎈 "\\' }, []],
  httpTransportResponseHeadersHook: [{ statusCode: 200, headers: {} }, { headers: { a: 'b' } }],
  httpTransportStreamChunkHook: [{ data: '{}', index: 0 }, null],
  httpTransportPostHook: [
    { statusCode: 200, headers: {}, body },
    { statusCode: 201, body: { $bytes: 0 } },
    { statusCode: 201, body: Buffer.from('ydob eht') },
  ],
  preMCPHook: [{ client: 'c', method: 'tools/call', tool: 't', arguments: { $bytes: 0 } }, { result: { $bytes: 0 } }],
  postMCPHook: [{ request: { client: 'c', method: 'ping' }, result: 1, latencyMs: 1 }, { result: [1, 2] }],
  preMCPConnectionHook: [{ client: 'c', connectionType: 'http' }, { headers: { a: 'b' } }],
  postMCPConnectionHook: [{ client: 'c' }],
  inject: [{ facts: {}, statusCode: 200, startedAt: 0, latencyMs: 1, attempts: [], lane: 'none' }],
};

const headHook = 'preRequestHook';
const head = { model: 'm', isStream: false, fallbacks: [] };
const asked = async (request: Json): Promise<unknown> => {
  await using plugin = await runPlugin(requestFor(scripted), { do: 'ask', request });
  plugin.call(headHook, head);
  return plugin.lines.find((line) => line.level === 'warn')?.fields;
};

describe('a native library', () => {
  it.each(hookNames)('is given the input of %s and gives its result', async (hook) => {
    const [input, result, output = result] = calls[hook];
    const results = result === undefined ? {} : { [hookNumbers[hook]]: result };
    await using plugin = await runPlugin(requestFor(scripted), { results });
    expect(plugin.call(hook, input)).toEqual(output);
    const beside = 'body' in input ? { body: { $bytes: 0 } } : 'data' in input ? { data: { $bytes: 0 } } : {};
    const given = { ...input, ...beside };
    const facts = { requestId: 'r-1', requestType: 'chat_completion', method: 'POST', path: '/v1/x', isStream: true };
    expect(plugin.lines).toEqual([{ level: 'info', message: 'given', fields: { facts, input: given } }]);
  });

  it('makes of a config what is stored and shown, without a plugin', async () => {
    const description = String.raw`"{\"redactConfig\": true, \"marshalConfigForStorage\": false, \"hooks\": {\"inject\": {}}}"`;
    const file = buildScripted('views', [`-DSCRIPTED_DESCRIPTION=${description}`]);
    const loaded = await nativeLoader.load(requestFor(file));
    const plugin = readPluginModule('p', loaded.module);
    expect(plugin.marshalConfigForStorage).toBeUndefined();
    expect(plugin.redactConfig?.({ key: 'secret' })).toEqual({ redacted: { key: 'secret' } });
    await loaded.unload?.();
    expect(() => plugin.redactConfig?.({})).toThrow('redactConfig was called after the library was closed');
  });

  it('leaves a value unchanged where it gives no result', async () => {
    await using plugin = await runPlugin(requestFor(scripted));
    expect(hookNames.map((hook) => plugin.call(hook, calls[hook][0]))).toEqual(hookNames.map(() => undefined));
  });

  it('sees the facts as they are at each call', async () => {
    await using plugin = await runPlugin(requestFor(scripted));
    plugin.call(headHook, head, { requestId: 'first' });
    plugin.call(headHook, head, { requestId: 'second' });
    expect(plugin.lines.map(({ fields }) => fields)).toMatchObject([
      { facts: { requestId: 'first' } },
      { facts: { requestId: 'second' } },
    ]);
  });

  it('gives chunks of a stream beside the JSON, and takes them either way', async () => {
    const chunk = { data: 'äb "c"', event: 'e', index: 3 };
    await using same = await runPlugin(requestFor(scripted), { results: { 7: { data: 'new' } } });
    expect(same.call('httpTransportStreamChunkHook', chunk)).toEqual({ data: 'new' });
    await using beside = await runPlugin(requestFor(scripted), { results: { 7: { data: { $bytes: 0 }, event: 'f' } } });
    const turned = Buffer.from(chunk.data).toReversed();
    expect(beside.call('httpTransportStreamChunkHook', chunk)).toEqual({
      data: Buffer.from(turned).toString(),
      event: 'f',
    });
  });

  it.each([0, 1, 20_000, 21_700, 70_000, 3_000_000])(
    'takes inputs of %i characters and bodies of as many bytes',
    async (size) => {
      const bytes = Buffer.alloc(size, 'abc');
      await using plugin = await runPlugin(requestFor(scripted), { results: { 8: { body: { $bytes: 0 } } } });
      const note = 'é'.repeat(size);
      const result = plugin.call('httpTransportPostHook', { statusCode: 200, headers: { note }, body: bytes });
      const turned = (result as { readonly body: Uint8Array }).body;
      expect(bytes.toReversed().every((byte, index) => byte === turned[index]) && turned.length === size).toBe(true);
      const given = plugin.lines[0]?.fields as { readonly input: { readonly headers: object } };
      expect(JSON.stringify(given.input.headers) === JSON.stringify({ note })).toBe(true);
    },
  );

  it('gives each output back to be freed', async () => {
    await using plugin = await runPlugin(requestFor(scripted), {
      results: { 2: { model: 'x' }, 8: { body: { $bytes: 0 } } },
    });
    for (let index = 0; index < 50; index++) {
      plugin.call(headHook, head);
      plugin.call('httpTransportPostHook', { statusCode: 200, headers: {}, body });
    }
    const request = requestFor(scripted);
    await using counter = await runPlugin(request, { do: 'count', results: { 2: {} } });
    for (let index = 0; index < 50; index++) counter.call(headHook, head);
    expect(counter.lines.at(-1)).toMatchObject({ level: 'debug', fields: { created: 1, outputsHeld: 0 } });
  });

  it('is destroyed once, by cleanup', async () => {
    const plugin = await runPlugin(requestFor(scripted));
    await plugin.unload();
    expect(plugin.lines).toEqual([{ level: 'info', message: 'destroyed', fields: undefined }]);
    expect(() => plugin.call(headHook, head)).toThrow('preRequestHook was called before create or after destroy');
  });
});

describe('what a native library may ask the gateway', () => {
  it.each([
    [{ op: 'state.set', key: 'a', value: [1] }, {}],
    [{ op: 'state.get', key: 'never' }, {}],
    [{ op: 'value.set', key: 'a', value: 'x' }, {}],
    [{ op: 'value.get', key: 'q/a' }, {}],
    [{ op: 'shared.add', key: 'n' }, { value: 1 }],
    [{ op: 'shared.add', key: 'n', by: -3 }, { value: -3 }],
    [{ op: 'shared.get', key: 'a' }, {}],
    [{ op: 'shared.set', key: 'a', value: 1 }, {}],
    [{ op: 'model.info' }, { value: { provider: 'p', model: 'm', contextWindow: 5 } }],
    [{ op: 'cost', usage: { inputTokens: 1 } }, { value: 7 }],
    [{ op: 'trace.set', key: 'a', value: null }, {}],
    [{ op: 'routing.note', message: 'n' }, {}],
    [{ op: 'state.get' }, { error: { code: 'BF_PLUGIN_HOST_REQUEST', message: '`key` must be a string' } }],
    [{ op: 'cost' }, { error: { code: 'BF_PLUGIN_HOST_REQUEST', message: '`usage` must be an object' } }],
    [{ op: 'value.set', key: 'a' }, { error: { code: 'BF_PLUGIN_HOST_REQUEST', message: '`value` is missing' } }],
    [
      { op: 'toString' },
      { error: { message: expect.stringContaining('there is no operation "toString": known are') as unknown } },
    ],
  ])('%j', async (request, answer) => {
    expect(await asked(request)).toMatchObject(answer);
  });

  it('is not answered where it is no JSON object', async () => {
    expect(await asked([])).toMatchObject({ error: { message: 'a request is a JSON object' } });
  });
});

describe('a native library that fails', () => {
  it.each([
    ['fail', 'preRequestHook failed: it did not work out'],
    ['panic', 'preRequestHook panicked: caught it'],
    ['silent-fail', 'preRequestHook failed'],
    ['odd-status', 'preRequestHook returned the unknown status 77'],
    ['no-json', 'its result is not JSON'],
    ['wrong-attachment', 'its result names attachment 3, and it gave 0 attachments'],
    ['many-attachments', 'its output claims to have 1000000 attachments'],
    ['null-attachment', 'attachment 0 of its output has 5 bytes at no address'],
  ])('%s: the hook throws, and the next call works', async (action, message) => {
    await using plugin = await runPlugin(requestFor(scripted), { do: action });
    expect(() => plugin.call(headHook, head)).toThrow(message);
    expect(() => plugin.call(headHook, head)).toThrow(message);
  });

  it('may refuse its config', async () => {
    await expect(runPlugin(requestFor(scripted), { do: 'refuse' })).rejects.toThrow(
      'plugin p: create refuses its config: config.do: expected something else',
    );
  });

  it('must make a plugin', async () => {
    await expect(runPlugin(requestFor(scripted), { do: 'no-plugin' })).rejects.toThrow('left NULL for the plugin');
  });
});

describe('before any function of a native library is called', () => {
  const refusal = async (file: string, rest = {}): Promise<unknown> =>
    nativeLoader.load(requestFor(file, rest)).then(
      () => 'loaded',
      (thrown: unknown) => thrown,
    );

  it('a portable build refuses it and names the build that loads it', async () => {
    const loader = createNativeLoader({ isNativeCodeAllowed: false });
    await expect(loader.load(requestFor('/lib/x.so'))).rejects.toMatchObject({
      code: 'BF_PLUGIN_NATIVE_DISABLED',
      message:
        'plugin p: /lib/x.so is native code, and this gateway is the portable build, which loads no native code: build the gateway with ' +
        '`make build DYNAMIC=1`, or run the plugin as WebAssembly, as a module, or as a program with `isolation: "grpc"`',
    });
  });

  it('a missing function is named', async () => {
    const file = buildScripted('misspelt', ['-Dbifrost_plugin_destroy=bifrost_plugin_destory']);
    expect(await refusal(file)).toMatchObject({
      code: 'BF_PLUGIN_NATIVE_LOAD_FAILED',
      message: `plugin p: ${file} does not export \`bifrost_plugin_destroy\`, which bifrost_plugin.h asks for`,
    });
    expect(mappingsOf('misspelt')).toBe(0);
  });

  it.each([
    ['newer', '0x10001', 'compiled with version 1.1 of bifrost_plugin.h; this gateway has 1.0. Use a newer gateway'],
    ['other', '0x20000', 'compiled with version 2.0 of bifrost_plugin.h; this gateway has 1.0. Use a newer gateway'],
    [
      'older',
      '0x00005',
      'compiled with version 0.5 of bifrost_plugin.h; this gateway has 1.0. Compile it with the newer',
    ],
  ])('a %s version of the interface is refused', async (name, abi, message) => {
    const refused = await refusal(buildScripted(`abi-${name}`, [`-DSCRIPTED_ABI=${abi}`]));
    expect(refused).toMatchObject({ code: 'BF_PLUGIN_API_VERSION' });
    expect(String(refused)).toContain(message);
  });

  it.each([
    ['NULL', 'BF_PLUGIN_SHAPE_INVALID', 'bifrost_plugin_describe returned NULL'],
    ['"{"', 'BF_PLUGIN_SHAPE_INVALID', 'its description is wrong: it is not JSON'],
    ['"[]"', 'BF_PLUGIN_SHAPE_INVALID', 'expected a JSON object'],
    [String.raw`"{\"nmae\": \"x\"}"`, 'BF_PLUGIN_SHAPE_INVALID', 'unknown member "nmae"; did you mean "name"?'],
    [String.raw`"{\"hooks\": []}"`, 'BF_PLUGIN_SHAPE_INVALID', '`hooks` must be an object'],
    [String.raw`"{\"hooks\": {\"inject\": true}}"`, 'BF_PLUGIN_SHAPE_INVALID', '`hooks.inject` must be an object'],
  ])('the description %s is refused', async (description, code, message) => {
    const name = `description-${description.replaceAll(/\W+/g, '-')}`;
    const refused = await refusal(buildScripted(name, [`-DSCRIPTED_DESCRIPTION=${description}`]));
    expect(refused).toMatchObject({ code });
    expect(String(refused)).toContain(message);
  });

  it.each([
    [String.raw`"{\"hooks\": {\"preLLMHok\": {}}}"`, 'unknown member "preLLMHok": did you mean preLLMHook?'],
    [String.raw`"{\"hooks\": {\"inject\": {\"reads\": \"all\"}}}"`, '`inject.reads` must be one of head'],
    [String.raw`"{\"api\": \">=9\", \"hooks\": {\"inject\": {}}}"`, 'it was written for plugin API ">=9"'],
    [String.raw`"{\"name\": \"a b\", \"hooks\": {\"inject\": {}}}"`, '`name` must be letters'],
  ])('the plugin %s is refused as a module with it would be', async (description, message) => {
    const name = `description-${description.replaceAll(/\W+/g, '-')}`;
    const file = buildScripted(name, [`-DSCRIPTED_DESCRIPTION=${description}`]);
    await expect(runPlugin(requestFor(file))).rejects.toThrow(message);
    expect(mappingsOf(name)).toBe(0);
  });

  it('options of the manifest go before those of the description', async () => {
    const manifest = {
      name: 'p',
      version: '1',
      api: '1',
      main: 'x',
      guard: true,
      hooks: { preLLMHook: { timeoutMs: 7 } },
    };
    const loaded = await nativeLoader.load(requestFor(scripted, { manifest }));
    expect(loaded.module).toMatchObject({ default: { guard: true, preLLMHook: { reads: 'messages', timeoutMs: 7 } } });
    await loaded.unload?.();
    const wrong = { ...manifest, hooks: { preLLMHok: {} } };
    expect(String(await refusal(scripted, { manifest: wrong }))).toContain(
      'the manifest has options for preLLMHok, which it does not have; did you mean "preLLMHook"?',
    );
  });

  it('a function that no library has is an error, not the end of the process at its first call', async () => {
    const file = buildScripted('unbound', ['-DSCRIPTED_UNBOUND']);
    expect(String(await refusal(file))).toContain('undefined symbol: is_nowhere');
    expect(mappingsOf('unbound')).toBe(0);
  });

  it('a file that is no library is reported under its own name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bifrost-native-test-'));
    const file = join(folder, 'x.so');
    writeFileSync(file, 'not a library');
    const refused = await refusal(file);
    expect(refused).toMatchObject({ code: 'BF_PLUGIN_NATIVE_LOAD_FAILED' });
    expect(String(refused)).toContain(`the system's loader refuses it: ${file}: `);
    rmSync(folder, { recursive: true });
  });
});

describe('the copy that is loaded', () => {
  it('is gone as soon as it is loaded, and the library when it is unloaded', async () => {
    const plugin = await runPlugin(requestFor(scripted, { name: 'copied' }));
    const directory = join(tmpdir(), `bifrost-native-${userInfo().uid}`);
    expect(mappingsOf('/copied-')).toBeGreaterThan(0);
    expect(existsSync(directory) ? readdirSync(directory).filter((name) => name.startsWith('copied-')) : []).toEqual(
      [],
    );
    await plugin.unload();
    expect(mappingsOf('/copied-')).toBe(0);
  });

  it('keeps running when the original is overwritten', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bifrost-native-test-'));
    const file = join(folder, 'x.so');
    writeFileSync(file, readFileSync(scripted));
    await using plugin = await runPlugin(requestFor(file), { results: { 2: { model: 'x' } } });
    writeFileSync(file, Buffer.alloc(100_000));
    expect(plugin.call(headHook, head)).toEqual({ model: 'x' });
    rmSync(folder, { recursive: true });
  });

  it('is not made in a process that may write nothing, which loads the file itself once it was granted native code', () => {
    const program = `
      const { nativeLoader } = await import(${JSON.stringify(join(import.meta.dirname, 'native-loader.ts'))});
      await nativeLoader.load(${JSON.stringify(requestFor(scripted))}).then(
        ({ module }) => console.log(module.default.name), (error) => console.log(error.message));`;
    const run = (...flags: string[]): string => {
      const all = ['--permission', '--allow-fs-read=/', ...flags, '--input-type=module', '-e', program];
      return execFileSync(process.execPath, all, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    };
    expect(run()).toBe(
      'plugin p: native code was not granted to it: set `capabilities: { "native": true }` in its entry',
    );
    expect(run('--allow-ffi')).toBe('scripted');
  });
});
