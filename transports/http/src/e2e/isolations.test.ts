/** One plugin in every isolation, through the whole program. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startGatewayProcess } from './gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';

const examples = resolve(import.meta.dirname, '../../../../examples/plugins');

const body = (text: string, stream: boolean): string =>
  JSON.stringify({ model: 'mock/hello', stream, messages: [{ role: 'user', content: text }] });

async function ask(gateway: GatewayProcess, text: string, stream = false): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: body(text, stream),
  });
}

describe.each(['inline', 'worker', 'process'])('hello-world in isolation %s', (isolation) => {
  const path = join(examples, 'hello-world');
  const entry = { name: 'hello', path, enabled: true, isolation, config: { greeting: 'Hi!', countChunks: true } };
  let gateway: GatewayProcess | undefined;
  afterAll(async () => gateway?.[Symbol.asyncDispose]());

  it('answers through all threads and logs what it says', { timeout: 60_000 }, async () => {
    gateway = await startGatewayProcess({ plugins: [entry] }, ['-threads', '2']);
    for (let count = 0; count < 4; count += 1) {
      const response = await ask(gateway, 'Hello', count % 2 === 1);
      expect(response.status).toBe(200);
      expect(response.headers.get('x-hello-world')).toBe('Hi!');
      await response.text();
    }
    const output = (): string => gateway?.output() ?? '';
    expect(output()).toContain('Plugin loaded successfully: hello');
    await expect.poll(output).toMatch(/Hi! A request for mock\/hello came in\./);
    await expect.poll(output).toMatch(/"chunks":[1-9].*The answer is out\./);
  });

  it('is cleaned up when the gateway ends', { timeout: 60_000 }, async () => {
    gateway?.kill('SIGTERM');
    expect(await gateway?.exited).toBe(0);
    expect(gateway?.output()).toContain('Good-bye!');
  });
});

describe.each([
  ['grpc-typescript', process.execPath, 'x-grpc-typescript', '[grpc] '],
  ['grpc-python', '/usr/bin/python3', 'x-grpc-python', '[python] '],
])('%s', (name, needed, header, stamp) => {
  it.skipIf(!existsSync(needed))('changes, stamps and refuses through the program', { timeout: 60_000 }, async () => {
    const entry = {
      name,
      path: join(examples, name),
      enabled: true,
      isolation: 'grpc',
      config: { refuse: 'forbidden' },
    };
    await using gateway = await startGatewayProcess({ plugins: [entry] }, ['-threads', '2']);
    const whole = await ask(gateway, 'Hello there');
    expect(whole.headers.get(header)).toBeTruthy();
    await whole.text();
    const refused = await ask(gateway, 'something forbidden');
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('Requests about \\"forbidden\\" are refused.');
    const stream = await (await ask(gateway, 'Hello there', true)).text();
    expect(stream.split(stamp)).toHaveLength(2);
    expect(stream).toContain('data: [DONE]');
    gateway.kill('SIGTERM');
    expect(await gateway.exited).toBe(0);
  });
});

describe.each(['inline', 'worker', 'process'])('plugins that come with the gateway, in isolation %s', (isolation) => {
  it('are loaded by name, and their configuration is checked', { timeout: 60_000 }, async () => {
    const rules = [
      { name: 'r', responses: [{ type: 'success', content: { message: 'a key: sk-aaaaaaaaaaaaaaaaaaaaaaaa' } }] },
    ];
    const plugins = [
      // First: a plugin that answers by itself ends the way forward, and what was not reached does not see the answer.
      { name: 'guard', isolation },
      { name: 'mocker', isolation, config: { rules } },
      { name: 'json-parser', isolation, config: { usage: 'sometimes' } },
    ];
    await using gateway = await startGatewayProcess({ plugins }, ['-threads', '1']);
    expect(gateway.output()).toContain('Plugin loaded successfully: guard');
    expect(gateway.output()).toMatch(/failed to load plugin json-parser: its config is wrong: config\.usage/);
    const whole = await (await ask(gateway, 'Hello')).text();
    expect(whole).toContain('a key: [REDACTED:openai-key]');
    const stream = await (await ask(gateway, 'Hello', true)).text();
    expect(stream).not.toContain('sk-aaaa');
    expect(stream).toContain('REDACTED:openai-key');
  });

  it('fail closed where a guard is configured wrongly', { timeout: 60_000 }, async () => {
    await using gateway = await startGatewayProcess({ plugins: [{ name: 'guard', isolation, config: { secret: 1 } }] });
    const refused = await ask(gateway, 'Hello');
    expect(refused.status).toBe(500);
    expect(await refused.text()).toContain('BF_PLUGIN_HOOK_FAILED');
    expect(gateway.output()).toContain('as it is a guard, every request that it would have seen is refused');
  });
});
