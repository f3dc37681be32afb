import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { documentedCommands } from './__tests__/checkout.ts';
import { portableExecutable } from './executables.ts';
import { runGateway } from './run-gateway.ts';

const streamCount = 1000;
const newConnectionsPerSecond = 200;
const chunkCount = 24;
const chunkEveryMs = 250;

/** A provider whose streams go on for six seconds, all from one clock. */
async function startProvider(): Promise<{ url: string; close(): void }> {
  const open = new Set<(chunk: string | undefined) => void>();
  const clock = setInterval(() => {
    for (const tick of open) tick(undefined);
  }, chunkEveryMs);
  const server = createServer((incoming, response) => {
    incoming.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let sent = 0;
    const tick = (): void => {
      const finish = sent === chunkCount - 1 ? 'stop' : null;
      const choices = [{ index: 0, delta: { content: `<${sent}>` }, finish_reason: finish }];
      response.write(
        `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices })}\n\n`,
      );
      sent += 1;
      if (sent < chunkCount) return;
      open.delete(tick);
      response.end('data: [DONE]\n\n');
    };
    open.add(tick);
    response.once('close', () => open.delete(tick));
    tick();
  });
  server.listen(0, '127.0.0.1', 4096);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      clearInterval(clock);
      server.close();
    },
  };
}

interface Answer {
  readonly text: string;
  readonly failure?: string;
}

/** One request on a connection of its own. */
function ask(url: string, model: string, isStream: boolean, onHead?: () => void): Promise<Answer> {
  const body = JSON.stringify({ model, stream: isStream, messages: [{ role: 'user', content: 'Hello' }] });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve) => {
    let text = '';
    const outgoing = request(`${url}/v1/chat/completions`, { method: 'POST', agent: false, headers }, (response) => {
      onHead?.();
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve(response.statusCode === 200 ? { text } : { text, failure: `status ${response.statusCode}` }),
      );
      response.on('error', (error) => resolve({ text, failure: error.message }));
    });
    outgoing.on('error', (error) => resolve({ text, failure: error.message }));
    outgoing.end(body);
  });
}

/** As the documentation has it: the file is replaced, and the successor is started from its path. */
const commands = [
  'install -m 755 bifrost-http.new /usr/local/bin/bifrost-http',
  'kill -USR2 "$(pidof bifrost-http)"',
] as const;

function upgrade(folder: string, pid: number): void {
  for (const command of commands) {
    expect(documentedCommands()).toContain(command);
    // Other gateways of this machine are none of ours.
    const here = command.replace('/usr/local/bin/', './').replace('$(pidof bifrost-http)', String(pid));
    execFileSync('bash', ['-c', here], { cwd: folder });
  }
}

it('a new version takes over 1,000 live streams and 200 new connections a second: none cut, none refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-upgrade-'));
  const provider = await startProvider();
  try {
    const path = join(folder, 'bifrost-http');
    copyFileSync(await portableExecutable(), path);
    const config = join(folder, 'config.json');
    const concurrency = { concurrency: 2000, buffer_size: 5000 };
    const network = { base_url: provider.url };
    const openai = { keys: [{ value: 'sk-x' }], network_config: network, concurrency_and_buffer_size: concurrency };
    writeFileSync(config, JSON.stringify({ providers: { openai } }));
    // A test machine under load must not be taken for a blocked thread.
    await using gateway = await runGateway([path], {
      args: ['-config', config, '-app-dir', folder, '-blocked-after-ms', '20000'],
    });
    const { url } = gateway;
    const { port } = new URL(url);

    let started = 0;
    const allStarted = Promise.withResolvers<void>();
    const streams = Array.from({ length: streamCount }, () =>
      ask(url, 'openai/slow', true, () => {
        started += 1;
        if (started === streamCount) allStarted.resolve();
      }),
    );
    await allStarted.promise;

    const short: Promise<Answer>[] = [];
    const load = setInterval(() => {
      for (let count = 0; count < newConnectionsPerSecond / 50; count++) short.push(ask(url, 'mock/x', false));
    }, 20);
    copyFileSync(path, `${path}.new`);
    upgrade(folder, gateway.child.pid ?? 0);
    const [, pid] = await gateway.until(/process (\d+) has taken over/);
    const successor = Number(pid);
    const answers = await Promise.all(streams);
    expect(await gateway.exited).toBe(0);
    await sleep(500);
    clearInterval(load);
    const whole = await Promise.all(short);
    try {
      expect(
        answers.filter(
          ({ failure, text }) =>
            failure !== undefined || !text.includes(`<${chunkCount - 1}>`) || !text.trimEnd().endsWith('[DONE]'),
        ),
      ).toEqual([]);
      expect(whole.filter(({ failure, text }) => failure !== undefined || !text.includes('You said: Hello'))).toEqual(
        [],
      );
      expect(whole.length).toBeGreaterThan(200);
      expect(gateway.output().match(new RegExp(`ready on \\S+:${port} `, 'g'))).toHaveLength(2);
    } finally {
      process.kill(successor, 'SIGTERM');
    }
  } finally {
    provider.close();
    rmSync(folder, { recursive: true, force: true });
  }
}, 180_000);
