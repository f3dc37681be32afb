/** The other side of the bare thread and process: answers with a constant, and does nothing else. */
import { Socket } from 'node:net';
import { workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { measuredHooks } from './measured-hooks.ts';

const answers = new Map<string, string>(measuredHooks.map(({ name, answer }) => [name, answer]));
const values = new Map<string, unknown>(
  measuredHooks.map(({ name, answer }) => [name, answer === '' ? undefined : JSON.parse(answer)]),
);

interface Call {
  readonly call: number;
  readonly hook: string;
}

if (process.argv[2] === 'process') {
  const socket = new Socket({ fd: 3 });
  let rest = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [{ call, hook }] = JSON.parse(line) as [Call];
      const answer = answers.get(hook) ?? '';
      socket.write(`[{"kind":"reply","call":${call}${answer === '' ? '' : `,"value":${answer}`}}]\n`);
    }
  });
} else {
  const { port } = workerData as { readonly port: MessagePort };
  port.on('message', ([{ call, hook }]: readonly [Call]) => {
    const value = values.get(hook);
    port.postMessage([value === undefined ? { kind: 'reply', call } : { kind: 'reply', call, value }]);
  });
}
