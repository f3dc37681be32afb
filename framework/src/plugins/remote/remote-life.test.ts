import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { pluginFolder } from '../__tests__/plugin-folder.ts';
import { isolations, remotePlugin, request, trace } from './__tests__/remote-fixture.ts';
import type { Isolation } from './__tests__/remote-fixture.ts';

/** Writes its life to a file, which a process must be granted. */
const living = (file: string): string => `import { appendFileSync } from 'node:fs';
  const say = (word) => appendFileSync(${JSON.stringify(file)}, word + ' ');
  export default { name: 'p', init() { say('init'); }, async cleanup() { await new Promise(setImmediate); say('cleanup'); }, preRequestHook: () => ({ model: 'x' }) };`;

const openFiles = (): number => readdirSync('/proc/self/fd').length;

function childProcesses(): readonly string[] {
  const list = execFileSync('ps', ['-eo', 'ppid=,stat=,args=']).toString().split('\n');
  return list.filter((line) => line.trim().startsWith(`${process.pid} `) && !line.includes('ps -eo'));
}

describe.each(isolations)('the life of a plugin in isolation: %s', (isolation: Isolation) => {
  it('has one init and one cleanup, whoever closes it and how often', async () => {
    using folder = pluginFolder({ life: '' });
    const life = join(folder.path, 'life');
    const entry = { capabilities: { fs: { write: [life], read: [life] } } };
    await using fixture = await remotePlugin(isolation, living(life), { entry });
    const other = await fixture.connect();
    expect(await fixture.open().preRequest(request)).toEqual({ model: 'x' });
    expect(other.inFlight).toBe(0);
    await Promise.all([fixture.plugin.close(), fixture.plugin.close()]);
    await fixture.plugin.close();
    expect(readFileSync(life, 'utf8')).toBe('init cleanup ');
    // Not an exit: it was asked to.
    const exited = await Promise.race([fixture.exit(), new Promise((resolve) => setTimeout(resolve, 50, 'no exit'))]);
    expect(exited).toBe('no exit');
  });

  it('leaves nothing behind: no process, no thread, no descriptor', { timeout: 120_000 }, async () => {
    const cycle = async (): Promise<void> => {
      const fixture = await remotePlugin(
        isolation,
        `export default { name: 'p', preRequestHook: () => ({ model: 'x' }) };`,
      );
      const run = fixture.open();
      await run.preRequest(request);
      run.finish(trace);
      await fixture.close();
    };
    await cycle();
    const before = openFiles();
    for (let count = 0; count < 20; count += 1) await cycle();
    // Sockets of the last cycle are closed in the next turns of the loop.
    await expect.poll(openFiles).toBeLessThanOrEqual(before);
    expect(childProcesses()).toEqual([]);
  });

  it('is over in time when its cleanup does not end', async () => {
    const source = `export default { name: 'p', preRequestHook() {}, cleanup() { while (true); } };`;
    const fixture = await remotePlugin(isolation, source, { start: { cleanupTimeoutMs: 200 } });
    const startedAt = performance.now();
    await fixture.close();
    expect(performance.now() - startedAt).toBeLessThan(4000);
    expect(childProcesses()).toEqual([]);
  });
});

describe('a plugin in a process', () => {
  it.each([
    ['idle', 'quiet'],
    ['blocked', 'busy'],
  ])('that is %s ends with the gateway, however that ends', async (_state, model) => {
    using folder = pluginFolder({
      'plugin.mjs': `export default { name: 'p', init(c) { c.log.info('pid ' + process.pid); },
        async preRequestHook(c, r) { c.log.info('called'); await new Promise(setImmediate); if (r.model === 'busy') while (true); await new Promise(() => undefined); } };`,
    });
    const program = join(import.meta.dirname, '__tests__/orphan-parent.ts');
    const parent = spawn(process.execPath, [program, join(folder.path, 'plugin.mjs'), model], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let pid = 0;
    for await (const line of createInterface({ input: parent.stdout })) {
      pid = Number(/^pid (\d+)$/.exec(line)?.[1] ?? pid);
      if (line === 'called') break;
    }
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    const isAlive = (): boolean =>
      existsSync(`/proc/${pid}/stat`) && !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    await expect.poll(isAlive, { timeout: 5000 }).toBe(false);
  });

  it('that has ended by itself is told once, also to who asks later', async () => {
    await using fixture = await remotePlugin(
      'process',
      `export default { name: 'p', async preRequestHook() { (await import('node:fs')).closeSync(3); await new Promise(() => undefined); } };`,
    );
    await fixture.open().preRequest(request);
    const exit = await fixture.exit();
    const later = await new Promise((resolve) => fixture.plugin.onExit(resolve));
    expect(later).toEqual(exit);
  });
});
