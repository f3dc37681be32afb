/** The bundle that `make run` starts. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleProgram } from '../build/bundle-program.ts';
import { writeBundle } from '../build/write-bundle.ts';
import { assertBuiltins } from './assert-builtins.ts';
import { runGateway } from './run-gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'bifrost-bundle-'));
const stamp = { kind: 'bundle', version: '0.0.0', commit: 'unknown', buildTime: 'unknown' } as const;
beforeAll(async () => writeBundle(folder, await bundleProgram(stamp)));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Status of a completion over the connection of an agent; the error's code where there is none. */
function complete(url: string, agent: Agent, headers: Readonly<Record<string, string>> = {}): Promise<number | string> {
  const body = JSON.stringify({ model: 'mock/hello', messages: [{ role: 'user', content: 'Hello' }] });
  const options = { method: 'POST', agent, headers: { 'content-type': 'application/json', ...headers } };
  return new Promise((resolve) => {
    const sent = request(`${url}/v1/chat/completions`, options, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message)).end(body);
  });
}

const looping = `export default { name: 'looping', httpTransportPreHook: {
  filter: { header: 'x-loop' }, handler() { for (;;); } } };`;

describe('the bundle of the program', () => {
  it('answers on connections whose thread a plugin has blocked, from the thread that takes its place', async () => {
    const home = join(folder, 'looping');
    mkdirSync(home);
    writeFileSync(join(home, 'looping.mjs'), looping);
    const plugins = [{ name: 'looping', path: './looping.mjs', enabled: true }];
    writeFileSync(join(home, 'config.json'), JSON.stringify({ plugins }));
    const args = ['-config', join(home, 'config.json'), '-app-dir', join(home, 'app')];
    await using gateway = await runGateway([process.execPath, join(folder, 'main.js')], { args });
    const agents = Array.from({ length: 3 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const ask = () => Promise.all(agents.map((agent) => complete(gateway.url, agent)));
    expect(await ask()).toEqual([200, 200, 200]);
    const blocking = complete(gateway.url, new Agent(), { 'x-loop': '1' });
    // Until the thread has begun with it, the others' requests would be before it.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await ask()).toEqual([200, 200, 200]);
    expect(await blocking).toBe('ECONNRESET');
    await gateway.until(/plugin looping is quarantined: it blocked serving thread 1/);
    for (const agent of agents) agent.destroy();
  });

  it.each(['inline', 'worker', 'process'])('has the built-in plugins: each acts on requests, %s', (isolation) =>
    assertBuiltins([process.execPath, join(folder, 'main.js')], isolation),
  );
});
