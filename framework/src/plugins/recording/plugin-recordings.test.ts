import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RequestFacts, RequestTrace } from '@bifrost/sdk';
import { pluginFolder } from '../__tests__/plugin-folder.ts';
import { createPluginHost } from '../create-plugin-host.ts';
import type { PluginGeneration } from '../plugin-generation.ts';
import { openCaptureKey } from './capture-key.ts';
import type { CaptureSummary } from './capture-recorder.ts';
import { PluginRecordings } from './plugin-recordings.ts';
import { readCapture } from './read-capture.ts';

let directory = '';
let key: Buffer;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bifrost-recordings-'));
  key = openCaptureKey(join(directory, 'recordings.key'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

async function ask({ chains }: PluginGeneration, requestId: string): Promise<void> {
  const facts: RequestFacts = {
    requestId,
    requestType: 'chat_completion',
    method: 'POST',
    path: '/x',
    isStream: false,
  };
  const run = chains?.open(facts, {}, new AbortController().signal);
  await run?.preRequest({ model: 'm', isStream: false, fallbacks: [] });
  const trace: RequestTrace = { facts, statusCode: 200, startedAt: 0, latencyMs: 1, attempts: [], lane: 'none' };
  run?.finish(trace);
}

describe('the recordings of a thread', () => {
  it('are begun and ended while it serves, each with the calls of its plugin in the requests it wants', async () => {
    using folder = pluginFolder({
      'a.mjs': "export default { name: 'a', preRequestHook: () => ({ model: 'from a' }) };",
      'b.mjs': "export default { name: 'b', preRequestHook() {} };",
    });
    const ended: CaptureSummary[] = [];
    const recorder = new PluginRecordings((summary) => ended.push(summary));
    const host = createPluginHost({ logger: silent, baseDirectory: folder.path, recorder });
    const generation = await host.load([
      { name: 'a', path: './a.mjs', enabled: true },
      { name: 'b', path: './b.mjs', enabled: true },
    ]);
    await ask(generation, 'before');
    const file = recorder.start({ plugin: 'a', directory, key, maxRequests: 2 });
    recorder.start({ plugin: 'b', directory, key, isWanted: ({ requestId }) => requestId === 'third' });
    for (const id of ['first', 'second', 'third']) await ask(generation, id);
    const summary = await recorder.stop('a');
    expect(summary).toMatchObject({ file, calls: 2, requests: 2, leftOut: 0 });
    const { calls } = readCapture(file, key);
    expect(calls.map(({ facts }) => facts.requestId)).toEqual(['first', 'second']);
    expect(calls[0]).toMatchObject({
      plugin: 'a',
      hook: 'preRequestHook',
      output: { model: 'from a' },
      input: { model: 'm' },
    });
    await recorder.close();
    expect(ended).toHaveLength(2);
    expect(ended[1]).toMatchObject({ calls: 1, requests: 1 });
    const other = readCapture(ended[1]?.file ?? '', key).calls;
    expect(other).toMatchObject([{ plugin: 'b', input: { model: 'from a' }, facts: { requestId: 'third' } }]);
    expect(await recorder.stop('a')).toBeUndefined();
    await generation.retire();
  });

  it('begin anew where one runs already, and lose nothing of the one before', async () => {
    const recorder = new PluginRecordings();
    const first = recorder.start({ plugin: 'a', directory, key });
    const second = recorder.start({ plugin: 'a', directory, key });
    expect(second).not.toBe(first);
    expect(await recorder.stop('a')).toMatchObject({ file: second });
    await expect.poll(() => readCapture(first, key).end).toEqual({ calls: 0, requests: 0, leftOut: 0 });
  });
});
