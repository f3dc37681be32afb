import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'bifrost-wasm-'));
const lines: string[] = [];
let gateway: ReturnType<typeof spawn>;
let origin = '';

writeFileSync(join(folder, 'words.txt'), 'forbidden\n');

const plugin = (name: string, config: object, more: object = {}) => ({
  name: name.replace(/\/.*/, ''),
  path: join(import.meta.dirname, name.includes('/') ? name : `${name}/plugin.wasm`),
  enabled: true,
  config,
  ...more,
});

/** The real program with all examples at once. */
beforeAll(async () => {
  const file = join(folder, 'config.json');
  const words = join(folder, 'words.txt');
  const plugins = [
    plugin('wasm-c', { greeting: 'hello', stamp: 'v1', blockedTeam: 'red', aliases: { fast: 'mock/small' } }),
    plugin('wasm-c-wasi', { words, mark: 'm' }, { capabilities: { fs: { read: [words] } } }),
    plugin('wasm-rust', { forbidden: ['secret'], stamp: ' [ok]' }),
    plugin('wasm-assemblyscript', { deniedModel: 'dear', footer: '', stamp: '' }),
    plugin('wasm-bifrost-abi/guest-rust.wasm', { tag: 't', system: 'Be brief.' }),
  ];
  writeFileSync(file, JSON.stringify({ plugins }));
  const program = join(root, 'transports/http/src/main.ts');
  const options = ['-config', file, '-app-dir', folder, '-port', '0', '-threads', '1'];
  gateway = spawn(process.execPath, [program, ...options], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const { stdout, stderr } = gateway;
  if (stdout === null || stderr === null) throw new Error('expected pipes');
  createInterface(stderr).on('line', (line) => lines.push(line));
  origin = await new Promise<string>((ready, failed) => {
    createInterface(stdout).on('line', (line) => {
      lines.push(line);
      const address = /ready on (http:\/\/\S+)/.exec(line)?.[1];
      if (address !== undefined) ready(address);
    });
    gateway.once('exit', (code) => failed(new Error(`the gateway ended with ${code}:\n${lines.join('\n')}`)));
  });
}, 60_000);

afterAll(async () => {
  gateway.removeAllListeners('exit');
  gateway.kill('SIGTERM');
  if (gateway.exitCode === null) await once(gateway, 'exit');
});

const ask = (content: string, more: object = {}, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'fast', messages: [{ role: 'user', content }], ...more }),
  });

describe('the WebAssembly examples in the running gateway', () => {
  it('are all active', () => {
    for (const name of ['wasm-c', 'wasm-c-wasi', 'wasm-rust', 'wasm-assemblyscript', 'wasm-bifrost-abi']) {
      expect(lines.join('\n')).toContain(`plugin status: ${name} - active`);
    }
  });

  it('route, greet and answer', async () => {
    const response = await ask('Hi');
    expect(response.headers.get('x-wasm-c')).toBe('hello');
    expect(await response.json()).toMatchObject({
      model: 'small',
      choices: [{ message: { content: 'You said: Hi' } }],
    });
  });

  it.each<{ what: string; content: string; model?: string; headers?: Record<string, string>; words: string }>([
    { what: 'a team', content: 'Hi', headers: { 'x-team': 'red' }, words: 'This team is blocked.' },
    { what: 'a word from a granted file', content: 'forbidden', words: 'The request has a forbidden word.' },
    { what: 'a word of the config', content: 'a secret', words: 'The word \\"secret\\" is forbidden here.' },
    { what: 'a model', content: 'Hi', model: 'mock/dear', words: 'The model \\"dear\\" is not for you.' },
  ])('deny $what', async ({ content, model = 'fast', headers = {}, words }) => {
    const response = await ask(content, { model }, headers);
    expect(response.status).toBe(403);
    expect(await response.text()).toContain(words);
  });

  it('mark every chunk of a stream and its text', async () => {
    const text = await (await ask('Hi there', { stream: true })).text();
    const chunks = text.split('\n').filter((line) => line.startsWith('data: {'));
    expect(chunks.length).toBeGreaterThan(3);
    for (const chunk of chunks) expect(JSON.parse(chunk.slice(6))).toMatchObject({ stamp: 'v1', mark: 'm' });
    expect(text.match(/ \[ok\]/g)).toHaveLength(1);
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
  });
});
