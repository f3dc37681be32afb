/** A plugin is reloaded under live streams in one cell of artefact and isolation after the other; the full size is a benchmark. */
import { describe, expect, it } from 'vitest';
import { startBenchUpstream } from '@bifrost/testkit';
import { missingContractTool, reloadUnderLoad } from '@bifrost/testkit/contract';
import type { PluginCell } from './plugin-cells.ts';
import { cellEntry, cellName } from './plugin-cells.ts';
import { PluginGateway } from './plugin-gateway.ts';

const threads = 2;
const cells: readonly PluginCell[] = [
  { language: 'module', isolation: 'inline' },
  { language: 'module', isolation: 'worker' },
  { language: 'module', isolation: 'process' },
  { language: 'wasm', isolation: 'inline' },
  { language: 'native-c', isolation: 'inline' },
];

describe.each(cells)('$language in $isolation', (cell) => {
  it.skipIf(missingContractTool(cell.language) !== undefined)(
    'is reloaded 12 times under 60 streams: nothing fails, nothing is cut, each answer is of one generation',
    { timeout: 180_000 },
    async () => {
      await using upstream = await startBenchUpstream();
      const key = { name: 'bench', value: 'sk-bench', models: ['*'], weight: 1 };
      const openai = { keys: [key], network_config: { base_url: upstream.url } };
      await using gateway = await PluginGateway.start({ threads, config: { providers: { openai } } });
      const name = cellName(cell);
      await gateway.add({ ...cellEntry(cell), config: { stamp: 'g0' } });
      const report = await reloadUnderLoad({
        url: gateway.url,
        reload: (stamp) => gateway.change(name, { config: { stamp } }),
        streams: 60,
        reloads: 12,
        everyMs: 150,
        rate: 20,
        streamModel: 'openai/bench-stream-20-gap-50',
        // The first chunk has the role, the last the reason of the end.
        chunks: 18,
        plainModel: 'openai/bench-model',
      });
      expect(report.faults).toEqual([]);
      expect(report.generations).toBeGreaterThan(6);
      expect(report.spanning).toBeGreaterThan(30);
      // Each instance is begun once; of all that were begun, only those that serve are not ended.
      const instances = cell.isolation === 'inline' ? threads : 1;
      await expect.poll(() => gateway.instances(name), { timeout: 20_000 }).toMatchObject({ live: instances });
      expect(gateway.instances(name).inits).toBeGreaterThanOrEqual(13 * instances);
    },
  );
});
