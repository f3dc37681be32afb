/**
 * A plugin that means harm, in every isolation of the running program, while others use the gateway: their requests go on, the status
 * names the culprit, and it is back (or shut out) soon. What a plugin can do inside its own realm: framework's hostile-plugins tests.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRaw } from '../__tests__/raw-request.ts';
import { outageBoundMs, reportOutage } from './outage-bound.ts';
import { PluginGateway } from './plugin-gateway.ts';

const hostile = `
  const deeds = {
    throw() { throw new Error('hostile'); },
    reject: () => Promise.reject(new Error('hostile')),
    garbage: () => ({ response: 'no response' }),
    never: () => new Promise(() => {}),
    rejection() { void Promise.reject(new Error('forgotten')); },
    pollution() { Object.prototype.polluted = 'yes'; },
    exit: () => process.exit(3),
    kill: () => process.kill(process.pid, 'SIGKILL'),
    loop() { for (;;); },
    map() { const map = new Map(); for (let n = 0; ; n += 1) map.set(n, [n]); },
    buffers() { const all = []; for (;;) all.push(Buffer.alloc(4_000_000, 1)); },
    giant() { globalThis.kept = Buffer.alloc(3_000_000_000, 1); },
    parent: () => process.kill(process.ppid, 'SIGKILL'),
    async sleep() { (await import('node:child_process')).execSync('sleep 1000'); },
    async sqlite() { new (await import('node:sqlite')).DatabaseSync('/etc/passwd').exec('select 1'); },
  };
  export const httpTransportPreHook = {
    timeoutMs: 400,
    filter: { header: 'x-deed' },
    handler: (ctx, request) => request.headers['x-deed'] === 'nothing'
      ? { response: { statusCode: 218, headers: {}, body: 'it serves' } }
      : deeds[request.headers['x-deed']](),
  };`;

/** What costs the realm its life; of inline plugins that is a serving thread, with the requests that it has. */
const deadly = ['loop', 'map', 'buffers'] as const;
const harmless = ['throw', 'reject', 'garbage', 'never', 'rejection', 'pollution', 'exit', 'kill'] as const;
/** What only a process of its own contains. */
const refused = ['giant', 'parent', 'sleep', 'sqlite'] as const;

const threads = 2;
/** The deadline and the watch's own time, and as much again for a machine that does other things too. */
const delayBoundMs = 5000;

let gateway: PluginGateway;
beforeAll(async () => {
  gateway = await PluginGateway.start({ threads });
  writeFileSync(join(gateway.folder, 'hostile.mjs'), hostile);
}, 60_000);
afterAll(() => gateway[Symbol.asyncDispose]());

/** The answer's status, or `cut`; on a connection of its own, as a blocked thread keeps those that it has. */
async function ask(deed?: string): Promise<number | 'cut'> {
  try {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        connection: 'close',
        ...(deed === undefined ? {} : { 'x-deed': deed }),
      },
      body: JSON.stringify({ model: 'mock/x', messages: [{ role: 'user', content: 'x' }] }),
    });
    await response.text();
    return response.status;
  } catch {
    return 'cut';
  }
}

interface Others {
  readonly answers: readonly (number | 'cut')[];
  readonly slowestMs: number;
}

