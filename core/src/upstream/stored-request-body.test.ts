/** Bodies that are read as they are sent: over our own connections, and over undici's. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { storedOf } from '../body/__tests__/stored.ts';
import { network, routes } from '../pipeline/__tests__/harness.ts';
import { answering, okAnswer, RecordedCall, ScriptedServer, transportWith } from './__tests__/scripted-server.ts';
import { createDispatcher } from './dispatcher.ts';
import { StoredRequestBody, wholeRequestBody } from './request-body.ts';
import { UndiciTransport } from './undici-transport.ts';

const bytes = randomBytes(3_000_000);
const spliced = () =>
  new StoredRequestBody(storedOf(bytes, routes.chat, 70_000), [
    { start: 0, end: 100_000 },
    Buffer.from('in between'),
    { start: 200_000, end: bytes.length },
  ]);
const expected = Buffer.concat([bytes.subarray(0, 100_000), Buffer.from('in between'), bytes.subarray(200_000)]);

const transports = {
  'connections of our own': () => transportWith(),
  undici: () => {
    const transport = new UndiciTransport(Promise.resolve(createDispatcher(network, { type: 'none' })));
    onTestFinished(() => transport.close());
    return transport;
  },
};

/** A server that reads nothing until it is told to. */
async function silentServer(): Promise<{ readonly origin: string; readonly socket: Promise<Socket> }> {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = once(server, 'connection').then(([one]) => one as Socket);
  onTestFinished(async () => {
    server.close();
    (await socket).destroy();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, socket };
}

describe.each(Object.entries(transports))('a stored body over %s', (_name, open) => {
  it('arrives with its length, ranges and splices in order, each time it is sent', async () => {
    const server = answering(okAnswer);
    const origin = await server.listen();
    const transport = open();
    for (let time = 0; time < 2; time += 1) {
      const call = await new RecordedCall(transport, origin, { body: spliced() }).run();
      expect(call.events).toEqual(['head 200', 'data', 'end']);
    }
    for (const request of server.requests) expect(request.body.equals(expected)).toBe(true);
    expect(server.requests[0]?.head).toContain(`content-length: ${expected.length}`);
  });

  it('is read no faster than the server takes it, and no further once it is given up', async () => {
    const { origin, socket } = await silentServer();
    const body = new StoredRequestBody(storedOf(Buffer.alloc(20_000_000), routes.chat, 1_000_000), [
      { start: 0, end: 20_000_000 },
    ]);
    const read = vi.spyOn(body.stored, 'read');
    const call = new RecordedCall(open(), origin, { body });
    call.call.start();
    await socket;
    let before = -1;
    // Until the sockets between them are full.
    while (read.mock.calls.length !== before) {
      before = read.mock.calls.length;
      await sleep(100);
    }
    expect(before * 65_536).toBeLessThan(18_000_000);
    call.call.abort();
    await sleep(50);
    expect(read.mock.calls.length - before).toBeLessThanOrEqual(1);
    expect(call.events).toEqual([]);
  });

  it('ends the call where it cannot be read again', async () => {
    const server = new ScriptedServer(() => undefined);
    const origin = await server.listen();
    const body = spliced();
    let reads = 0;
    const { stored } = body;
    const original = stored.read.bind(stored);
    vi.spyOn(stored, 'read').mockImplementation((into, position, done) => {
      reads += 1;
      if (reads < 5) original(into, position, done);
      else process.nextTick(() => done(Object.assign(new Error('bad disk'), { code: 'EIO' }), 0));
    });
    const call = await new RecordedCall(open(), origin, { body }).run();
    expect(call.events).toEqual(['failure BF_REQUEST_BODY_UNREADABLE']);
    expect(call.error?.message).toContain('(EIO)');
  });
});

it('is put together where somebody wants it whole', () => {
  expect(wholeRequestBody(spliced()).equals(expected)).toBe(true);
});

describe('a connection on which a stored body is under way', () => {
  it('is used again once the body has left', async () => {
    const server = answering(okAnswer);
    const origin = await server.listen();
    const transport = transportWith();
    for (let time = 0; time < 3; time += 1) await new RecordedCall(transport, origin, { body: spliced() }).run();
    expect(server.sockets.length).toBe(1);
  });

  it('is not used again where the answer came before the whole body had left', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.once('data', () => {
        socket.pause();
        socket.write(okAnswer);
      });
      socket.on('error', () => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const transport = transportWith();
    const body = new StoredRequestBody(storedOf(Buffer.alloc(20_000_000), routes.chat, 1_000_000), [
      { start: 0, end: 20_000_000 },
    ]);
    for (let time = 0; time < 2; time += 1) {
      const call = await new RecordedCall(transport, origin, { body }).run();
      expect(call.events).toEqual(['head 200', 'data', 'end']);
    }
    expect(sockets.length).toBe(2);
  });

  it('breaks with the server, and the call fails', async () => {
    const server = createServer((socket) => {
      socket.once('data', () => socket.destroy());
      socket.on('error', () => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const call = await new RecordedCall(transportWith(), origin, { body: spliced() }).run();
    expect(call.events).toEqual(['failure BF_UPSTREAM_UNREACHABLE']);
  });
});
