/** Entry for tests: loads the file it is told and says how it was started. */
import { parentPort, workerData } from 'node:worker_threads';

async function report(url: string): Promise<object> {
  const loaded = (await import(url)) as { readonly default: unknown };
  return {
    where: parentPort === null ? 'process' : 'thread',
    data: workerData as unknown,
    args: process.argv.slice(2),
    loaded: loaded.default,
    hasPermissionModel: process.permission !== undefined,
    canReadElsewhere: process.permission?.has('fs.read', '/etc/hostname') ?? true,
    environment: Object.keys(process.env).filter((name) => !name.startsWith('NODE_CHANNEL')),
  };
}

const port = parentPort;
if (port === null) {
  process.on('message', (url: string) => {
    void report(url).then((facts) => process.send?.(facts, () => process.disconnect?.()));
  });
} else {
  port.on('message', (url: string) => void report(url).then((facts) => port.postMessage(facts)));
}
