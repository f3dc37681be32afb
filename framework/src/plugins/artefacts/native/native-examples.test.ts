import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Json } from '@bifrost/sdk';
import type { ArtefactLoader } from '../artefact-loader.ts';
import { nodeAddonLoader } from '../node-addon/node-addon-loader.ts';
import { buildExample, missingTool, nativeExamples } from './__tests__/native-builds.ts';
import type { NativeExample } from './__tests__/native-builds.ts';
import { requestFor, runPlugin } from './__tests__/load-native.ts';
import { nativeLoader } from './native-loader.ts';

const run = promisify(execFile);
const loaderOf = (example: NativeExample): ArtefactLoader =>
  example === 'native-addon' ? nodeAddonLoader : nativeLoader;
const denial: Readonly<Record<NativeExample, readonly [config: Json, request: object]>> = {
  'native-c': [{ deniedModel: 'forbidden' }, { model: 'mock/forbidden-1' }],
  'native-go': [{ deniedModel: 'forbidden' }, { model: 'mock/forbidden-1' }],
  'native-addon': [{ deniedModel: 'forbidden' }, { model: 'mock/forbidden-1' }],
  'native-rust': [
    { forbiddenWord: 'swordfish' },
    { model: 'm', conversation: { messages: [{ role: 'user', parts: [{ type: 'text', text: 'a swordfish, ä' }] }] } },
  ],
};
const mappingsOf = (part: string): readonly string[] =>
  readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes(part));

describe.each(nativeExamples)('the example %s', (example) => {
  const missing = missingTool(example);
  const start = (config: Json, name = example as string) =>
    runPlugin(requestFor(buildExample(example), { name }), config, loaderOf(example));
  const test = it.skipIf(missing !== undefined);
  if (missing !== undefined) it.skip(missing, () => undefined);

  test('uses its config', async () => {
    await using plugin = await start({ stamp: 'k7' });
    expect(plugin.lines).toMatchObject([{ level: 'info', message: `${example} with the stamp k7` }]);
    expect(plugin.call('httpTransportResponseHeadersHook', { statusCode: 200, headers: {} })).toEqual({
      headers: { [`x-${example}`]: 'k7' },
    });
  }, 120_000);

  test('refuses a config that is wrong, naming the member', async () => {
    await expect(start({ stamp: 7 })).rejects.toThrow(/stamp/);
  });

  test('stamps texts of a stream and leaves what else is in the event', async () => {
    await using plugin = await start({ stamp: 'k7' });
    const event = {
      type: 'text-delta',
      part: 'p0',
      text: 'Grüße "1" \\ 🎈\n',
      candidate: 1,
      extra: { a: [1.5, null] },
    };
    expect(plugin.call('streamEventHook', event)).toEqual([{ ...event, text: `[k7]${event.text}` }]);
    for (const other of [
      { type: 'text-end', part: 'p0' },
      { type: 'reasoning-delta', part: 'p0', text: 'x' },
    ]) {
      expect(plugin.call('streamEventHook', other)).toBeUndefined();
    }
  });

  test('refuses a request by an error of its own', async () => {
    const [config, request] = denial[example];
    await using plugin = await start(config);
    const input = { isStream: false, fallbacks: [], ...request };
    expect(plugin.call('preLLMHook', input)).toMatchObject({
      error: {
        statusCode: 403,
        origin: 'plugin',
        allowFallbacks: false,
        message: expect.stringContaining('not allowed') as unknown,
      },
    });
    expect(
      plugin.call('preLLMHook', { ...input, model: 'mock/other', conversation: { messages: [] } }),
    ).toBeUndefined();
  });

  test('counts in the state that all threads share', async () => {
    await using plugin = await start({});
    for (let index = 0; index < 3; index++)
      plugin.call('preRequestHook', { model: 'm', isStream: false, fallbacks: [] });
    expect(plugin.shared.get('requests')).toBe(3);
    expect(plugin.lines.some((line) => JSON.stringify(line).includes('3'))).toBe(true);
  });

  // Values of JavaScript need no attachments: the add-on leaves this out.
  if (example === 'native-addon') return;
  test('puts a line break behind the body of an answer', async () => {
    await using plugin = await start({});
    const body = Buffer.from([0, 255, 10]);
    expect(plugin.call('httpTransportPostHook', { statusCode: 200, headers: {}, body })).toEqual({
      body: Buffer.from([0, 255, 10, 10]),
    });
    expect(plugin.call('httpTransportPostHook', { statusCode: 200, headers: {} })).toBeUndefined();
    expect(plugin.call('inject', { statusCode: 200, attempts: [] })).toBeUndefined();
  });
});

