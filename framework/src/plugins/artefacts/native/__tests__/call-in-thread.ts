/** A thread that loads a native plugin and calls it, for the tests. */
import { parentPort, workerData } from 'node:worker_threads';
import { nodeAddonLoader } from '../../node-addon/node-addon-loader.ts';
import { nativeLoader } from '../native-loader.ts';
import { requestFor, runPlugin } from './load-native.ts';

interface Task {
  readonly file: string;
  readonly stamp: string;
  readonly kind: 'native' | 'node-addon';
  readonly calls: number;
  readonly name?: string;
  /** Do not unload, and do not end. */
  readonly stay?: boolean;
}

// The tests that start this thread give it.
const task = workerData as Task;
const loader = task.kind === 'native' ? nativeLoader : nodeAddonLoader;
const plugin = await runPlugin(requestFor(task.file, { name: task.name ?? 'threads' }), { stamp: task.stamp }, loader);
let right = 0;
for (let index = 0; index < task.calls; index++) {
  const event = { type: 'text-delta', part: '0', text: String(index) };
  const [stamped] = plugin.call('streamEventHook', event) as readonly { readonly text: string }[];
  if (stamped?.text === `[${task.stamp}]${index}`) right += 1;
}
if (task.stay !== true) await plugin.unload();
parentPort?.postMessage({ stamp: task.stamp, right });
if (task.stay === true) setInterval(() => plugin, 60_000);
