import type { ConversationRequest } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import { buildExample, missingTool } from '../artefacts/native/__tests__/native-builds.ts';
import type { NativeExample } from '../artefacts/native/__tests__/native-builds.ts';
import { committed } from '../artefacts/wasm/__tests__/example-files.ts';
import { remotePlugin, request, trace } from './__tests__/remote-fixture.ts';
import type { Isolation } from './__tests__/remote-fixture.ts';

const natives = ['native-c', 'native-rust', 'native-go', 'native-addon'] as const satisfies readonly NativeExample[];

const conversation = {
  model: 'm',
  stream: false,
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'hello' }] }],
} as unknown as ConversationRequest;

describe.each(['worker', 'process'] as const)(
  'artefacts that are no modules, in isolation: %s',
  (isolation: Isolation) => {
    it.each(natives)('%s is loaded and called, where native code is granted', { timeout: 120_000 }, async (example) => {
      const missing = missingTool(example);
      if (missing !== undefined) {
        console.log(missing);
        return;
      }
      const file = buildExample(example);
      const kind = example === 'native-addon' ? 'node-addon' : 'native';
      await using fixture = await remotePlugin(isolation, '', {
        entry: { config: { stamp: 'k7' }, capabilities: { native: true } },
        start: { artefact: { file, kind } },
      });
      const run = fixture.open();
      expect(await run.responseHeaders({ statusCode: 200, headers: {} })).toEqual({ [`x-${example}`]: 'k7' });
      run.finish(trace);
      expect(fixture.lines.filter((line) => line.startsWith('error'))).toEqual([]);
    });

    it.each(['wasm-c', 'wasm-rust', 'wasm-assemblyscript'] as const)('%s is loaded and called', async (example) => {
      await using fixture = await remotePlugin(isolation, '', {
        entry: { config: { stamp: 'k7' } },
        start: { artefact: { file: committed(example), kind: 'wasm' } },
      });
      expect(Object.keys(fixture.plugin.description.hooks)).not.toEqual([]);
      const run = fixture.open({ isStream: true });
      for (const model of ['gpt-4o', 'forbidden']) await run.preLLM({ ...request, model, conversation });
      if (example === 'wasm-c') expect(JSON.stringify(await run.streamChunk({ data: '{}', index: 0 }))).toContain('k7');
      run.finish(trace);
      expect(fixture.lines.filter((line) => line.startsWith('error'))).toEqual([]);
    });
  },
);

describe('native code in a process', () => {
  it.skipIf(missingTool('native-c') !== undefined)('is refused without its grant, and told the key', async () => {
    const start = { artefact: { file: buildExample('native-c'), kind: 'native' } } as const;
    await expect(remotePlugin('process', '', { start })).rejects.toThrow(/capabilities.*native/);
  });
});
