/** Program for tests: starts the entry in a thread and in a process and prints what they say. */
import { once } from 'node:events';
import {
  codeDirectories,
  packaging,
  realmEntry,
  startChild,
  startThread,
} from '../../../framework/src/realms/index.ts';

const [url = '', folder = ''] = process.argv.slice(2);
const echo = realmEntry('echo-entry', new URL('./echo-entry.ts', import.meta.url));

const worker = startThread(echo, { workerData: { n: 1 } });
worker.postMessage(url);
const [thread] = (await once(worker, 'message')) as [unknown];
await worker.terminate();

const readable = [...codeDirectories(), folder].map((path) => `--allow-fs-read=${path}/`);
const child = startChild(echo, {
  nodeFlags: ['--permission', ...readable],
  args: ['a "b" c'],
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
});
child.send(url);
const [fromChild] = (await once(child, 'message')) as [unknown];
await once(child, 'exit');
process.stdout.write(JSON.stringify({ packaging, codeDirectories: codeDirectories(), thread, child: fromChild }));
