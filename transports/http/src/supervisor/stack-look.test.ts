import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { pluginOnStack } from './stack-look.ts';

const folder = mkdtempSync(join(tmpdir(), 'bifrost-look-'));
const workers: Worker[] = [];
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.terminate()));
  rmSync(folder, { recursive: true, force: true });
});

/** A thread that runs \`code\` as the module of a plugin (or as no plugin's), and says that it begins. */
async function threadWith(code: string, tag: string): Promise<number> {
  const file = join(folder, `m${workers.length}.mjs`);
  writeFileSync(file, `export async function run() { ${code} }`);
  const url = JSON.stringify(`${pathToFileURL(file).href}${tag}`);
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     import(${url}).then(({ run }) => { parentPort.postMessage('begins'); setTimeout(run, 50); });`,
    { eval: true },
  );
  workers.push(worker);
  await once(worker, 'message');
  await new Promise((resolve) => setTimeout(resolve, 200));
  return worker.threadId;
}

describe('a look at a thread that stands still', { timeout: 30_000 }, () => {
  it.each([
    ['after an await', 'await null; for (;;) JSON.stringify([1]);'],
    ['in a timer', 'setTimeout(() => { for (;;); }, 1);'],
  ])('names the plugin whose code loops %s', async (_, code) => {
    const threadId = await threadWith(code, '?plugin=slow%20one&g=17');
    expect(await pluginOnStack({ threadId, withinMs: 10_000 })).toEqual({ name: 'slow one', load: 17 });
  });

  it("names nobody where the code is no plugin's, the thread turns, or there is none", async () => {
    expect(await pluginOnStack({ threadId: await threadWith('for (;;);', '') })).toBeUndefined();
    const turning = await threadWith('setInterval(() => undefined, 5);', '?plugin=well&g=1');
    expect(await pluginOnStack({ threadId: turning, withinMs: 500 })).toBeUndefined();
    expect(await pluginOnStack({ threadId: 987_654, withinMs: 100 })).toBeUndefined();
  });
});
