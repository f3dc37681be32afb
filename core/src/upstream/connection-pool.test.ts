import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { answering, okAnswer, RecordedCall, ScriptedServer, transportWith } from './__tests__/scripted-server.ts';

const run = (transport: ReturnType<typeof transportWith>, origin: string) => new RecordedCall(transport, origin).run();
const connections = (server: ScriptedServer) => server.requests.map(({ connection }) => connection);
const keepAlive = (text: string) => `HTTP/1.1 200 OK\r\ncontent-length: 2\r\n${text}\r\n\r\nhi`;

describe('a connection', () => {
  it('is used again, the last one first', async () => {
    const server = new ScriptedServer(() => undefined);
    const origin = await server.listen();
    const transport = transportWith();
    const calls = [0, 1].map(() => run(transport, origin));
    await server.received(2);
    server.sockets[0]?.write(okAnswer);
    await Promise.race(calls);
    server.sockets[1]?.write(okAnswer);
    await Promise.all(calls);
    for (const count of [3, 4]) {
      const next = run(transport, origin);
      await server.received(count);
      server.sockets[1]?.write(okAnswer);
      await next;
    }
    expect(connections(server).slice(2)).toEqual([1, 1]);
  });

  it.each([
    ['the server says that it closes it', keepAlive('connection: close')],
    ['the server keeps it no longer than a second', keepAlive('keep-alive: timeout=1')],
    ['bytes come behind the answer', `${okAnswer}HTTP/1.1 200 OK\r\n`],
    ['the answer is of HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi'],
  ])('is not used again when %s', async (_what, text) => {
    const server = answering(text);
    const origin = await server.listen();
    const transport = transportWith();
    for (let count = 0; count < 2; count += 1) {
      expect((await run(transport, origin)).events).toEqual(['head 200', 'data', 'end']);
    }
    expect(connections(server)).toEqual([0, 1]);
  });

  it('is not used again when the request says so', async () => {
    const server = answering(okAnswer);
    const origin = await server.listen();
    const transport = transportWith();
    for (let count = 0; count < 2; count += 1) {
      await new RecordedCall(transport, origin, { headers: ['connection', 'close'] }).run();
    }
    expect(connections(server)).toEqual([0, 1]);
  });

  it('is dropped when it has been idle for as long as configured, without a call that asks for it', async () => {
    const server = answering(okAnswer);
    const origin = await server.listen();
    await run(transportWith({ keepAliveTimeoutMs: 100 }), origin);
    const [socket] = server.sockets;
    const started = performance.now();
    await new Promise((resolve) => socket?.once('close', resolve));
    expect(performance.now() - started).toBeLessThan(2500);
  });

  it('that is too old is not used although nobody has dropped it yet', async () => {
    const server = answering(okAnswer);
    const origin = await server.listen();
    const transport = transportWith({ keepAliveTimeoutMs: 30 });
    await run(transport, origin);
    await setTimeout(40);
    await run(transport, origin);
    expect(connections(server)).toEqual([0, 1]);
  });

  it.each([
    ['ends', (socket: ScriptedServer['sockets'][number]) => socket.end()],
    ['is reset', (socket: ScriptedServer['sockets'][number]) => socket.resetAndDestroy()],
    ['brings bytes that nobody asked for', (socket: ScriptedServer['sockets'][number]) => socket.write(okAnswer)],
  ])('that is idle and %s is dropped at once', async (_what, act) => {
    const server = answering(okAnswer);
    const origin = await server.listen();
    const transport = transportWith();
    await run(transport, origin);
    const socket = server.sockets[0] as ScriptedServer['sockets'][number];
    const isClosed = new Promise((resolve) => socket.once('close', resolve));
    act(socket);
    await isClosed;
    await setImmediate();
    const { events, body } = await run(transport, origin);
    expect([events, body]).toEqual([['head 200', 'data', 'end'], 'hi']);
    expect(connections(server)).toEqual([0, 1]);
  });
});

