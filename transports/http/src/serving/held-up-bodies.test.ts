/** Who takes a body in may be slower than its client: over both fronts the client has to wait, and nothing is lost. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { BodyTaker } from './gateway-request.ts';
import { createHttpServer } from './http-server.ts';
import { PlainFront } from './plain/plain-front.ts';
import type { BodySource } from './read-body.ts';
import { routeTable } from './route-table.ts';

const bytes = 16 * 1024 * 1024;

/** Takes a piece, then holds its client up until it is told to take all. */
class SlowTaker implements BodyTaker {
  taken = 0;
  readonly #source: BodySource;
  readonly #onEnd: () => void;
  #isSlow = true;

  constructor(source: BodySource, onEnd: () => void) {
    this.#source = source;
    this.#onEnd = onEnd;
  }

  onBodyData(chunk: Buffer): void {
    this.taken += chunk.length;
    if (this.taken === bytes) this.#onEnd();
    else if (this.#isSlow) this.#source.pauseBody();
  }

  takeMore(): void {
    this.#source.resumeBody();
  }

  takeAll(): void {
    this.#isSlow = false;
    this.#source.resumeBody();
  }

  onBodyEnd(): void {
    // Its bytes are counted.
  }

  onBodyAborted(): void {
    throw new Error('the client stays');
  }
}

/** A server of Node's, with requests whose bodies are taken. */
function nodeServer(taken: (taker: SlowTaker) => void): Server {
  return createHttpServer((request, response) => {
    const taker = new SlowTaker(request, () => response.end('whole'));
    request.takeBody(taker);
    taken(taker);
  });
}

/** The same with plain connections in front. */
function plainServer(taken: (taker: SlowTaker) => void): Server {
  const entry = routeTable.find(({ kind }) => kind === 'inference');
  if (entry?.inbound === undefined) throw new Error('there is no such route');
  const destination = { route: entry.inbound, path: entry.path, query: '', limit: bytes };
  const server = createServer();
  const fail = (): never => {
    throw new Error('the body is taken');
  };
  const front = new PlainFront(
    server,
    {
      admit: () => ({ entry, destination }),
      plainEntered: () => undefined,
      takeLargeBody: (exchange, source) => {
        const taker = new SlowTaker(source, () => {
          exchange.head(200, {});
          exchange.end('whole');
        });
        taken(taker);
        return taker;
      },
      startPlain: fail,
      refusePlain: fail,
      plainEnded: () => undefined,
    },
    { firstHeadMs: 60_000, keepAliveMs: 60_000, bodyStallMs: 60_000 },
  );
  onTestFinished(() => front.closeIdleConnections());
  return server;
}

async function openClient(server: Server): Promise<Socket> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(client, 'connect');
  onTestFinished(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  return client;
}

const chunked = (body: Buffer): Buffer[] => [
  Buffer.from(`${body.length.toString(16)}\r\n`),
  body,
  Buffer.from('\r\n0\r\n\r\n'),
];

it.each([
  { front: 'Node’s server', start: nodeServer, framing: `content-length: ${bytes}`, format: (body: Buffer) => [body] },
  { front: 'Node’s server, in chunks', start: nodeServer, framing: 'transfer-encoding: chunked', format: chunked },
  {
    front: 'plain connections',
    start: plainServer,
    framing: `content-length: ${bytes}`,
    format: (body: Buffer) => [body],
  },
])('a client of $front waits while its body is held up', async ({ start, framing, format }) => {
  const takers: SlowTaker[] = [];
  const client = await openClient(start((taker) => takers.push(taker)));
  const answer = new Promise<string>((resolve) => client.setEncoding('latin1').on('data', resolve));
  client.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n${framing}\r\n\r\n`);
  for (const part of format(Buffer.alloc(bytes))) client.write(part);
  await expect.poll(() => takers[0]?.taken).toBeGreaterThan(0);
  const [taker] = takers as [SlowTaker];
  for (let time = 0; time < 3; time += 1) {
    const before = taker.taken;
    taker.takeMore();
    await expect.poll(() => taker.taken).toBeGreaterThan(before);
    await sleep(20);
    // No more than was read already.
    expect(taker.taken - before).toBeLessThanOrEqual(256 * 1024);
  }
  taker.takeAll();
  expect(await answer).toContain('whole');
  expect(taker.taken).toBe(bytes);
});
