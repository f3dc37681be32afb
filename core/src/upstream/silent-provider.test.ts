/**
 * A provider that says nothing for more than five minutes and then answers. No timer of a library may cut it: undici's own limits are
 * 300 s, and others have come and gone. The time is the test's, the sockets are real: whatever timer there is fires on the way.
 */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { connect, createServer as createTcpServer, Socket } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Agent } from 'undici';
import type { ProxyConfig } from '../config.ts';
import { network, provider, routes, TestGateway } from '../pipeline/__tests__/harness.ts';
import { RequestHeaders } from './request-headers.ts';
import { UndiciTransport } from './undici-transport.ts';

const silentSeconds = 310;
const [realImmediate, realTimeout] = [setImmediate, setTimeout];
/** Lets sockets be read and written. */
const turn = () => new Promise<void>((resolve) => realImmediate(resolve));
/** Waits for what takes real time: a connection, a module that is loaded when it is first needed. */
const moment = () => new Promise<void>((resolve) => void realTimeout(resolve, 1));

/** Timers of sockets are Node's own, which a test cannot move: whoever sets one is seen instead. */
const socketTimeouts: number[] = [];
const limit = Object.getOwnPropertyDescriptor(Socket.prototype, 'setTimeout') as PropertyDescriptor;

// Once for all: undici keeps the one timer that it counts its time with.
beforeAll(() => {
  const set = limit.value as (this: Socket, ms: number, listener?: () => void) => Socket;
  const noted = function (this: Socket, ms: number, listener?: () => void): Socket {
    if (ms > 0) socketTimeouts.push(ms);
    return set.call(this, ms, listener);
  };
  Object.defineProperty(Socket.prototype, 'setTimeout', { ...limit, value: noted });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] });
});
afterAll(() => {
  vi.useRealTimers();
  Object.defineProperty(Socket.prototype, 'setTimeout', limit);
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A provider whose answers are given when the test says so. */
class SilentProvider {
  readonly waiting: ServerResponse[] = [];
  readonly #server = createServer(
    { requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 },
    (request, response) => {
      request.resume();
      request.on('end', () => this.waiting.push(response));
    },
  );

  listen(): Promise<string> {
    return listen(this.#server);
  }

  /** Resolves once a request has come. */
  async asked(): Promise<ServerResponse> {
    for (let turns = 0; turns < 5000 && this.waiting.length === 0; turns += 1) {
      await moment();
      // Connecting has a timer of its own, and undici a clock of ticks.
      vi.advanceTimersByTime(1);
    }
    const [response] = this.waiting;
    if (response === undefined) throw new Error('no request came');
    return response;
  }
}

/** Five minutes and ten seconds pass. */
async function passTime(): Promise<void> {
  for (let second = 0; second < silentSeconds; second += 1) {
    await vi.advanceTimersByTimeAsync(1000);
    if (second % 10 === 0) await turn();
  }
}

async function finish<T>(promise: Promise<T>): Promise<T> {
  let isOver = false;
  const over = () => void (isOver = true);
  promise.then(over, over);
  for (let turns = 0; turns < 5000 && !isOver; turns += 1) {
    await moment();
    vi.advanceTimersByTime(1);
  }
  return promise;
}

/** A proxy that forwards what it is asked in absolute form. */
async function startHttpProxy(target: string): Promise<ProxyConfig> {
  const [host, port] = target.split(':') as [string, string];
  const proxy = createTcpServer((client) => {
    const upstream = connect(Number(port), host);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.pipe(upstream).pipe(client);
  });
  return { type: 'http', url: `http://${await listen(proxy)}` };
}

/** A SOCKS proxy for one target. */
async function startSocksProxy(target: string): Promise<ProxyConfig> {
  const [host, port] = target.split(':') as [string, string];
  const proxy = createTcpServer((client) => {
    client.on('error', () => undefined);
    client.once('data', () => {
      client.write(Buffer.from([5, 0]));
      client.once('data', () => {
        const upstream = connect(Number(port), host, () => {
          client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
          client.pipe(upstream).pipe(client);
        });
        upstream.on('error', () => undefined);
      });
    });
  });
  return { type: 'socks5', url: `socks5://${await listen(proxy)}` };
}

const ways: readonly (readonly [string, (target: string) => Promise<ProxyConfig>])[] = [
  ['over connections of our own', () => Promise.resolve({ type: 'none' })],
  ['through an HTTP proxy', startHttpProxy],
  ['through a SOCKS proxy', startSocksProxy],
];

const event = { choices: [{ index: 0, delta: { content: 'late' }, finish_reason: 'stop' }] };

describe.each(ways)('a provider that is silent for 310 s, %s', (_, startProxy) => {
  beforeEach(() => void (socketTimeouts.length = 0));

  it('is answered with 200, whole or as a stream, before its head or behind it', async () => {
    const silent = new SilentProvider();
    const target = await silent.listen();
    const proxy = await startProxy(target);
    const limits = { firstContentTimeoutMs: 600_000, streamIdleTimeoutMs: 600_000 };
    await using gateway = new TestGateway({
      providers: [provider('openai', `http://${target}`, { proxy, network: limits })],
    });
    const answers: ((response: ServerResponse) => void)[] = [
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}'),
      (response) => response.end('{"choices":[]}'),
      (response) =>
        response
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end(`data: ${JSON.stringify(event)}\n\ndata: [DONE]\n\n`),
    ];
    for (const [index, say] of answers.entries()) {
      silent.waiting.length = 0;
      const { sink, done } = gateway.open(routes.openai, { model: 'm', stream: index === 2 });
      const response = await silent.asked();
      if (index === 1) response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      await passTime();
      say(response);
      await finish(done);
      expect([index, sink.statusCode, sink.isDestroyed], sink.text).toEqual([index, 200, false]);
      expect(gateway.traces[index]?.error).toBeUndefined();
      expect(gateway.traces[index]?.latencyMs).toBeGreaterThan(silentSeconds * 1000 - 1);
      if (index === 2) expect(sink.text).toContain('late');
    }
    expect(socketTimeouts).toEqual([]);
  });
});

it('a library that has a limit of its own would be seen', async () => {
  const silent = new SilentProvider();
  const target = await silent.listen();
  const agent = new Agent({ connections: 1 });
  const limited = { headersTimeout: undefined, bodyTimeout: undefined } as unknown as object;
  const transport = new UndiciTransport(
    Promise.resolve({
      dispatch: (options, handler) => agent.dispatch({ ...options, ...limited }, handler),
      close: () => agent.close(),
    }),
  );
  const failures: string[] = [];
  const call = transport.createCall(
    { origin: `http://${target}`, path: '/', headers: new RequestHeaders([]), body: Buffer.from('{}') },
    {
      onUpstreamHead: () => failures.push('answered'),
      onUpstreamData: () => undefined,
      onUpstreamEnd: () => undefined,
      onUpstreamFailure: (error) => failures.push(error.code),
    },
  );
  await turn();
  call.start();
  await silent.asked();
  await passTime();
  await turn();
  expect(failures).toHaveLength(1);
  expect(failures[0]).not.toBe('answered');
  expect(network.firstContentTimeoutMs).toBeGreaterThan(silentSeconds * 1000);
});
