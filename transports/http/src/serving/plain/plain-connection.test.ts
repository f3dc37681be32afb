import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { routeTable } from '../route-table.ts';
import { PlainFront } from './plain-front.ts';
import type { PlainExchange } from './plain-exchange.ts';

const entry = routeTable.find(({ path }) => path === '/v1/chat/completions');
const limits = { firstHeadMs: 60_000, keepAliveMs: 75_000, bodyStallMs: 60_000 };

interface Started {
  readonly exchange: PlainExchange;
  readonly body: Buffer;
}

let server: Server;
let front: PlainFront;
let client: Socket;
let received = '';
let started: Started[] = [];
let ended: PlainExchange[] = [];
let refused: string[] = [];
let changed: () => void = () => undefined;

/** Waits until something has happened on the server's side. */
async function until(isThere: () => boolean): Promise<void> {
  while (!isThere()) await new Promise<void>((resolve) => (changed = resolve));
}

async function start(count: number): Promise<Started> {
  await until(() => started.length >= count);
  return started[count - 1] as Started;
}

async function answered(text: string): Promise<void> {
  while (!received.includes(text)) await once(client, 'data');
}

const request = (body: string, path = '/plain', length = body.length): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n${body}`;

const answer = ({ exchange }: Started, text: string): void => {
  exchange.head(200, { 'x-a': '1' });
  exchange.end(text);
};

beforeEach(async () => {
  [started, ended, refused, received] = [[], [], [], ''];
  server = createServer({ requireHostHeader: false }, (incoming, response) => {
    let body = '';
    incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
    incoming.on('end', () => response.end(`node ${incoming.method} ${incoming.url} ${body};`));
  });
  front = new PlainFront(
    server,
    {
      admit: ({ target }) =>
        target === '/plain' && entry?.inbound !== undefined
          ? { entry, destination: { route: entry.inbound, path: entry.path, query: '', limit: 1_000_000 } }
          : undefined,
      plainEntered: () => undefined,
      takeLargeBody: () => {
        throw new Error('no body here is large');
      },
      startPlain: (exchange, body) => {
        if (Buffer.isBuffer(body)) started.push({ exchange, body });
        changed();
      },
      refusePlain: (exchange, failure) => {
        refused.push(failure);
        exchange.head(408, {});
        exchange.end(failure);
      },
      plainEnded: (exchange) => {
        ended.push(exchange);
        changed();
      },
    },
    limits,
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.setEncoding('latin1').on('data', (text: string) => (received += text));
  await once(client, 'connect');
});

afterEach(async () => {
  vi.useRealTimers();
  client.destroy();
  front.closeIdleConnections();
  server.closeAllConnections();
  const closed = once(server, 'close');
  server.close();
  await closed;
});

describe('a plain connection', () => {
  it('is given away between two requests only, and goes on with whoever takes it', async () => {
    client.write(request('one') + request('two'));
    const first = await start(1);
    expect(front.takeIdle()).toEqual([]);
    answer(first, 'first');
    // The second has been read, and waits for its turn.
    expect(front.takeIdle()).toEqual([]);
    answer(await start(2), 'second');
    await answered('second');
    const [socket] = front.takeIdle();
    expect(socket?.remotePort).toBe(client.localPort);
    expect(front.takeIdle()).toEqual([]);
    front.adopt(socket as Socket);
    client.write(request('three'));
    answer(await start(3), 'third');
    await answered('third');
    await until(() => ended.length === 3);
  });

  it('serves one request after the other', async () => {
    client.write(request('one'));
    const first = await start(1);
    expect(first.body.toString()).toBe('one');
    answer(first, 'first');
    await answered('first');
    client.write(request('two'));
    answer(await start(2), 'second');
    await answered('second');
    expect(received).toMatch(
      /^HTTP\/1\.1 200 OK\r\nx-a: 1\r\ndate: [^\r]+ GMT\r\ncontent-length: 5\r\nconnection: keep-alive\r\nkeep-alive: timeout=75\r\n\r\nfirstHTTP/,
    );
    expect(ended).toHaveLength(2);
  });

  it('gathers a body that comes in pieces', async () => {
    const [head = '', body = ''] = request('abcdef').split(/(?<=\r\n\r\n)/);
    client.write(head);
    for (const letter of body) {
      await new Promise((resolve) => setImmediate(resolve));
      client.write(letter);
    }
    expect((await start(1)).body.toString()).toBe('abcdef');
  });

  it('answers requests that were sent ahead in their order, and reads on behind them', async () => {
    client.write(request('one') + request('two') + request('three'));
    for (const [index, text] of ['1st', '2nd', '3rd'].entries()) {
      const next = await start(index + 1);
      expect(started).toHaveLength(index + 1);
      answer(next, text);
    }
    await answered('3rd');
    expect(received.replaceAll(/HTTP[^]*?\r\n\r\n/g, '|')).toBe('|1st|2nd|3rd');
  });

  it('reads no more of a client that sends far ahead until it is its turn', async () => {
    client.write(request('one'));
    const first = await start(1);
    const rest = request('x'.repeat(900_000));
    client.write(rest);
    await new Promise((resolve) => setTimeout(resolve, 50));
    answer(first, 'first');
    expect((await start(2)).body.length).toBe(900_000);
  });

  it.each([
    ['another route', request('body', '/other'), 'node POST /other body;'],
    ['another method', 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n', 'node GET /x ;'],
    [
      'a chunked body',
      'POST /plain HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      'abc;',
    ],
    ['what is no HTTP', 'hello\r\n\r\n', '400 Bad Request'],
  ])("gives %s to Node's server", async (_what, text, expected) => {
    client.write(text);
    await answered(expected);
    expect(started).toHaveLength(0);
  });

  it("gives the connection to Node's server between two requests, with what was sent ahead", async () => {
    client.write(request('one') + request('two', '/other') + request('three'));
    answer(await start(1), 'first');
    await answered('node POST /plain three;');
    expect(received).toContain('node POST /other two;');
    expect(started).toHaveLength(1);
  });

  it("gives a head in pieces to Node's server", async () => {
    client.destroy();
    const accepted = once(server, 'connection');
    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.setEncoding('latin1').on('data', (text: string) => (received += text));
    const [socket] = (await accepted) as [Socket];
    const read = once(socket, 'data');
    client.write('POST /pl');
    // Not before: the two pieces would come as one.
    await read;
    client.write(request('body').slice('POST /pl'.length));
    await answered('node POST /plain body;');
  });

  it('streams in chunks, whatever their sizes', async () => {
    client.write(request('one'));
    const { exchange } = await start(1);
    exchange.head(200, { 'content-type': 'text/event-stream' });
    const pieces = ['ä', '', 'b'.repeat(20_000), Buffer.from('c')];
    for (const piece of pieces) exchange.write(piece);
    exchange.end('d');
    await answered('0\r\n\r\n');
    const [head = '', body = ''] = received.split(/(?<=\r\n\r\n)([^]*)/);
    expect(head).toContain('transfer-encoding: chunked\r\n');
    expect(head).not.toContain('content-length');
    expect(body).toBe(`2\r\n\xc3\xa4\r\n4e20\r\n${'b'.repeat(20_000)}\r\n1\r\nc\r\n1\r\nd\r\n0\r\n\r\n`);
  });

  it('passes a stated length on, and adds no framing of its own', async () => {
    client.write(request('one'));
    const { exchange } = await start(1);
    exchange.head(200, { 'content-length': '6' });
    exchange.write('abc');
    exchange.end('def');
    await answered('abcdef');
    expect(received).not.toContain('chunked');
  });

  it('sends a large answer whole, and is busy until it has left', async () => {
    client.pause();
    client.write(request('one'));
    const { exchange } = await start(1);
    exchange.head(200, {});
    exchange.end('e'.repeat(30_000_000));
    expect(ended).toHaveLength(0);
    client.resume();
    await until(() => ended.length === 1);
    while (received.length < 30_000_000) await once(client, 'data');
    expect(received).toContain('content-length: 30000000\r\n');
  });

  it('says so when the client reads too slowly, and when it has caught up', async () => {
    client.pause();
    client.write(request('one'));
    const { exchange } = await start(1);
    exchange.head(200, {});
    let isWritable = true;
    for (let written = 0; isWritable; written += 1) {
      isWritable = exchange.write('x'.repeat(100_000));
      expect(written).toBeLessThan(1000);
    }
    const drained = new Promise<void>((resolve) => exchange.onDrain(resolve));
    client.resume();
    await drained;
    exchange.end('done');
    await answered('0\r\n\r\n');
  });

  it.each(['destroy', 'end'] as const)('tells who works for a client that it has gone (%s)', async (how) => {
    client.write(request('one'));
    const { exchange } = await start(1);
    const gone = new Promise<void>((resolve) => exchange.onClose(resolve));
    client[how]();
    await gone;
    expect(exchange.isClosed).toBe(true);
    exchange.end('for nobody');
    await until(() => ended.length === 1);
    expect(ended[0]?.statusCode).toBe(0);
  });

  it('forgets a request whose body broke off', async () => {
    client.write(request('abc', '/plain', 100));
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.destroy();
    await until(() => ended.length === 1);
    expect(started).toHaveLength(0);
    expect(refused).toEqual([]);
  });

  it('refuses a header that could be read as two', async () => {
    client.write(request('one'));
    const { exchange } = await start(1);
    exchange.head(200, { 'x-a': 'b\r\nset-cookie: c' });
    expect(() => exchange.end('')).toThrow('x-a');
    exchange.destroy();
  });

  it('says that it ends, and ends, once the server drains', async () => {
    client.write(request('one'));
    const first = await start(1);
    front.stopKeepingAlive();
    answer(first, 'last');
    await once(client, 'close');
    expect(received).toContain('connection: close\r\n');
    expect(received).toMatch(/last$/);
  });

  it('stays open for an answer whose head said so before the server drained', async () => {
    client.write(request('one'));
    const { exchange } = await start(1);
    exchange.head(200, {});
    exchange.write('begun');
    await answered('begun');
    front.stopKeepingAlive();
    exchange.end();
    await answered('0\r\n\r\n');
    client.write(request('two'));
    answer(await start(2), 'served');
    await answered('served');
  });
});

describe('a client that makes its connection wait', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
    server.emit('listening');
  });
  const pass = (milliseconds: number): void => void vi.advanceTimersByTime(milliseconds);

  it('is told that no request came', async () => {
    const quiet = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const accepted = once(server, 'connection');
    let text = '';
    quiet.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await accepted;
    pass(70_000);
    await once(quiet, 'close');
    expect(text).toContain('408 Request Timeout');
  });

  it('is told that the rest of its body did not come', async () => {
    client.write(request('abc', '/plain', 100));
    const arrived = new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    await arrived;
    await vi.waitFor(() => {
      pass(70_000);
      expect(refused).toEqual(['stalled']);
    });
    await once(client, 'close');
    expect(received).toContain('connection: close\r\n');
    expect(received).toMatch(/stalled$/);
  });

  it('is left after its last answer', async () => {
    client.write(request('one'));
    answer(await start(1), 'first');
    await answered('first');
    pass(70_000);
    client.write(request('two'));
    answer(await start(2), 'second');
    await answered('second');
    pass(81_000);
    await once(client, 'close');
  });

  it('may wait for its own answer for as long as it wants', async () => {
    client.write(request('one'));
    const first = await start(1);
    pass(3_600_000);
    answer(first, 'late');
    await answered('late');
  });
});
