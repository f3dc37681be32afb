import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openListeningSocket } from '../supervisor/listening-socket.ts';
import { Accepting } from './accepting.ts';

const clients = 64;

it('takes several connections in a turn of the event loop, and stops when the last has gone', async () => {
  const listening = await openListeningSocket('127.0.0.1', 0);
  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket));
  const accepting = await Accepting.begin(server, listening.fileDescriptor);
  expect(new Set(accepting.descriptors).size).toBe(accepting.descriptors.length);
  const sockets = Array.from({ length: clients }, () =>
    connect(listening.port, '127.0.0.1').on('error', () => undefined),
  );
  // The system takes them all before the first turn: from here it is the turns that count.
  let turns = 0;
  while (accepted.length < clients && turns < 10_000) {
    await setImmediate();
    if (accepted.length > 0) turns += 1;
  }
  expect(accepted).toHaveLength(clients);
  expect(turns).toBeLessThan(clients / 2);

  let isOver = false;
  const stopped = accepting.stop().then(() => {
    isOver = true;
  });
  await setImmediate();
  expect(isOver).toBe(false);
  for (const socket of [...sockets, ...accepted]) socket.destroy();
  await stopped;
  listening.close();
});
