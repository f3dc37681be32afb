/** Plugins are swapped in real serving threads under live traffic: nothing fails, nothing is cut, each answer is of one version. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PluginEntry } from '@bifrost/framework/plugins';
import { startTestServer, testConfig } from '../__tests__/test-server.ts';
import type { TestServer } from '../__tests__/test-server.ts';

/** Answers chat streams itself, with as many deltas as the model says, one every 20 ms. */
const talker = `
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  async function* talk(count) {
    yield { type: 'response-start', id: 'x', model: 'm' };
    yield { type: 'text-start', part: '0' };
    for (let n = 0; n < count; n += 1) { yield { type: 'text-delta', part: '0', text: 'x' }; await sleep(20); }
    yield { type: 'text-end', part: '0' };
    yield { type: 'finish', reason: { kind: 'stop' } };
  }
  export const preLLMHook = (ctx, request) =>
    request.model.startsWith('talk-') ? { stream: talk(Number(request.model.slice(5))) } : undefined;`;

/** Stamps every delta of a stream and the head of every answer. */
const stamper = (stamp: string): string => `
  export const streamEventHook = (ctx, event) => (event.type === 'text-delta' ? [{ ...event, text: '[${stamp}]' }] : undefined);
  export const httpTransportResponseHeadersHook = () => ({ headers: { 'x-stamp': '${stamp}' } });
  export const preRequestHook = (ctx) => void ctx.shared.add('requests');
  export const httpTransportPreHook = (ctx, request) =>
    request.headers['x-count'] === undefined ? undefined : { response: { statusCode: 200, headers: {}, body: String(ctx.shared.add('requests', 0)) } };`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-swap-'));
  mkdirSync(join(folder, 'p'));
  writeFileSync(join(folder, 'talker.mjs'), talker);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

function entry(name: string, path: string, rest: Partial<PluginEntry> = {}): PluginEntry {
  return { name, path, enabled: true, probationMs: 0, ...rest };
}

async function start(plugins: readonly PluginEntry[], threads: number): Promise<TestServer> {
  return startTestServer({}, { threads, engineModule: '@bifrost/core', config: { ...testConfig({}), plugins } });
}

interface Answer {
  readonly stamps: ReadonlySet<string>;
  readonly deltas: number;
  readonly isWhole: boolean;
}

async function stream(url: string, deltas: number): Promise<Answer> {
  const body = JSON.stringify({
    model: `mock/talk-${deltas}`,
    stream: true,
    messages: [{ role: 'user', content: 'x' }],
  });
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body });
  const text = await response.text();
  const found = [...text.matchAll(/\[(v\d+)\]/g)].map((match) => match[1] ?? '');
  const stamps = new Set([...found, response.headers.get('x-stamp') ?? '']);
  return { stamps, deltas: found.length, isWhole: response.status === 200 && text.trimEnd().endsWith('data: [DONE]') };
}

async function plain(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const body = JSON.stringify({ model: 'mock/plain', messages: [{ role: 'user', content: 'x' }] });
  return fetch(`${url}/v1/chat/completions`, { method: 'POST', body, headers });
}

