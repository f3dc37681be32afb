/**
 * Reloads and clients that give up leave nothing behind in the running program; the full sizes are benchmarks (`plugin-reload.ts`,
 * `soak.ts`), whose pieces are used here.
 */
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { missingContractTool } from '@bifrost/testkit/contract';
import { heldMegabytes, MemoryProbe } from '../../../../benchmarks/src/memory-parts.ts';
import { holdingsOf } from '../../../../benchmarks/src/plugin-memory.ts';
import { SoakClient } from '../../../../benchmarks/src/soak-client.ts';
import { nextRequest, randomNumbers } from '../../../../benchmarks/src/soak-mix.ts';
import { startUpstream } from '../../../../benchmarks/src/upstream.ts';
import { cellEntry, cellName } from './plugin-cells.ts';
import { PluginGateway } from './plugin-gateway.ts';

const key = { name: 'k', value: 'sk', models: ['*'], weight: 1 };

async function startWatched(
  upstreamPort = 9,
): Promise<{ readonly gateway: PluginGateway; readonly probe: MemoryProbe }> {
  const probe = new MemoryProbe();
  const { nodeFlags, environment } = probe;
  const openai = { keys: [key], network_config: { base_url: `http://127.0.0.1:${upstreamPort}` } };
  const gateway = await PluginGateway.start({ config: { providers: { openai } }, nodeFlags, environment });
  return { gateway, probe };
}

/** What the program has open once what ends has ended. */
async function settledHoldings(pid: number, expected?: object): Promise<object> {
  for (let tries = 0; ; tries += 1) {
    const { descriptors, threads, children } = holdingsOf(pid);
    const held = { descriptors, threads, children };
    if (tries === 100 || (expected !== undefined && JSON.stringify(held) === JSON.stringify(expected))) return held;
    if (expected === undefined && tries === 10) return held;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const cells = [
  { language: 'module', isolation: 'worker', reloads: 20 },
  { language: 'module', isolation: 'process', reloads: 4 },
  { language: 'grpc-typescript', isolation: 'grpc', reloads: 4 },
] as const;

describe.skipIf(process.platform !== 'linux').each(cells)('$language in $isolation', ({ reloads, ...cell }) => {
  it.skipIf(missingContractTool(cell.language) !== undefined)(
    `is reloaded ${reloads} times: threads, children and descriptors are as before, and no realm is held`,
    async () => {
      const { gateway, probe } = await startWatched();
      await using _started = gateway;
      const name = cellName(cell);
      await gateway.add({ ...cellEntry(cell), config: { stamp: 'g0' } });
      const reload = (stamp: number): Promise<void> => gateway.change(name, { config: { stamp: `g${stamp}` } });
      for (let stamp = 1; stamp <= 2; stamp += 1) await reload(stamp);
      const before = await settledHoldings(gateway.pid);
      const heldBefore = heldMegabytes(await probe.look({ doesCollect: true }));
      for (let stamp = 3; stamp < 3 + reloads; stamp += 1) await reload(stamp);
      expect(await settledHoldings(gateway.pid, before)).toEqual(before);
      const heldMore = heldMegabytes(await probe.look({ doesCollect: true })) - heldBefore;
      console.log(`${name}: ${heldMore.toFixed(1)} MB held more, code that was compiled meanwhile included`);
      // One realm that is kept is as much.
      expect(heldMore).toBeLessThan(8);
    },
  );
});

describe.skipIf(process.platform !== 'linux')('requests of which a third is given up at any point', () => {
  it('leave no socket and no memory behind', async () => {
    const upstream = await startUpstream(0);
    const { gateway, probe } = await startWatched((upstream.address() as AddressInfo).port);
    await using _started = gateway;
    const port = Number(new URL(gateway.url).port);
    const random = randomNumbers(7);
    const ends: Record<string, number> = {};
    const round = async (): Promise<void> => {
      const send = async (): Promise<void> => {
        let client = new SoakClient(port);
        for (let sent = 0; sent < 60; sent += 1) {
          if (client.isClosed) client = new SoakClient(port);
          const end = await client.send(nextRequest(random, 1 / 3));
          const word = typeof end === 'string' ? end : end.failure;
          ends[word] = (ends[word] ?? 0) + 1;
        }
        client.close();
      };
      await Promise.all(Array.from({ length: 20 }, send));
    };
    /** Of the descriptors, those that are not kept connections to the provider. */
    const ownDescriptors = async (): Promise<number> => {
      const kept = await new Promise<number>((resolve) => upstream.getConnections((_error, count) => resolve(count)));
      return holdingsOf(gateway.pid).descriptors - kept;
    };
    const atStart = await ownDescriptors();
    await round();
    const heldBefore = heldMegabytes(await probe.look({ doesCollect: true }));
    for (let more = 0; more < 2; more += 1) await round();
    await expect.poll(ownDescriptors, { timeout: 10_000 }).toBe(atStart);
    const heldMore = heldMegabytes(await probe.look({ doesCollect: true })) - heldBefore;
    console.log(`${JSON.stringify(ends)}: ${heldMore.toFixed(1)} MB held more after 2400 requests`);
    expect(Object.keys(ends).toSorted()).toEqual(['aborted', 'answered']);
    expect(ends['aborted']).toBeGreaterThan(900);
    expect(heldMore).toBeLessThan(6);
    upstream.close();
  });
});
