import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
const lines: string[] = [];
let gateway: ReturnType<typeof spawn>;
let origin = '';

/** The program as its README starts it, on a port that is free. */
beforeAll(async () => {
  const program = join(root, 'transports/http/src/main.ts');
  const config = join(import.meta.dirname, 'config.json');
  gateway = spawn(process.execPath, [program, '-config', config, '-port', '0', '-threads', '1'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { stdout, stderr } = gateway;
  if (stdout === null || stderr === null) throw new Error('expected pipes');
  createInterface(stderr).on('line', (line) => lines.push(line));
  const output = createInterface(stdout);
  origin = await new Promise<string>((ready, failed) => {
    output.on('line', (line) => {
      lines.push(line);
      const address = /ready on (http:\/\/\S+)/.exec(line)?.[1];
      if (address !== undefined) ready(address);
    });
    gateway.once('exit', (code) => failed(new Error(`the gateway ended with ${code}:\n${lines.join('\n')}`)));
  });
});

afterAll(async () => {
  gateway.removeAllListeners('exit');
  gateway.kill('SIGTERM');
  if (gateway.exitCode === null) await once(gateway, 'exit');
  expect(lines.join('\n')).toContain('Good-bye!');
});

const ask = (stream: boolean): Promise<Response> =>
  fetch(`${origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'hello-test' },
    body: JSON.stringify({ model: 'mock/hello', stream, messages: [{ role: 'user', content: 'Hi' }] }),
  });

describe('the hello-world plugin in the running gateway', () => {
  it('is loaded from its own config.json, and the log says so', () => {
    expect(lines.join('\n')).toContain('Plugin loaded successfully: hello-world');
    expect(lines.join('\n')).toContain('plugin status: hello-world - active');
  });

  it.each([
    ['a whole answer', false],
    ['a stream', true],
  ])('puts its header on %s and logs the head of the request', async (_what, stream) => {
    const before = lines.length;
    const response = await ask(stream);
    expect(response.status).toBe(200);
    expect(response.headers.get('x-hello-world')).toBe('Hello, World!');
    expect(await response.text()).toContain('Hi');
    await expect
      .poll(() => lines.slice(before).join('\n'))
      .toMatch(/hello-test.*Hello, World! A request for \S*hello came in\./s);
  });
});