/** Lets others ask every 20 ms while `during` runs. */
async function withOthers(during: () => Promise<void>): Promise<Others> {
  const answers: (number | 'cut')[] = [];
  let [isOver, slowestMs] = [false, 0];
  const open: Promise<void>[] = [];
  const one = async (): Promise<void> => {
    const startedAt = performance.now();
    answers.push(await ask());
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
  };
  const asking = (async () => {
    while (!isOver) {
      open.push(one());
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  await during();
  isOver = true;
  await asking;
  await Promise.all(open);
  return { answers, slowestMs };
}

async function servesAgain(): Promise<void> {
  await expect.poll(() => ask('nothing'), { timeout: 20_000 }).toBe(218);
}

describe.each(['inline', 'worker', 'process'] as const)('in %s', (isolation) => {
  beforeAll(async () => {
    const path = join(gateway.folder, 'hostile.mjs');
    const limits = { breaker: false, probation_seconds: 0, memory_limit_mb: 256 };
    await gateway.add({ name: 'hostile', path, isolation, ...limits });
  }, 30_000);
  afterAll(() => gateway.remove('hostile'));

  it.each(harmless)('%s fails no request, its own neither', { timeout: 40_000 }, async (deed) => {
    const others = await withOthers(async () => {
      expect(await ask(deed)).toBe(200);
      expect(await ask()).toBe(200);
    });
    expect(others.answers.filter((answer) => answer !== 200)).toEqual([]);
    expect(others.slowestMs).toBeLessThan(delayBoundMs);
    await servesAgain();
  });

  it.each(deadly)('%s ends its realm, and the status says whose fault it was', { timeout: 60_000 }, async (deed) => {
    let [own, outageMs]: [number | 'cut', number] = [0, 0];
    const others = await withOthers(async () => {
      const startedAt = performance.now();
      own = await ask(deed);
      // Inline the thread is replaced, and the plugin shut out; elsewhere the plugin is started again.
      const back = isolation === 'inline' ? 200 : 218;
      await expect.poll(() => ask('nothing'), { timeout: 20_000 }).toBe(back);
      outageMs = performance.now() - startedAt;
    });
    const cut = others.answers.filter((answer) => answer !== 200);
    if (isolation === 'inline') {
      expect(own).toBe('cut');
      // Only what was in the thread that it blocked: about half of what came in until the thread was ended.
      expect(cut.every((answer) => answer === 'cut')).toBe(true);
      expect(cut.length).toBeLessThan(others.answers.length);
      const { status, code } = await gateway.plugin('hostile');
      expect([status.status, code]).toEqual(['error', 'BF_PLUGIN_QUARANTINED']);
      expect(status.logs.join()).toMatch(/it (blocked|filled) serving thread \d+/);
      await gateway.reload('hostile');
    } else {
      expect(own).toBe(200);
      expect(cut).toEqual([]);
      expect(others.slowestMs).toBeLessThan(delayBoundMs);
      expect(gateway.output).toMatch(/it ended by itself \(was ended: .*(blocked it for|memory passed)/);
    }
    reportOutage(`${deed} in ${isolation}`, outageMs);
    expect(outageMs).toBeLessThan(outageBoundMs());
    await servesAgain();
  });
});

describe('in a process', () => {
  beforeAll(async () => {
    const path = join(gateway.folder, 'hostile.mjs');
    const limits = { breaker: false, probation_seconds: 0, memory_limit_mb: 256 };
    await gateway.add({ name: 'hostile', path, isolation: 'process', ...limits });
  }, 30_000);
  afterAll(() => gateway.remove('hostile'));

  it.each(refused)('%s is refused or survived, and nobody else sees it', { timeout: 40_000 }, async (deed) => {
    const others = await withOthers(async () => {
      expect(await ask(deed)).toBe(200);
    });
    expect(others.answers.filter((answer) => answer !== 200)).toEqual([]);
    expect(others.slowestMs).toBeLessThan(delayBoundMs);
    if (deed !== 'giant') expect(gateway.output).toMatch(/hostile.*refused/);
    await servesAgain();
  });
});

describe('a call of the system that never returns, in a serving thread', () => {
  it(
    'costs a thread for good, and the program still ends when it is told to, with exit code 0',
    { timeout: 40_000 },
    async () => {
      await using one = await PluginGateway.start({ threads: 1 });
      const path = join(one.folder, 'waits.mjs');
      writeFileSync(
        path,
        `import { execSync } from 'node:child_process';
       export const httpTransportPreHook = {
         filter: { header: 'x-deed' },
         handler: () => void execSync('sleep 30', { stdio: 'ignore' }),
       };`,
      );
      await one.add({ name: 'waits', path });
      const asked = fetch(`${one.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close', 'x-deed': 'wait' },
        body: JSON.stringify({ model: 'mock/x', messages: [{ role: 'user', content: 'x' }] }),
      }).catch(() => undefined);
      await one.program.until('stderr', /serving thread \d+ does not end; it is left to itself/);
      // On a connection of its own: those that the thread had, it still has.
      const health = await sendRaw(
        Number(new URL(one.url).port),
        ['GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n'],
        /\}$/,
      );
      expect(health).toContain('"status":"ok"');
      one.program.child.kill('SIGTERM');
      expect(await one.program.exited).toBe(0);
      await asked;
    },
  );
});
