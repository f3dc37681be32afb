/** Entry for tests: says how it was started, to whichever side started it. */
import { parentPort, workerData } from 'node:worker_threads';

const canRead = process.permission?.has('fs.read', '/etc/hostname') ?? 'no permission model';
// oxlint-disable-next-line node/no-process-env -- what it says is the point
const environment = process.env;
const facts = { data: workerData as unknown, args: process.argv.slice(2), environment, canRead };
if (parentPort === null) process.send?.(facts, () => process.disconnect?.());
else parentPort.postMessage(facts);
