import { afterEach, describe, expect, it } from 'vitest';
import type { PluginRun } from '@bifrost/core';
import { createPluginHost } from '../../create-plugin-host.ts';
import type { PluginHost } from '../../plugin-host.ts';
import type { PluginGeneration } from '../../plugin-generation.ts';
import type { PluginPlan } from '../../plugin-plan.ts';
import { committed } from './__tests__/example-files.ts';
import { facts, logTo } from './__tests__/open-guest.ts';
import { wasmLoader } from './index.ts';

const lines: string[] = [];

function createHost(): PluginHost {
  return createPluginHost({
    logger: logTo(lines),
    loaders: (kind) => (kind === 'wasm' ? Promise.resolve(wasmLoader) : undefined),
  });
}

function planOf(generation: number, file: string, config: Record<string, string>): PluginPlan {
  return {
    generation,
    plugins: [
      {
        entry: { name: 'guest', path: file, enabled: true, config },
        load: generation,
        source: { kind: 'inline', artefact: { file, kind: 'wasm' } },
      },
    ],
  };
}

function openRun({ chains }: PluginGeneration): PluginRun {
  const run = chains?.open({ ...facts, isStream: true }, {}, new AbortController().signal);
  if (run === undefined || run === null) throw new Error('no chain');
  return run;
}

async function stampOf(run: PluginRun): Promise<unknown> {
  const chunk = await run.streamChunk({ data: '{}', index: 0 });
  return chunk !== null && 'data' in chunk ? (JSON.parse(chunk.data) as { stamp?: unknown }).stamp : chunk;
}

afterEach(() => {
  lines.length = 0;
});

describe('a WebAssembly plugin in the host of a thread', () => {
  it('is swapped while a stream runs: each stream keeps the generation that it began with', async () => {
    const host = createHost();
    const first = await host.prepare(planOf(1, committed('wasm-c'), { stamp: 'v1' }));
    const old = openRun(first);
    void old.httpPre({ method: 'POST', path: '/', query: {}, headers: {} });
    expect(await stampOf(old)).toBe('v1');
    const second = await host.prepare(planOf(2, committed('wasm-c'), { stamp: 'v2' }));
    const retired = first.retire();
    const young = openRun(second);
    void young.httpPre({ method: 'POST', path: '/', query: {}, headers: {} });
    expect([await stampOf(young), await stampOf(old), await stampOf(young)]).toEqual(['v2', 'v1', 'v2']);
    expect(host.counts).toEqual({ inits: 2, cleanups: 0, live: 2 });
    old.finish({ facts, statusCode: 200, startedAt: 0, latencyMs: 1, attempts: [], lane: 'identical' });
    await retired;
    expect(host.counts).toEqual({ inits: 2, cleanups: 1, live: 1 });
    expect(await stampOf(young)).toBe('v2');
    expect(host.report(second).statuses).toMatchObject([{ name: 'guest', state: 'active', actualName: 'wasm-c' }]);
  });

  it('is replaced a hundred times, and every instance is begun and ended once', async () => {
    const host = createHost();
    let current = await host.prepare(planOf(1, committed('wasm-rust'), { stamp: '1' }));
    for (let generation = 2; generation <= 100; generation += 1) {
      const next = await host.prepare(planOf(generation, committed('wasm-rust'), { stamp: String(generation) }));
      await current.retire();
      current = next;
    }
    expect(host.counts).toEqual({ inits: 100, cleanups: 99, live: 1 });
  });

  it('that cannot be loaded is a status with the reason, and nothing else changes', async () => {
    const host = createHost();
    const first = await host.prepare(planOf(1, committed('wasm-c'), { stamp: 'v1' }));
    const broken = await host.prepare(planOf(2, import.meta.filename, {}));
    expect(host.report(broken).statuses).toMatchObject([
      { name: 'guest', state: 'error', code: 'BF_PLUGIN_WASM_INVALID' },
    ]);
    expect(JSON.stringify(host.report(broken).statuses)).toContain('it is not a WebAssembly file');
    const run = openRun(first);
    void run.httpPre({ method: 'POST', path: '/', query: {}, headers: {} });
    expect(await stampOf(run)).toBe('v1');
  });
});
