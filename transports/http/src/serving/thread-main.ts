/** Entry of a serving thread: the thread's composition root. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FromThread, ThreadStart, ToThread } from '../supervisor/messages.ts';
import { ServingThread } from './serving-thread.ts';

const port = parentPort;
if (port !== null) {
  const thread = new ServingThread(workerData as ThreadStart, (message: FromThread) => port.postMessage(message));
  port.on('message', (message: ToThread) => thread.receive(message));
}
