import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { network, provider, routes, TestGateway } from '../pipeline/__tests__/harness.ts';
import type { ProxyConfig } from '../config.ts';
import { createDispatcher } from './dispatcher.ts';

let folder = '';
let certificate = '';
let secret = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  execFileSync('openssl', [...made, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
  certificate = readFileSync(cert, 'utf8');
  secret = readFileSync(key, 'utf8');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const answer = (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end('{"id":"c","choices":[]}');
};

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    if ('closeAllConnections' in server) (server as { closeAllConnections(): void }).closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

async function ask(url: string, changes: Parameters<typeof provider>[2]) {
  await using gateway = new TestGateway({ providers: [provider('openai', url, changes)] });
  return gateway.post(routes.openai, { model: 'm' });
}

describe('TLS', () => {
  it("trusts the operator's authority beside the well-known ones, or nobody is asked where the operator says so", async () => {
    const port = await listen(createTlsServer({ key: secret, cert: certificate }, answer));
    const url = `https://localhost:${port}`;
    const refused = await ask(url, {});
    expect(refused.statusCode).toBe(502);
    expect(refused.text).toMatch(/CERT|SIGNED/);
    expect((await ask(url, { network: { caCertificatePem: certificate } })).statusCode).toBe(200);
    expect((await ask(url, { network: { isTlsVerificationOff: true } })).statusCode).toBe(200);
  });
});

/** An HTTP proxy that tunnels and forwards, and writes down what it was asked. */
async function startProxy(seen: string[]): Promise<number> {
  const proxy = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers['proxy-authorization'] ?? '-'}`);
    answer(request, response);
  });
  proxy.on('connect', (request, client: Socket) => {
    seen.push(`CONNECT ${request.headers['proxy-authorization'] ?? '-'}`);
    const [host, port] = (request.url as string).split(':');
    const target = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      target.pipe(client).pipe(target);
    });
    for (const socket of [client, target]) socket.on('error', () => undefined);
  });
  return listen(proxy);
}

describe('a proxy', () => {
  it('of type http carries plain and tunnelled calls, with its credentials', async () => {
    const seen: string[] = [];
    const proxyPort = await startProxy(seen);
    const tlsPort = await listen(createTlsServer({ key: secret, cert: certificate }, answer));
    const proxy: ProxyConfig = { type: 'http', url: `http://127.0.0.1:${proxyPort}`, username: 'u', password: 'p' };
    const basic = `Basic ${Buffer.from('u:p').toString('base64')}`;
    expect((await ask('http://upstream.invalid', { proxy })).statusCode).toBe(200);
    expect(
      (await ask(`https://localhost:${tlsPort}`, { proxy, network: { caCertificatePem: certificate } })).statusCode,
    ).toBe(200);
    expect(seen).toEqual([`POST http://upstream.invalid/v1/chat/completions ${basic}`, `CONNECT ${basic}`]);
  });

  it('of type environment is read from HTTP_PROXY, and NO_PROXY passes it by', async () => {
    const seen: string[] = [];
    const proxyPort = await startProxy(seen);
    const direct = await listen(createServer(answer));
    const before = { ...process.env };
    process.env['http_proxy'] = `http://127.0.0.1:${proxyPort}`;
    process.env['no_proxy'] = '127.0.0.1';
    try {
      expect((await ask('http://upstream.invalid', { proxy: { type: 'environment' } })).statusCode).toBe(200);
      expect((await ask(`http://127.0.0.1:${direct}`, { proxy: { type: 'environment' } })).statusCode).toBe(200);
    } finally {
      for (const name of ['http_proxy', 'no_proxy']) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
    expect(seen.length).toBe(1);
  });

  it('of type socks5 gets the name to resolve', async () => {
    const target = await listen(createServer(answer));
    const names: string[] = [];
    const socks = createTcpServer((client) => {
      client.on('error', () => undefined);
      client.once('data', () => {
        client.write(Buffer.from([5, 0]));
        client.once('data', (request: Buffer) => {
          names.push(request.subarray(5, 5 + (request[4] as number)).toString());
          const upstream = connect(target, '127.0.0.1', () => {
            client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
            upstream.pipe(client).pipe(upstream);
          });
          upstream.on('error', () => undefined);
        });
      });
    });
    const port = await listen(socks);
    const sink = await ask('http://provider.test', { proxy: { type: 'socks5', url: `socks5://127.0.0.1:${port}` } });
    expect(sink.statusCode).toBe(200);
    expect(names).toEqual(['provider.test']);
  });

  it('without a url is a configuration error that says what is missing', () => {
    expect(() => createDispatcher(network, { type: 'http' })).toThrow('needs a url such as');
  });
});
