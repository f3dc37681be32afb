/** What the program knows of guards over restarts, and that it is not ready where it cannot know. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Program } from '../__tests__/program.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-kinds-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Seen {
  readonly completion: number;
  readonly ready: readonly [status: number, body: unknown];
}

/** Starts the program on the folder, asks it once, and ends it. */
async function start(entry: object): Promise<Seen> {
  const config = join(folder, 'config.json');
  writeFileSync(config, JSON.stringify({ plugins: [{ name: 'words', path: './words.mjs', ...entry }] }));
  await using program = new Program([
    '-config',
    config,
    '-app-dir',
    join(folder, 'app'),
    '-port',
    '0',
    '-threads',
    '2',
  ]);
  const url = (await program.ready()).replace('localhost', '127.0.0.1');
  const body = JSON.stringify({ model: 'mock/m', messages: [{ role: 'user', content: 'Hi' }] });
  const completion = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body });
  const ready = await fetch(`${url}/health/ready`);
  return { completion: completion.status, ready: [ready.status, await ready.json()] };
}

it('a guard whose file is gone refuses from the second start on; before, the gateway is not ready', async () => {
  const reasons = ['plugin words could not be loaded, and may be a guard'];
  const notReady = [503, { status: 'unavailable', reasons }];
  expect(await start({})).toEqual({ completion: 200, ready: notReady });
  expect(await start({ guard: false })).toEqual({ completion: 200, ready: [200, { status: 'ok' }] });
  writeFileSync(join(folder, 'words.mjs'), 'export const guard = true; export const preLLMHook = () => undefined;');
  expect(await start({})).toEqual({ completion: 200, ready: [200, { status: 'ok' }] });
  rmSync(join(folder, 'words.mjs'));
  expect(await start({})).toEqual({ completion: 500, ready: [200, { status: 'ok' }] });
});
