/**
 * An upstream that says nothing for minutes and then answers 200, through the whole program as `make run` starts it: whole answers and
 * streams, over connections of our own and through an HTTP proxy, by both ways into the gateway. No limit of a library may cut them.
 * Run: `node benchmarks/src/silent-upstream.ts [--seconds 310]`. Exit code 1 where one was not answered with 200.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import type { RequestListener } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({ options: { seconds: { type: 'string', default: '310' } } });
const silentMs = Number(options.seconds) * 1000;
const repository = join(import.meta.dirname, '../..');

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const answerLate: RequestListener = (request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    const isStream = body.includes('"stream":true');
    setTimeout(() => {
      const chunk = { id: 'c', choices: [{ index: 0, delta: { content: 'late' }, finish_reason: 'stop' }] };
      const message = { index: 0, message: { role: 'assistant', content: 'late' }, finish_reason: 'stop' };
      response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' });
      if (isStream) response.end(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`);
      else
        response.end(
          JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [message] }),
        );
    }, silentMs);
  });
};

/** A proxy that passes bytes on to the upstream, which takes requests in absolute form too. */
function createProxy(upstreamPort: number): Server {
  return createTcpServer((client) => {
    const upstream = connect(upstreamPort, '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.pipe(upstream).pipe(client);
  });
}

interface Way {
  readonly name: string;
  readonly provider: 'openai' | 'groq';
  readonly isStream: boolean;
  /** A body without a length is none of the plain front's: Node's server takes it. */
  readonly isChunked: boolean;
}

const ways: readonly Way[] = (['openai', 'groq'] as const).flatMap((provider) =>
  [false, true].flatMap((isStream) =>
    [false, true].map((isChunked) => ({
      name: `${provider === 'groq' ? 'HTTP proxy' : 'direct'}, ${isStream ? 'stream' : 'whole'}, ${isChunked ? "Node's server" : 'plain front'}`,
      provider,
      isStream,
      isChunked,
    })),
  ),
);

interface Outcome {
  readonly status: number;
  readonly seconds: number;
  readonly hasAnswer: boolean;
  readonly keepAlives: number;
}

function ask(port: number, { provider, isStream, isChunked }: Way): Promise<Outcome> {
  const body = JSON.stringify({
    model: `${provider}/m`,
    stream: isStream,
    messages: [{ role: 'user', content: 'hi' }],
  });
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let text = '';
    const end = (status: number): void => {
      const keepAlives = text.split(': keep-alive').length - 1;
      resolve({
        status,
        seconds: (performance.now() - startedAt) / 1000,
        hasAnswer: text.includes('late'),
        keepAlives,
      });
    };
    const headers = { 'content-type': 'application/json', ...(isChunked ? {} : { 'content-length': body.length }) };
    const path = '/v1/chat/completions';
    const asked = httpRequest({ host: '127.0.0.1', port, path, method: 'POST', headers, agent: false }, (response) => {
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('close', () => end(response.complete ? (response.statusCode ?? 0) : 0));
    });
    asked.on('error', () => end(0));
    if (isChunked) asked.flushHeaders();
    asked.end(body);
  });
}

function startGateway(folder: string): Promise<{ readonly port: number; stop(): void }> {
  const made = spawnSync('make', ['-s', 'tmp/bundle/main.js'], { cwd: repository, stdio: 'inherit' });
  if (made.status !== 0) throw new Error('the program could not be bundled');
  const flags = ['-config', join(folder, 'config.json'), '-app-dir', folder, '-port', '0', '-log-level', 'warn'];
  const child = spawn(process.execPath, [join(repository, 'tmp/bundle/main.js'), ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    let output = '';
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const port = /ready on http:\/\/[^\s:]+:(\d+)/.exec(output)?.[1];
      if (port !== undefined) resolve({ port: Number(port), stop: () => void child.kill('SIGTERM') });
    });
  });
}

const upstream = createServer({ requestTimeout: 0, headersTimeout: 0 }, answerLate);
const upstreamPort = await listen(upstream);
const proxy = createProxy(upstreamPort);
const proxyUrl = `http://127.0.0.1:${await listen(proxy)}`;
const folder = mkdtempSync(join(tmpdir(), 'bifrost-silent-'));
const keys = [{ value: 'sk-upstream' }];
const network_config = { base_url: `http://127.0.0.1:${upstreamPort}` };
const proxied = { keys, network_config, proxy_config: { type: 'http', url: proxyUrl } };
writeFileSync(
  join(folder, 'config.json'),
  JSON.stringify({ providers: { openai: { keys, network_config }, groq: proxied } }),
);

const gateway = await startGateway(folder);
const outcomes = await Promise.all(ways.map((way) => ask(gateway.port, way)));
console.log(
  `${'an upstream that is silent'.padEnd(36)}${'status'.padStart(7)}${'seconds'.padStart(9)}${'comments'.padStart(10)}`,
);
for (const [index, { status, seconds, keepAlives }] of outcomes.entries()) {
  const name = (ways[index] as Way).name.padEnd(36);
  console.log(
    `${name}${String(status).padStart(7)}${seconds.toFixed(1).padStart(9)}${String(keepAlives).padStart(10)}`,
  );
}
gateway.stop();
proxy.close();
upstream.close();
rmSync(folder, { recursive: true });
process.exit(outcomes.every(({ status, hasAnswer }) => status === 200 && hasAnswer) ? 0 : 1);
