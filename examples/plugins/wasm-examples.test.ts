import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

const examples: readonly { name: string; wasm?: string; config: object; readsWords?: true }[] = [
  {
    name: 'wasm-c',
    config: { greeting: 'hello', stamp: 'v1', blockedTeam: 'red', aliases: { fast: 'mock/small' } },
  },
  { name: 'wasm-c-wasi', config: { mark: 'm' }, readsWords: true },
  { name: 'wasm-rust', config: { forbidden: ['secret'], stamp: ' [ok]' } },
  { name: 'wasm-assemblyscript', config: { deniedModel: 'dear', footer: '', stamp: '' } },
  { name: 'wasm-bifrost-abi', wasm: 'guest-rust.wasm', config: { tag: 't', system: 'Be brief.' } },
];

/** A folder outside of the repository with the plugins and a configuration of all of them. */
function writeFolder(isolation: string): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bifrost-wasm-')));
  const words = join(folder, 'words.txt');
  writeFileSync(words, 'forbidden\n');
  const plugins = examples.map(({ name, wasm = 'plugin.wasm', config, readsWords }) => {
    const path = join(folder, `${name}.wasm`);
    copyFileSync(join(import.meta.dirname, name, wasm), path);
    const entry = { name, path, enabled: true, isolation, config };
    return readsWords === undefined
      ? entry
      : { ...entry, config: { ...config, words }, capabilities: { fs: { read: [words] } } };
  });
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ plugins }));
  return folder;
}

interface Gateway {
  readonly process: ChildProcess;
  readonly origin: string;
  readonly lines: readonly string[];
}

/** The real program. */
async function startGateway(folder: string): Promise<Gateway> {
  const lines: string[] = [];
  const program = join(root, 'transports/http/src/main.ts');
  const options = ['-config', join(folder, 'config.json'), '-app-dir', folder, '-port', '0', '-threads', '1'];
  const child = spawn(process.execPath, [program, ...options], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  createInterface(child.stderr).on('line', (line) => lines.push(line));
  const origin = await new Promise<string>((ready, failed) => {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line);
      const address = /ready on (http:\/\/\S+)/.exec(line)?.[1];
      if (address !== undefined) ready(address);
    });
    child.once('exit', (code) => failed(new Error(`the gateway ended with ${code}:\n${lines.join('\n')}`)));
  });
  return { process: child, origin, lines };
}

describe.each(['inline', 'worker', 'process'])('the WebAssembly examples in the running gateway, %s', (isolation) => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startGateway(writeFolder(isolation));
  }, 60_000);

  afterAll(async () => {
    const { process: child } = gateway;
    child.removeAllListeners('exit');
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  });

  const ask = (content: string, more: object = {}, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${gateway.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'fast', messages: [{ role: 'user', content }], ...more }),
    });

  it('are all active', () => {
    const log = gateway.lines.join('\n');
    for (const { name } of examples) expect(log).toContain(`plugin status: ${name} - active`);
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
