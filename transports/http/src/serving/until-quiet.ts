import { setImmediate } from 'node:timers';
import type { ServingApp } from './serving-app.ts';

/** After the last request of a drain: clients that were just about to send one on a kept connection get served. */
const quietMs = 150;

/**
 * Waits for a while in which no request came. Where the thread is short of time its timers are late, and requests wait unread in
 * their sockets, which a close would reset: they are read before it is judged (a connection's accept and its first read take a turn each).
 */
export async function untilQuiet(app: Pick<ServingApp, 'entries' | 'drain'>): Promise<void> {
  let before: number;
  do {
    before = app.entries;
    await new Promise((resolve) => setTimeout(resolve, quietMs));
    for (let turn = 0; turn < 3; turn += 1) await immediate();
    await app.drain();
  } while (app.entries !== before);
}

/** The next turn of the event loop, behind what could be read from sockets. */
export function immediate(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
