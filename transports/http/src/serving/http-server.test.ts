import { once } from 'node:events';
import { get } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it } from 'vitest';
import { createHttpServer } from './http-server.ts';

it('has no clock that runs while an answer is waited for', async () => {
  const timeouts: (number | undefined)[] = [];
  const sockets: Socket[] = [];
  const server = createHttpServer((request, response) => {
    sockets.push(request.socket);
    timeouts.push(request.socket.timeout);
    setImmediate(() => {
      timeouts.push(request.socket.timeout);
      response.end('late');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Of a whole request, and of silence on its connection: Node has had 300 s and 120 s for these.
  expect([server.requestTimeout, server.timeout]).toEqual([0, 0]);
  // Of the head of a request, which is over by then.
  expect(server.headersTimeout).toBe(60_000);
  const client = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false });
  const [response] = await once(client, 'response');
  response.resume();
  await once(response, 'end');
  expect(timeouts.every((timeout) => timeout === undefined || timeout === 0)).toBe(true);
  expect(sockets).toHaveLength(1);
  server.close();
});