describe('a kept connection that is closed under a new call', () => {
  it.each([
    ['ended', (socket: ScriptedServer['sockets'][number]) => socket.end()],
    ['reset', (socket: ScriptedServer['sockets'][number]) => socket.resetAndDestroy()],
  ])('(%s) before a byte of the answer: the call is sent once more, on a new one', async (_how, close) => {
    const server = new ScriptedServer(({ socket }) => {
      if (server.requests.length === 2) for (const one of server.sockets) one.write(okAnswer);
      else if (server.requests.length === 3) close(socket);
      else if (server.requests.length === 4) socket.write(okAnswer);
    });
    const origin = await server.listen();
    const transport = transportWith();
    await Promise.all([run(transport, origin), run(transport, origin)]);
    const call = await run(transport, origin);
    expect(call.events).toEqual(['head 200', 'data', 'end']);
    // Not on the other one that was kept: it may be as dead.
    expect(connections(server).at(-1)).toBe(2);
  });

  it('a second time: the call fails', async () => {
    const server = new ScriptedServer(({ socket, connection }) => {
      if (connection === 0 && server.requests.length === 1) socket.write(okAnswer);
      else socket.end();
    });
    const origin = await server.listen();
    const transport = transportWith();
    await run(transport, origin);
    expect((await run(transport, origin)).events).toEqual(['failure BF_UPSTREAM_UNREACHABLE']);
    expect(server.requests.length).toBe(3);
  });

  it('after a byte of the answer: the call fails and is not sent again', async () => {
    const server = new ScriptedServer(({ socket }) => {
      if (server.requests.length === 1) socket.write(okAnswer);
      else socket.end('HTTP');
    });
    const origin = await server.listen();
    const transport = transportWith();
    await run(transport, origin);
    expect((await run(transport, origin)).events).toEqual(['failure BF_UPSTREAM_UNREACHABLE']);
    expect(server.requests.length).toBe(2);
  });

  it('but a new one that is closed fails its call at once', async () => {
    const server = new ScriptedServer(({ socket }) => socket.end());
    const origin = await server.listen();
    const { error } = await run(transportWith(), origin);
    expect(error?.message).toBe('the provider could not be reached (CONNECTION_CLOSED)');
    expect(server.requests.length).toBe(1);
  });
});

describe('the limit of connections', () => {
  it('holds; calls beyond it wait, the first comes first, and one that is given up leaves the line', async () => {
    const server = new ScriptedServer(() => undefined);
    const origin = await server.listen();
    const transport = transportWith({ maxConnectionsPerHost: 2 });
    const order: number[] = [];
    const calls = Array.from({ length: 6 }, (_, index) => {
      const call = new RecordedCall(transport, origin, { path: `/${index}` });
      call.onEvent = (event) => event === 'end' && order.push(index);
      call.call.start();
      return call;
    });
    await server.received(2);
    calls[3]?.call.abort();
    for (let count = 2; count <= 5; count += 1) {
      server.requests[count - 2]?.socket.write(okAnswer);
      if (count < 5) await server.received(count + 1);
    }
    while (order.length < 4) await setImmediate();
    expect(server.sockets.length).toBe(2);
    expect(server.requests.map(({ head }) => head.slice(5, 7))).toEqual(['/0', '/1', '/2', '/4', '/5']);
    expect(calls[3]?.events).toEqual([]);
  });

  it('leaves the place of a connection that breaks to the next call', async () => {
    const server = new ScriptedServer(({ socket, head }) => {
      if (head.startsWith('POST /0')) socket.resetAndDestroy();
      else socket.write(okAnswer);
    });
    const origin = await server.listen();
    const transport = transportWith({ maxConnectionsPerHost: 1 });
    const calls = [0, 1, 2].map((index) => new RecordedCall(transport, origin, { path: `/${index}` }).run());
    const ends = (await Promise.all(calls)).map(({ events }) => events.at(-1));
    expect(ends).toEqual(['failure BF_UPSTREAM_UNREACHABLE', 'end', 'end']);
    expect(connections(server)).toEqual([0, 1, 1]);
  });

  it('fails each waiting call once where nothing listens', async () => {
    const transport = transportWith({ maxConnectionsPerHost: 1 });
    const calls = await Promise.all([1, 2, 3].map(() => run(transport, 'http://127.0.0.1:1')));
    for (const { events, error } of calls) {
      expect(events).toEqual(['failure BF_UPSTREAM_UNREACHABLE']);
      expect(error?.message).toContain('ECONNREFUSED');
    }
  });
});