describe.each([1, 2])('with %i serving threads', (threads) => {
  it(
    'a plugin is reloaded 24 times under streams and requests, threads are recycled meanwhile',
    { timeout: 120_000 },
    async () => {
      const path = file(`stamper-${threads}.mjs`, stamper('v0'));
      const plugins = [entry('stamper', path), entry('talker', join(folder, 'talker.mjs'))];
      await using gateway = await start(plugins, threads);
      const { url, server } = gateway;
      let isOver = false;
      const faults: unknown[] = [];
      let [streams, requests] = [0, 0];
      const stampsSeen = new Set<string>();
      const streaming = Array.from({ length: 30 }, async (_, index) => {
        while (!isOver) {
          const answer = await stream(url, 10 + (index % 20)).catch((error: unknown) => error as Error);
          if (
            answer instanceof Error ||
            !answer.isWhole ||
            answer.stamps.size !== 1 ||
            answer.deltas !== 10 + (index % 20)
          )
            faults.push(answer);
          else for (const stamp of answer.stamps) stampsSeen.add(stamp);
          streams += 1;
        }
      });
      const asking = Array.from({ length: 3 }, async () => {
        while (!isOver) {
          const response = await plain(url).catch((error: unknown) => error as Error);
          if (response instanceof Error || response.status !== 200) faults.push(response);
          else await response.text();
          requests += 1;
        }
      });
      for (let version = 1; version <= 24; version += 1) {
        writeFileSync(path, stamper(`v${version}`));
        await server.plugins.reload('stamper');
        // The swap is made when the reload is: what begins now is of the new version.
        expect((await plain(url)).headers.get('x-stamp')).toBe(`v${version}`);
      }
      await gateway.logged(/is recycled: 10 or more modules/);
      isOver = true;
      await Promise.all([...streaming, ...asking]);
      expect(faults).toEqual([]);
      expect(stampsSeen.size).toBeGreaterThan(5);
      expect(streams).toBeGreaterThan(60);
      await expect
        .poll(async () => (await server.plugins.refresh()).map(({ instances }) => instances), { timeout: 20_000 })
        .toEqual([
          { serving: threads, draining: 0 },
          { serving: threads, draining: 0 },
        ]);
      // What threads and versions have counted together, in one memory.
      expect(Number(await (await plain(url, { 'x-count': '1' })).text())).toBe(streams + requests + 24);
      await expect.poll(() => server.plugins.counts.live, { timeout: 20_000 }).toBe(2 * threads);
      const { inits, cleanups, live } = server.plugins.counts;
      expect(cleanups).toBe(inits - live);
      const calls = streams + requests + 24 + 1;
      const ofStamper = (await server.plugins.figures()).find(({ plugin }) => plugin === 'stamper');
      expect(ofStamper?.hooks.httpTransportPreHook).toMatchObject({ calls, errors: 0 });
      const metrics = await (await fetch(`${url}/metrics`)).text();
      const valueOf = (series: string, labels: RegExp): string | undefined =>
        metrics
          .split('\n')
          .find((line) => line.startsWith(series) && labels.test(line))
          ?.split(' ')[1];
      const preHook = /stamper.*httpTransportPreHook|httpTransportPreHook.*stamper/;
      expect(valueOf('bifrost_plugin_hook_calls_total', preHook)).toBe(String(calls));
      expect(valueOf('bifrost_plugin_hook_seconds_count', preHook)).toBe(String(calls));
      expect(valueOf('bifrost_plugin_status', /stamper.*active/)).toBe(String(threads));
      expect(valueOf('bifrost_plugin_inits_total', /./)).toBe(String(inits));
    },
  );

  it('a thread that is replaced comes up on the plugins of now, not of the start', { timeout: 60_000 }, async () => {
    const path = file(`replaced-${threads}.mjs`, stamper('v0'));
    await using gateway = await start([entry('stamper', path)], threads);
    const { server, url } = gateway;
    writeFileSync(path, stamper('v1'));
    await server.plugins.reload('stamper');
    const hurting = file(
      `hurting-${threads}.mjs`,
      `export const httpTransportPreHook = (ctx, request) => { if (request.headers['x-hurt'] === 'loop') for (;;); };`,
    );
    await server.plugins.add(entry('hurting', hurting));
    const before = server.threads;
    await plain(url, { 'x-hurt': 'loop', connection: 'close' }).catch(() => undefined);
    await expect
      .poll(() => server.threads.filter((number) => !before.includes(number)).length, { timeout: 20_000 })
      .toBe(1);
    await expect
      .poll(() => server.plugins.list().map(({ name, state }) => `${name} ${state}`))
      .toEqual(['stamper active', 'hurting error']);
    // The thread that was not hurt does without it too, now.
    await expect.poll(() => server.plugins.generation).toBe(4);
    expect(server.plugins.list()[1]?.message).toMatch(/^it is quarantined: it blocked serving thread \d+ for \d+ ms$/);
    for (let index = 0; index < 8; index += 1)
      expect((await plain(url, { connection: 'close', 'x-hurt': 'loop' })).headers.get('x-stamp')).toBe('v1');
  });
});
