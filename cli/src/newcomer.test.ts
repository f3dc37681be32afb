import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Workshop } from './__tests__/workshop.ts';

const repository = resolve(import.meta.dirname, '../..');
const bin = join(repository, 'cli/bin/bifrost.mjs');

class Gateway implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly origin: Promise<string>;
  readonly #child: ChildProcess;

  constructor(folder: string, config: string) {
    const program = join(repository, 'transports/http/src/main.ts');
    const args = ['-config', config, '-port', '0', '-threads', '1', '-app-dir', join(folder, 'app')];
    const child = spawn(process.execPath, [program, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.origin = new Promise((ready, failed) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface(stream).on('line', (line) => {
          this.lines.push(line);
          const address = /ready on (http:\/\/\S+)/.exec(line)?.[1];
          if (address !== undefined) ready(address);
        });
      }
      child.once('exit', (code) => failed(new Error(`the gateway ended with ${code}:\n${this.lines.join('\n')}`)));
    });
  }

  async ask(model: string): Promise<Response> {
    return fetch(`${await this.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }] }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }
}

describe("a newcomer's path, in a folder outside the repository", () => {
  it('leads from nothing to a plugin that answers in a running gateway', async () => {
    using workshop = new Workshop();
    const bifrost = (...args: readonly string[]): string =>
      execFileSync(process.execPath, [bin, ...args], { cwd: workshop.folder, encoding: 'utf8' });
    expect(bifrost('plugin', 'new', 'hello')).toContain('bifrost plugin test hello');
    expect(bifrost('plugin', 'test', 'hello', '--reloads', '1')).toMatch(/All \d+ passed/);
    await using gateway = new Gateway(workshop.folder, workshop.path('hello/config.json'));
    const response = await gateway.ask('mock/any');
    expect(response.status).toBe(200);
    expect(response.headers.get('x-hello')).toBe('Hello from hello');
    const refused = await gateway.ask('mock/secret');
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain('is forbidden here');
    expect(gateway.lines.join('\n')).toContain('Plugin loaded successfully: hello');
  });

  it.skipIf(!existsSync('/usr/bin/node'))(
    'begins with the Node that the machine has, and goes on with the pinned one',
    () => {
      using workshop = new Workshop();
      const [command, args] = ['/usr/bin/node', [bin, 'plugin', 'new', 'hello']];
      expect(execFileSync(command, args, { cwd: workshop.folder, encoding: 'utf8' })).toContain('hello is written');
    },
  );
});
