/**
 * The load and the provider of the soak, as a process of its own. Reads a job as JSON from its argument, prints a line of JSON about
 * itself each second, and ends when its input does.
 */
import { SoakClient } from './soak-client.ts';
import { nextRequest, randomNumbers } from './soak-mix.ts';
import type { SoakKind } from './soak-mix.ts';
import { startUpstream } from './upstream.ts';

export interface SoakJob {
  readonly port: number;
  readonly upstreamPort: number;
  readonly requests: number;
  /** Per second. */
  readonly rate: number;
  /** Share of requests that their clients give up. */
  readonly aborts: number;
  readonly seed: number;
}

/** What the load says of itself. */
export interface SoakState {
  readonly sent: number;
  readonly answered: number;
  readonly aborted: number;
  readonly failed: number;
  readonly failures: readonly string[];
  readonly kinds: Partial<Record<SoakKind, number>>;
  /** Connections to the gateway that are open here, and the provider's from the gateway. */
  readonly clientSockets: number;
  readonly upstreamSockets: number;
  readonly isDone: boolean;
}

/** More under way at once is more than the gateway keeps up with: the clock waits then. */
const maxUnderWay = 400;

const job = JSON.parse(process.argv[2] ?? '{}') as SoakJob;
const random = randomNumbers(job.seed);
const upstream = await startUpstream(job.upstreamPort);
const idle: SoakClient[] = [];
const busy = new Set<SoakClient>();
const kinds: Partial<Record<SoakKind, number>> = {};
const failures: string[] = [];
let [sent, answered, aborted, failed, upstreamSockets] = [0, 0, 0, 0, 0];
upstream.on('connection', (socket) => {
  upstreamSockets += 1;
  socket.on('close', () => (upstreamSockets -= 1));
});

function takeClient(): SoakClient {
  for (let client = idle.pop(); client !== undefined; client = idle.pop()) if (!client.isClosed) return client;
  return new SoakClient(job.port);
}

async function sendNext(): Promise<void> {
  const request = nextRequest(random, job.aborts);
  kinds[request.kind] = (kinds[request.kind] ?? 0) + 1;
  const client = takeClient();
  busy.add(client);
  const end = await client.send(request);
  busy.delete(client);
  if (end === 'answered') answered += 1;
  else if (end === 'aborted') aborted += 1;
  else {
    failed += 1;
    if (failures.length < 10) failures.push(end.failure);
  }
  if (!client.isClosed) idle.push(client);
}

function say(isDone: boolean): void {
  const clientSockets = busy.size + idle.filter(({ isClosed }) => !isClosed).length;
  const counts = { sent, answered, aborted, failed, failures, kinds };
  console.log(JSON.stringify({ ...counts, clientSockets, upstreamSockets, isDone } satisfies SoakState));
}

process.stdin.on('end', () => process.exit(0)).resume();
let dueFrom = performance.now();
let last = dueFrom;
/** By the clock; a time in which too many were under way is not caught up with. */
const timer = setInterval(() => {
  const now = performance.now();
  let due = Math.min(job.requests - sent, Math.floor(((now - dueFrom) / 1000) * job.rate));
  dueFrom += (Math.max(0, due) * 1000) / job.rate;
  for (; due > 0 && busy.size < maxUnderWay; due -= 1) {
    sent += 1;
    void sendNext();
  }
  const isDone = sent === job.requests && busy.size === 0;
  if (now - last >= 1000 || isDone) say(isDone);
  if (now - last >= 1000) last = now;
  if (!isDone) return;
  clearInterval(timer);
  for (const client of idle) client.close();
  setInterval(() => say(true), 1000);
}, 1);
