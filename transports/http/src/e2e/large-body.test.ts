/** Large bodies pass through held once and unparsed, with the hello-world plugin loaded. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { postJson, startReplayUpstream } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { startGatewayProcess } from './gateway-process.ts';

const megabyte = 1024 * 1024;
const bodyMegabytes = 15;
const plugin = resolve(import.meta.dirname, '../../../../examples/plugins/hello-world/index.ts');
const key = { name: 'test', value: 'sk-upstream', models: ['*'], weight: 1 };

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

describe.skipIf(process.platform !== 'linux')(`a body of ${bodyMegabytes} MB`, () => {
  const lanes = [
    { lane: 'identical', path: '/openai/v1/chat/completions', model: 'gpt-4o' },
    { lane: 'spliced', path: '/v1/chat/completions', model: 'openai/gpt-4o' },
  ];
  it.each(lanes)('passes the $lane lane byte for byte and is held once', async ({ lane, path, model }) => {
    const answer = { body: { id: 'x', object: 'chat.completion', choices: [] }, times: 100 };
    await using upstream = await startReplayUpstream({ script: [answer] });
    const providers = { openai: { keys: [key], network_config: { base_url: upstream.url } } };
    const plugins = [
      { name: 'hello-world', path: plugin, enabled: true, config: { greeting: 'hi', countChunks: false } },
    ];
    await using gateway = await startGatewayProcess({ providers, plugins }, ['-threads', '1', '-log-level', 'error']);
    const image = 'A'.repeat(bodyMegabytes * megabyte);
    const bodyFor = (name: string, length = image.length): string =>
      `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,${image.slice(0, length)}"}}]}], "model" : "${name}","stream":false}`;
    const send = async (length?: number): Promise<void> => {
      const { status, headers } = await postJson(`${gateway.url}${path}`, bodyFor(model, length));
      expect([status, headers['x-bf-lane'], headers['x-hello-world']]).toEqual([200, lane, 'hi']);
    };
    for (let n = 0; n < 50; n++) await send(1000);
    const before = residentBytes(gateway.pid);
    let peak = before;
    const controller = new AbortController();
    const watch = (async () => {
      while (!controller.signal.aborted) {
        peak = Math.max(peak, residentBytes(gateway.pid));
        await sleep(5);
      }
    })();
    await send();
    controller.abort();
    await watch;
    expect(upstream.requests.at(-1)?.body.equals(Buffer.from(bodyFor('gpt-4o')))).toBe(true);
    console.log(`${lane}: peak of ${((peak - before) / megabyte).toFixed(1)} MB above the level before it`);
    // The body itself and what the sockets' readers have in flight; a second copy, or parsing, would go beyond.
    expect(peak - before).toBeLessThan(2.3 * bodyMegabytes * megabyte);
  });
});
