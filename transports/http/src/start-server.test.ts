import { describe, expect, it } from 'vitest';
import { startTestServer, testConfig } from './__tests__/test-server.ts';

const ask = async (url: string, model: string): Promise<{ thread: number; snapshot: number }> => {
  const body = JSON.stringify({ model });
  const response = await fetch(`${url}/v1/responses`, { method: 'POST', body, headers: { connection: 'close' } });
  return (await response.json()) as { thread: number; snapshot: number };
};

describe.each([1, 2])('with %i threads', (threads) => {
  it('hands a new configuration to all of them, and is ready', async () => {
    await using gateway = await startTestServer({}, { threads });
    expect(gateway.server.threads).toHaveLength(threads);
    expect((await fetch(`${gateway.url}/health/ready`)).status).toBe(200);
    await gateway.server.reconfigure(testConfig({ client: { required_headers: ['x-now'] } }));
    for (let index = 0; index < 6; index++) {
      const response = await fetch(`${gateway.url}/v1/responses`, { method: 'POST', headers: { connection: 'close' } });
      expect(response.status).toBe(400);
    }
  });

  it('replaces a thread that throws, one that exits and one that stands still, each named', async () => {
    await using gateway = await startTestServer({}, { threads, blockedAfterMs: 400 });
    await expect(ask(gateway.url, 'exit')).rejects.toThrow('fetch failed');
    await gateway.logged(/serving thread \d+ crashed \(it exited with code 7\)/);
    expect(await ask(gateway.url, 'x')).toMatchObject({ snapshot: 1 });
    await ask(gateway.url, 'throw').catch(() => undefined);
    await gateway.logged(/serving thread \d+ crashed \(thrown on request\)/);
    const blocked = ask(gateway.url, 'block 60000').then(
      () => 'answered',
      () => 'cut',
    );
    await gateway.logged(/serving thread \d+ has been blocked for \d+ ms/);
    expect(await ask(gateway.url, 'x')).toMatchObject({ snapshot: 1 });
    expect(await blocked).toBe('cut');
  });

  it('lets a thread that is only late keep its place, and nobody sees the one that stood by', async () => {
    await using gateway = await startTestServer({}, { threads, blockedAfterMs: 6000, logLevel: 'debug' });
    const before = gateway.server.threads;
    expect(await ask(gateway.url, 'block 3500')).toMatchObject({ snapshot: 1 });
    await gateway.logged(/serving thread \d+ stands by/);
    expect(gateway.server.threads).toEqual(before);
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(text).toMatch(new RegExp(`bifrost_serving_threads ${threads}\\n`));
  });

  it('adds up what all threads counted, those that ended included', async () => {
    await using gateway = await startTestServer({}, { threads });
    for (let index = 0; index < 8; index++) await ask(gateway.url, 'x');
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(text).toMatch(/http_requests_total\{path="\/v1\/responses",method="POST",status="200"\} 8\n/);
    expect(text).toMatch(new RegExp(`bifrost_serving_threads ${threads}\\n`));
    expect(text.match(/^bifrost_requests_in_flight\{/gm)).toHaveLength(threads);
    await ask(gateway.url, 'exit').catch(() => undefined);
    await gateway.logged(/crashed/);
    await ask(gateway.url, 'x');
    const after = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(after).toMatch(/http_requests_total\{path="\/v1\/responses",method="POST",status="200"\} 9\n/);
    // Threads that have ended are counted in the sums, and are no threads any more.
    expect(Number(/bifrost_serving_threads (\d+)/.exec(after)?.[1])).toBeLessThanOrEqual(threads);
  });

  it('lets what is under way end, within the drain window', async () => {
    const gateway = await startTestServer({}, { threads });
    const slow = Array.from({ length: 5 }, () => ask(gateway.url, 'sleep 400'));
    const stream = await fetch(`${gateway.url}/v1/responses`, { method: 'POST', body: '{"model":"stream 8"}' });
    await gateway.server.close();
    expect(await stream.text()).toContain('[DONE]');
    expect(await Promise.all(slow)).toHaveLength(5);
    expect(gateway.server.threads).toEqual([]);
  });

  it('cuts what is still under way when the drain window ends', async () => {
    const gateway = await startTestServer({}, { threads });
    const stream = await fetch(`${gateway.url}/v1/responses`, { method: 'POST', body: '{"model":"stream 10000"}' });
    const startedAt = performance.now();
    await gateway.server.close(200);
    expect(performance.now() - startedAt).toBeLessThan(5000);
    await expect(stream.text()).rejects.toThrow();
    await gateway.logged(/still under way when the drain window ended/);
  });
});

it('rejects with nothing left running where a thread cannot start', async () => {
  const engineModule = new URL('./logging/log-level.ts', import.meta.url).href;
  await expect(startTestServer({}, { threads: 2, engineModule })).rejects.toThrow('exports no createEngine');
});
