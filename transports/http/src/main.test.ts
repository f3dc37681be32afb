import { once } from 'node:events';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { Program } from './__tests__/program.ts';
import { runProgram } from './program/run-program.ts';

const directory = mkdtempSync(join(tmpdir(), 'bifrost-main-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
function writeConfig(config: unknown): string {
  const path = join(directory, `config-${files++}.json`);
  writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config));
  return path;
}

/** The program up to its exit code, in this process: for ends that come before it serves. */
async function run(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const output = { stdout: '', stderr: '' };
  const code = await runProgram({
    args,
    environment: {},
    isTerminal: false,
    print: (text) => void (output.stdout += text),
    complain: (text) => void (output.stderr += text),
  });
  return { code, ...output };
}

const chat = (model: string, extra: object = {}): RequestInit => ({
  method: 'POST',
  // A connection of its own each: one that a hurt thread had accepted is lost with it.
  headers: { 'content-type': 'application/json', connection: 'close' },
  body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }], ...extra }),
});

describe('starting', () => {
  it('serves without any key or file, and prints a curl line that works as printed', async () => {
    await using program = new Program(['-port', '0', '-threads', '1', '-app-dir', directory]);
    const url = await program.ready();
    const [, time] = await program.until('stdout', /\(1 thread, (\d+) ms\)/);
    expect(Number(time)).toBeGreaterThan(0);
    const curl = program.stdout.split('\n').find((line) => line.startsWith('curl ')) ?? '';
    expect(curl).toContain(url);
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', curl]);
    expect(JSON.parse(stdout)).toMatchObject({ choices: [{ message: { role: 'assistant' } }] });
  });

  it('loads what lies in a folder that a variable names', async () => {
    const folder = join(directory, 'plugins');
    mkdirSync(folder, { mode: 0o755 });
    // What is known of models reaches it too: the sheet lies beside the configuration.
    const rows = { 'mock/hello': { input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 } };
    writeFileSync(join(directory, 'prices.json'), JSON.stringify(rows));
    const config = writeConfig({ framework: { pricing: { pricing_url: './prices.json' } } });
    const hooks = `postLLMHook: (c, outcome) => void c.state.set('cost', c.calculateCost(outcome.usage)),
      httpTransportResponseHeadersHook: (c) => ({ headers: { 'x-cost': String(c.state.get('cost')) } })`;
    writeFileSync(join(folder, 'found.ts'), `export default { name: 'found', ${hooks} };`);
    const flags = ['-port', '0', '-threads', '1', '-app-dir', directory, '-config', config];
    await using program = new Program(flags, { APP_PLUGINS_DIR: folder });
    const url = await program.ready();
    await program.until('stderr', /Plugin loaded successfully: found/);
    const response = await fetch(`${url}/v1/chat/completions`, chat('mock/hello'));
    // "You said: Hello" for "Hello": one token in, three out.
    expect([response.status, response.headers.get('x-cost')]).toEqual([200, '7000']);
  });

  it('says its version and teaches its flags', async () => {
    const { code, stdout } = await run(['-version']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^bifrost-http \d+\.\d+\.\d+\n/);
    expect(stdout).toContain(`node ${process.versions.node}`);
    const json = await run(['--version', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      runtime: { name: 'node', version: process.versions.node },
      build: 'source',
      nativePlugins: true,
    });
    expect(await run(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('-config FILE') });
  });

  it.each([
    ['an unknown flag', ['-prot', '1'], 2, 'unknown flag -prot; did you mean -port?'],
    ['a host that is not ours', ['-host', '192.0.2.1', '-port', '0'], 1, '192.0.2.1 is no address of this machine'],
  ])('ends at %s', async (_name, args, code, message) => {
    expect(await run(args)).toEqual({ code, stdout: '', stderr: expect.stringContaining(message) });
  });

  it.each([
    [
      '{"client": {"drop_excess_requests": "yes"}}',
      'client.drop_excess_requests: expected true or false, got a string',
    ],
    [
      '{"providers": {"openai": {"keys": [{"value": "env.NOT_SET_AT_ALL"}]}}}',
      'variable NOT_SET_AT_ALL, which is not set',
    ],
    ['{"plugins": [}', 'line 1, column 14: not valid JSON'],
  ])('ends with code 2 at the configuration %s', async (text, message) => {
    const result = await run(['-port', '0', '-threads', '1', '-config', writeConfig(text)]);
    expect(result).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });

  it('ends with code 2 as a process', async () => {
    await using program = new Program(['-port', '0', '-threads', '1', '-config', join(directory, 'none.json')]);
    expect(await program.exited).toBe(2);
    expect(program.stderr).toContain('there is no such file');
    expect(program.stdout).toBe('');
  });

  it('ends with code 1 and what to do where the port is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await run(['-port', String(port), '-app-dir', directory]);
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${port} on localhost is in use by another program; give another one with -port`);
    server.close();
  });

  it('takes address and log style from the environment', async () => {
    await using program = new Program(['-app-dir', directory, '-threads', '1'], {
      APP_PORT: '0',
      APP_HOST: '0.0.0.0',
      LOG_STYLE: 'pretty',
    });
    const url = await program.ready();
    expect(program.stderr).not.toMatch(/WARN /);
    const key = (await program.until('stdout', /inference key, shown this once: (sk-bf-[\w-]{43})\n/))[1] ?? '';
    expect(program.stdout).toContain(`curl ${url}/v1/chat/completions -H "authorization: Bearer ${key}"`);
    const ask = async (value: string): Promise<number> => {
      const response = await fetch(`${url}/v1/models`, { headers: { 'x-api-key': value } });
      await response.arrayBuffer();
      return response.status;
    };
    expect([await ask(key), await ask('sk-bf-guess')]).toEqual([200, 401]);
    expect(program.stderr).not.toContain(key);
    program.child.kill('SIGTERM');
    await program.exited;
    await using again = new Program(['-app-dir', directory, '-threads', '1', '-host', '0.0.0.0', '-port', '0']);
    await again.ready();
    expect(again.stdout).toContain('-H "authorization: Bearer $BIFROST_INFERENCE_KEY"');
    expect(again.stdout).not.toContain('shown this once: sk-bf-');
  });

  it('warns where the operator opens inference to other machines', async () => {
    const config = writeConfig({ client: { enforce_auth_on_inference: false } });
    await using program = new Program(['-config', config, '-threads', '1', '-host', '0.0.0.0', '-port', '0']);
    await program.ready();
    expect(await program.until('stderr', /"level":"warn".*without a credential/)).not.toBeNull();
  });
});

/** A provider that streams `count` chunks, one each `everyMs`. */
async function startSlowProvider(count: number, everyMs: number): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let sent = 0;
    const timer = setInterval(() => {
      if (sent === count) {
        clearInterval(timer);
        response.end('data: [DONE]\n\n');
        return;
      }
      const choice = { index: 0, delta: { content: `<${sent}>` }, finish_reason: sent === count - 1 ? 'stop' : null };
      sent += 1;
      const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'slow', choices: [choice] };
      response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    }, everyMs);
    response.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

describe.each([1, 2])('with %i serving threads', (threads) => {
  it('ends live streams whole after SIGTERM, takes no new connection, and exits with code 0', async () => {
    const upstream = await startSlowProvider(20, 40);
    const config = writeConfig({
      providers: { openai: { keys: [{ value: 'sk-x' }], network_config: { base_url: upstream.url } } },
    });
    await using program = new Program(['-port', '0', '-threads', String(threads), '-config', config]);
    const url = await program.ready();
    const streams = await Promise.all(
      Array.from({ length: 10 }, () => fetch(`${url}/v1/chat/completions`, chat('openai/slow', { stream: true }))),
    );
    program.child.kill('SIGTERM');
    await program.until('stderr', /SIGTERM, ending what is under way/);
    const bodies = await Promise.all(streams.map((stream) => stream.text()));
    for (const body of bodies) {
      expect(body).toContain('<19>');
      expect(body.trimEnd().endsWith('data: [DONE]')).toBe(true);
    }
    expect(await program.exited).toBe(0);
    await expect(fetch(`${url}/health`)).rejects.toThrow('fetch failed');
    upstream.close();
  });

  it('says on a connection that was open before that it drains', async () => {
    const upstream = await startSlowProvider(30, 40);
    const config = writeConfig({
      providers: { openai: { keys: [{ value: 'sk-x' }], network_config: { base_url: upstream.url } } },
    });
    await using program = new Program(['-port', '0', '-threads', String(threads), '-config', config]);
    const url = await program.ready();
    const open = connect(Number(new URL(url).port), '127.0.0.1');
    const ask = async (): Promise<string> => {
      open.write('GET /health/ready HTTP/1.1\r\nhost: localhost\r\n\r\n');
      const [answer] = (await once(open, 'data')) as [Buffer];
      return answer.toString();
    };
    expect(await ask()).toContain('HTTP/1.1 200');
    const stream = await fetch(`${url}/v1/chat/completions`, chat('openai/slow', { stream: true }));
    program.child.kill('SIGTERM');
    await program.until('stderr', /SIGTERM, ending what is under way/);
    const answer = await ask();
    expect(answer).toContain('HTTP/1.1 503');
    expect(answer).toContain('draining');
    open.destroy();
    await stream.text();
    expect(await program.exited).toBe(0);
    upstream.close();
  });

  it(
    'ends with code 0 where it is told to as soon as it is ready, however busy the machine',
    { timeout: 60_000 },
    async () => {
      const programs = Array.from({ length: 4 }, () => new Program(['-port', '0', '-threads', String(threads)]));
      try {
        const codes = programs.map(async (program) => {
          await program.ready();
          program.child.kill('SIGTERM');
          return program.exited;
        });
        expect(await Promise.all(codes)).toEqual([0, 0, 0, 0]);
      } finally {
        for (const program of programs) await program[Symbol.asyncDispose]();
      }
    },
  );

  it('ends at once at the second signal', async () => {
    const upstream = await startSlowProvider(1000, 50);
    const config = writeConfig({
      providers: { openai: { keys: [{ value: 'sk-x' }], network_config: { base_url: upstream.url } } },
    });
    await using program = new Program(['-port', '0', '-threads', String(threads), '-config', config]);
    const url = await program.ready();
    const stream = await fetch(`${url}/v1/chat/completions`, chat('openai/slow', { stream: true }));
    program.child.kill('SIGINT');
    await program.until('stderr', /SIGINT, ending/);
    program.child.kill('SIGINT');
    expect(await program.exited).toBe(137);
    await expect(stream.text()).rejects.toThrow();
    upstream.close();
  });

  it('refuses a plugin that ends the process, replaces a thread that it blocks, and serves on', async () => {
    const plugin = join(directory, `hurt-${threads}.ts`);
    writeFileSync(
      plugin,
      `export default { name: 'hurt', httpTransportPreHook(context, request) {
        const what = request.headers['x-hurt'];
        if (what === 'loop') for (;;);
        if (what === 'exit') process.exit(3);
      } };`,
    );
    const config = writeConfig({ plugins: [{ name: 'hurt', path: plugin, enabled: true }] });
    const args = ['-port', '0', '-threads', String(threads), '-blocked-after-ms', '400', '-config', config];
    await using program = new Program(args);
    const url = await program.ready();
    expect(program.stderr).toContain('Plugin loaded successfully: hurt');
    expect(program.stderr).toContain('plugin status: hurt - active');
    const hurt = (how: string): Promise<unknown> => {
      const request = chat('mock/x');
      return fetch(`${url}/v1/chat/completions`, { ...request, headers: { 'x-hurt': how, connection: 'close' } }).catch(
        () => 'cut',
      );
    };
    expect(await hurt('exit')).toMatchObject({ status: 200 });
    await program.until('stderr', /httpTransportPreHook PluginError: plugin hurt: process\.exit\(\) is refused/);
    const looping = hurt('loop');
    await program.until('stderr', /serving thread \d+ has been blocked for \d+ ms/);
    expect((await fetch(`${url}/v1/chat/completions`, chat('mock/x'))).status).toBe(200);
    expect(await looping).toBe('cut');
    await program.until('stderr', /plugin hurt is quarantined: it blocked serving thread \d+ for \d+ ms/);
    // A thread that had a request of the plugin under way loses it a moment later.
    await expect.poll(() => hurt('loop'), { timeout: 30_000 }).toMatchObject({ status: 200 });
    program.child.kill('SIGTERM');
    expect(await program.exited).toBe(0);
  });
});