const reloadMany = join(import.meta.dirname, '__tests__/reload-many.ts');

interface Reloaded {
  readonly wrong: number;
  readonly left: number;
  readonly held: readonly {
    readonly libraries: number;
    readonly mappings: number;
    readonly residentBytes: number;
    readonly arrayBufferBytes: number;
  }[];
}

describe.each(['native-c', 'native-rust'] as const)('%s', (example) => {
  it.skipIf(missingTool(example) !== undefined)(
    'is replaced 300 times without growth',
    async () => {
      const flags = ['--expose-gc', '--disable-warning=ExperimentalWarning'];
      const { stdout } = await run(process.execPath, [...flags, reloadMany, buildExample(example)]);
      const { wrong, left, held } = JSON.parse(stdout) as Reloaded;
      expect([wrong, left]).toEqual([0, 0]);
      const [first, , , , , last] = held;
      if (first === undefined || last === undefined) throw new Error('expected six figures');
      // Each library has five mappings; one is loaded at a time.
      expect(held.map(({ libraries }) => libraries)).toEqual(held.map(() => first.libraries));
      // 250 libraries that stayed would be 1,250 mappings; V8 adds some tens of its own, and stops.
      expect(last.mappings - first.mappings).toBeLessThan(250);
      // 250 sets of structs that stayed would be 16 MB.
      expect(last.arrayBufferBytes - first.arrayBufferBytes).toBeLessThan(2_000_000);
      // V8 takes some tens of MB once, for its compilers, at a time of its choice.
      expect(last.residentBytes - first.residentBytes).toBeLessThan(60_000_000);
    },
    60_000,
  );
});

describe('a Go library', () => {
  const test = it.skipIf(missingTool('native-go') !== undefined);

  test('is loaded again under another config, as its code is the same, without a second runtime', async () => {
    const name = 'go-again';
    for (const stamp of ['1', '2', '3']) {
      await using plugin = await runPlugin(requestFor(buildExample('native-go'), { name }), { stamp });
      const event = { type: 'text-delta', part: '0', text: 'x' };
      expect(plugin.call('streamEventHook', event)).toEqual([{ ...event, text: `[${stamp}]x` }]);
    }
    const files = new Set(mappingsOf(`/${name}-`).map((line) => line.replace(/^.* \//, '/')));
    expect(files.size).toBe(1);
  });

  test('that has changed is refused, as the old one cannot be unloaded', async () => {
    const changed = buildExample('native-go', 'changed');
    await using old = await runPlugin(requestFor(buildExample('native-go'), { name: 'go-changed' }));
    await expect(nativeLoader.load(requestFor(changed, { name: 'go-changed' }))).rejects.toMatchObject({
      code: 'BF_PLUGIN_NATIVE_GO_RELOAD',
      message:
        'plugin go-changed: the library is made by Go, whose runtime is never unloaded, and another version of it is loaded in this ' +
        'process: set `isolation: "process"` for this plugin, where each reload is a new process, or restart the gateway',
    });
    expect(old.call('inject', {})).toBeUndefined();
  }, 60_000);
});

describe('threads', () => {
  it.each(['native-c', 'native-rust', 'native-go', 'native-addon'] as const)(
    'two call %s at once, each its own plugin of one library',
    async (example) => {
      if (missingTool(example) !== undefined) return;
      const file = buildExample(example);
      const workers = ['a', 'b'].map(
        (stamp) =>
          new Worker(new URL('./__tests__/call-in-thread.ts', import.meta.url), {
            workerData: { file, stamp, kind: example === 'native-addon' ? 'node-addon' : 'native', calls: 20_000 },
            execArgv: ['--disable-warning=ExperimentalWarning'],
          }),
      );
      const results = await Promise.all(
        workers.map(async (worker) => {
          const ended = once(worker, 'exit');
          const [result] = (await once(worker, 'message')) as [unknown];
          await ended;
          return result;
        }),
      );
      expect(results).toEqual([
        { stamp: 'a', right: 20_000 },
        { stamp: 'b', right: 20_000 },
      ]);
    },
    60_000,
  );

  it('that is ended without cleanup leaves no library behind', async () => {
    const worker = new Worker(new URL('./__tests__/call-in-thread.ts', import.meta.url), {
      workerData: { file: buildExample('native-c'), stamp: 'x', kind: 'native', calls: 1, name: 'ended', stay: true },
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    await once(worker, 'message');
    expect(mappingsOf('/ended-').length).toBeGreaterThan(0);
    await worker.terminate();
    expect(mappingsOf('/ended-')).toEqual([]);
  });
});
