/** Entry of a serving thread. Nothing but this file runs on import: it is the thread's composition root. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FromThread, ThreadStart, ToThread } from '../supervisor/messages.ts';
import { useCompileCache } from '../program/compile-cache.ts';

useCompileCache();
const { ServingThread } = await import('./serving-thread.ts');

const port = parentPort;
if (port !== null) {
  const start = workerData as ThreadStart;
  const thread = new ServingThread(start, (message: FromThread) => port.postMessage(message));
  port.on('message', (message: ToThread) => thread.receive(message));
}
