/** Entry of a plugin's own thread. */
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { hookNames } from '@bifrost/sdk';
import { openSharedState } from '../../shared-state/open-shared-state.ts';
import { loadersOfRealm } from '../../artefacts/loaders-of-realm.ts';
import type { FromRunner, RunnerStart, ToRunner } from '../control.ts';
import { PortChannel } from '../port-channel.ts';
import { lockProcess } from './lock-process.ts';
import { PluginRunner } from './plugin-runner.ts';
import { RunnerConnection } from './runner-connection.ts';

/** `workerData` of the thread. */
export interface WorkerStart {
  readonly start: RunnerStart;
  /** One number: which hook runs, counted from 1 in `hookNames`; 0: none. */
  readonly activity: SharedArrayBuffer;
  /** Memory of `ctx.shared`. */
  readonly shared?: SharedArrayBuffer;
}

/** What the supervisor posts; a channel's port comes with `open`. */
export type ToWorker = ToRunner & { readonly port?: MessagePort };

function run(port: MessagePort, { start, activity, shared }: WorkerStart): void {
  const mark = new Int32Array(activity);
  const numbers = new Map(hookNames.map((hook, index) => [hook, index + 1]));
  const runner = new PluginRunner({
    send: (message: FromRunner) => port.postMessage(message),
    activity: {
      enter: (hook) => void Atomics.store(mark, 0, numbers.get(hook) ?? 0),
      leave: () => void Atomics.store(mark, 0, 0),
    },
    importModule: (specifier) => import(specifier),
    loaders: loadersOfRealm,
    explain: (thrown) => thrown,
    ...(shared === undefined ? {} : { shared: openSharedState(shared) }),
  });
  const escape = (thrown: unknown): void => runner.escape(thrown);
  process.on('unhandledRejection', escape);
  process.on('uncaughtException', escape);
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'open' && message.port !== undefined) {
      runner.connect(new PortChannel(message.port, RunnerConnection.replace));
    } else if (message.kind === 'ping') port.postMessage({ kind: 'pong', ping: message.ping } satisfies FromRunner);
    else if (message.kind === 'models') runner.learn(message.models);
    else if (message.kind === 'view') void runner.view(message.id, message.view, message.config);
    else if (message.kind === 'close') void runner.close();
  });
  // Capabilities are enforced in a process; a thread may load what the build allows.
  lockProcess({ plugin: start.entry.name, realm: 'worker', isNativeGranted: true });
  void runner.start(start);
}

if (parentPort !== null) run(parentPort, workerData as WorkerStart);