describe('connecting', () => {
  it('takes no longer than configured, the TLS handshake included', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const origin = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const started = performance.now();
    const { events, error } = await run(transportWith({ connectTimeoutMs: 60 }), origin);
    expect(events).toEqual(['failure BF_UPSTREAM_CONNECT_TIMEOUT']);
    expect(error?.statusCode).toBe(504);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('ends when the only call that waits for it is given up', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const isClosed = new Promise<void>((resolve) => {
      silent.once('connection', (socket) =>
        socket
          .on('error', () => undefined)
          .once('close', resolve)
          .resume(),
      );
    });
    const isConnected = new Promise((resolve) => silent.once('connection', resolve));
    const call = new RecordedCall(transportWith(), `https://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    call.call.start();
    await isConnected;
    const started = performance.now();
    call.call.abort();
    await isClosed;
    expect(performance.now() - started).toBeLessThan(5000);
    expect(call.events).toEqual([]);
  });

  it('is refused for addresses that are not called', async () => {
    for (const origin of ['http://10.0.0.1', 'http://[::ffff:169.254.169.254]']) {
      const { events } = await run(transportWith(), origin);
      expect(events).toEqual(['failure BF_UPSTREAM_ADDRESS_REFUSED']);
    }
  });
});

describe('TLS', () => {
  let key = '';
  let cert = '';

  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), 'bifrost-tls-'));
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,DNS:inner.test'];
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
    execFileSync('openssl', [...made, '-keyout', 'key.pem', '-out', 'cert.pem', ...subject], {
      stdio: 'ignore',
      cwd: folder,
    });
    key = readFileSync(join(folder, 'key.pem'), 'utf8');
    cert = readFileSync(join(folder, 'cert.pem'), 'utf8');
    rmSync(folder, { recursive: true });
  });

  const tlsServer = (answer: (socket: TLSSocket) => void) =>
    new ScriptedServer(({ socket }) => answer(socket as TLSSocket), { key, cert, ALPNProtocols: ['h2', 'http/1.1'] });

  it('is spoken with the name of the server, HTTP/1.1, and the session of the connection before', async () => {
    const server = tlsServer((socket) => socket.write(keepAlive('connection: close')));
    const origin = await server.listen();
    const transport = transportWith({ caCertificatePem: cert });
    const seen: unknown[] = [];
    for (let count = 0; count < 2; count += 1) {
      const { body } = await run(transport, origin);
      const socket = server.sockets[count] as TLSSocket & { servername: string };
      seen.push([body, socket.alpnProtocol, socket.servername, socket.isSessionReused()]);
    }
    expect(seen).toEqual([
      ['hi', 'http/1.1', 'localhost', false],
      ['hi', 'http/1.1', 'localhost', true],
    ]);
  });

  it("asks for the operator's own host where there is one", async () => {
    const server = tlsServer((socket) => socket.write(okAnswer));
    const origin = await server.listen();
    const transport = transportWith({ caCertificatePem: cert });
    const inner = await new RecordedCall(transport, origin, { headers: ['host', 'inner.test'] }).run();
    expect(inner.events.at(-1)).toBe('end');
    expect((server.sockets[0] as TLSSocket & { servername: string }).servername).toBe('inner.test');
    const other = await new RecordedCall(transport, origin, { headers: ['host', 'other.test'] }).run();
    expect(other.error?.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('fails with a certificate that nobody vouches for, unless nobody is asked; so does an authority that is none', async () => {
    const origin = await tlsServer((socket) => socket.write(okAnswer)).listen();
    expect((await run(transportWith(), origin)).error?.message).toMatch(/CERT|SIGNED/);
    expect((await run(transportWith({ isTlsVerificationOff: true }), origin)).events.at(-1)).toBe('end');
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    expect((await run(transportWith({ caCertificatePem: broken }), origin)).events).toEqual([
      'failure BF_UPSTREAM_UNREACHABLE',
    ]);
  });

  it('keeps a large answer whole, paused and resumed', async () => {
    const text = Buffer.alloc(3_000_000, 'abcdefg').toString();
    const origin = await tlsServer((socket) => {
      socket.write(
        `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`,
      );
    }).listen();
    const call = new RecordedCall(transportWith({ caCertificatePem: cert }), origin);
    call.onEvent = (event) => {
      if (event !== 'data') return;
      call.call.pause();
      globalThis.setImmediate(() => call.call.resume());
    };
    await call.run();
    expect(call.body === text).toBe(true);
  });
});

describe('closing', () => {
  it('drops idle connections, lets calls under way and in line end, and takes no more', async () => {
    const server = new ScriptedServer(({ socket, head }) => head.startsWith('POST /now') && socket.write(okAnswer));
    const origin = await server.listen();
    const transport = transportWith({ maxConnectionsPerHost: 1 });
    await new RecordedCall(transport, origin, { path: '/now' }).run();
    const underWay = run(transport, origin);
    await server.received(2);
    const inLine = new RecordedCall(transport, origin, { path: '/now' }).run();
    let isClosed = false;
    const closing = transport.close().then(() => (isClosed = true));
    expect((await run(transport, origin)).error?.message).toContain('POOL_CLOSED');
    await setImmediate();
    expect(isClosed).toBe(false);
    server.sockets[0]?.write(okAnswer);
    expect((await underWay).events.at(-1)).toBe('end');
    expect((await inLine).events.at(-1)).toBe('end');
    await closing;
    await setTimeout(10);
    expect(server.sockets.map(({ destroyed }) => destroyed)).toEqual([true]);
  });

  it('of connections that are idle is done at once', async () => {
    const server = answering(okAnswer);
    const origin = await server.listen();
    const transport = transportWith();
    await run(transport, origin);
    const isGone = new Promise((resolve) => server.sockets[0]?.once('close', resolve));
    await transport.close();
    await isGone;
  });
});
