/** `watch: true` in the running program with two serving threads: what an editor does to a file, and what requests see of it. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PluginGateway } from './plugin-gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'bifrost-watch-'));
const write = (name: string, content: string | Uint8Array): void => {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
};

const main = (word: string): string =>
  `import { part } from './parts/part.mjs';
   export default { name: 'one', httpTransportResponseHeadersHook: (context) => ({ headers: { ['x-' + context.config.as]: '${word} ' + part } }) };`;
const part = (word: string): string => `export const part = '${word}';`;

const guest = readFileSync(new URL('../../../../examples/plugins/wasm-c/plugin.wasm', import.meta.url));
/** The example with another greeting of the same length. */
const greeting = (text: string): Uint8Array =>
  Buffer.from(guest.toString('latin1').replace('Hello from C', text), 'latin1');

let gateway: PluginGateway;
let traffic: Promise<readonly number[]>;
let isOver = false;

const ask = (): Promise<Response> =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'mock/m', messages: [{ role: 'user', content: 'Hi' }] }),
  });

/** Requests all the while: none may fail, whatever is saved. */
async function keepAsking(): Promise<readonly number[]> {
  const statuses: number[] = [];
  while (!isOver) {
    statuses.push((await ask()).status);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return statuses;
}

beforeAll(async () => {
  for (const name of ['inline', 'process']) {
    write(`${name}/main.mjs`, main('one'));
    write(`${name}/parts/part.mjs`, part('part'));
  }
  write('wasm/plugin.wasm', guest);
  const entries = [
    { name: 'inline', path: join(folder, 'inline/main.mjs'), config: { as: 'inline' } },
    { name: 'process', path: join(folder, 'process/main.mjs'), isolation: 'process', config: { as: 'process' } },
    { name: 'wasm', path: join(folder, 'wasm/plugin.wasm') },
  ];
  const plugins = entries.map((entry) => ({ ...entry, watch: true, probation_seconds: 0 }));
  gateway = await PluginGateway.start({ threads: 2, config: { plugins } });
  traffic = keepAsking();
}, 60_000);

afterAll(async () => {
  isOver = true;
  const statuses = await traffic;
  await gateway[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
  expect([statuses.length > 50, statuses.filter((status) => status !== 200)]).toEqual([true, []]);
});

const waits = { timeout: 15_000, interval: 50 };
/** What the plugin says on answers, of either thread: until all of some have it. */
const says = (header: string, text: string): Promise<void> =>
  expect
    .poll(
      async () =>
        new Set((await Promise.all(Array.from({ length: 6 }, ask))).map(({ headers }) => headers.get(header))),
      waits,
    )
    .toEqual(new Set([text]));
/** How often it was loaded, the start included. */
const loads = (name: string): number => gateway.output.split(`Plugin loaded successfully: ${name}`).length - 1;

describe.each(['inline', 'process'])('a watched module, %s', (name) => {
  const header = `x-${name}`;

  it('serves what was saved: its file, one that it imports, one that an editor puts in the place of the old one', async () => {
    await says(header, 'one part');
    write(`${name}/main.mjs`, main('two'));
    await says(header, 'two part');
    write(`${name}/parts/part.mjs`, part('piece'));
    await says(header, 'two piece');
    write(`${name}/.main.mjs.swp`, main('three'));
    renameSync(join(folder, name, '.main.mjs.swp'), join(folder, name, 'main.mjs'));
    await says(header, 'three piece');
  });

  it('serves on as it was while what is saved is broken, its status says why, and a repair is taken', async () => {
    write(`${name}/parts/part.mjs`, 'export const part = ;');
    await expect
      .poll(async () => (await gateway.plugin(name)).lastError?.message, waits)
      .toMatch(/part\.mjs.*Unexpected token/);
    expect((await gateway.plugin(name)).status).toMatchObject({
      status: 'active',
      logs: [expect.stringContaining('Unexpected token')],
    });
    await says(header, 'three piece');
    write(`${name}/parts/part.mjs`, part('mended'));
    await says(header, 'three mended');
    expect((await gateway.plugin(name)).lastError).toBeNull();
  });

  it('is not loaded for each of many quick saves', async () => {
    const before = loads(name);
    for (let n = 0; n <= 20; n += 1) {
      write(`${name}/main.mjs`, main(`draft-${n}`));
      write(`${name}/parts/part.mjs`, part(`piece-${n}`));
    }
    await says(header, 'draft-20 piece-20');
    // Two where this process had to wait for its turn between two of the saves.
    expect(loads(name) - before).toBeLessThanOrEqual(2);
  });

  it('serves on while its folder is gone, and anew when that is back', async () => {
    rmSync(join(folder, name), { recursive: true });
    await expect.poll(async () => (await gateway.plugin(name)).lastError?.code, waits).toBe('BF_PLUGIN_FILE_MISSING');
    await says(header, 'draft-20 piece-20');
    write(`${name}/parts/part.mjs`, part('back'));
    write(`${name}/main.mjs`, main('is'));
    await says(header, 'is back');
    write(`${name}/main.mjs`, main('and'));
    await says(header, 'and back');
  });
});

describe('a watched WebAssembly file', () => {
  it('is taken as it is built, and not while it is broken or gone', async () => {
    await says('x-wasm-c', 'Hello from C');
    write('wasm/plugin.wasm', greeting('Hello from 2'));
    await says('x-wasm-c', 'Hello from 2');
    write('wasm/plugin.wasm', guest.subarray(0, 5000));
    await expect.poll(async () => (await gateway.plugin('wasm')).lastError?.message, waits).toMatch(/wasm/i);
    await says('x-wasm-c', 'Hello from 2');
    rmSync(join(folder, 'wasm/plugin.wasm'));
    await expect.poll(async () => (await gateway.plugin('wasm')).lastError?.code, waits).toBe('BF_PLUGIN_FILE_MISSING');
    write('wasm/plugin.wasm', greeting('Hello from 3'));
    await says('x-wasm-c', 'Hello from 3');
    expect((await gateway.plugin('wasm')).status.status).toBe('active');
  });
});
