/**
 * The load, as a process of its own beside the upstream (one core for both, the other for the gateway). Reads a job as JSON from its
 * argument, prints one JSON line.
 */
import { connect, type Socket } from 'node:net';
import { chatRequest } from './payloads.ts';
import { percentilesOf, type Percentiles } from './percentiles.ts';
import { startUpstream } from './upstream.ts';
import { MessageReader, requestBytes } from './wire.ts';

/** What to send where. */
export interface LoadJob {
  readonly kind: 'open-loop' | 'streams' | 'bodies' | 'upstream-only';
  readonly upstreamPort: number;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: string;
  /** Open loop: requests per second. */
  readonly rate?: number;
  readonly seconds?: number;
  readonly connections?: number;
  /** Streams and bodies: how many in all. */
  readonly count?: number;
  readonly chunks?: number;
  /** Bodies: size of the request in bytes. */
  readonly bytes?: number;
}

export interface LoadResult {
  readonly latencyUs: Percentiles;
  readonly firstChunkUs?: Percentiles;
  readonly chunks?: number;
  readonly failures: number;
  readonly elapsedSeconds: number;
}

/** One keep-alive connection that sends prepared bytes and tells when the answer is whole. */
class Client {
  readonly #socket: Socket;
  readonly #reader = new MessageReader();
  #isClosed = false;
  #resolve: ((isGood: boolean) => void) | undefined;
  isBusy = false;
  onBody: ((part: Buffer) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => {
      if (this.#reader.push(bytes, (part) => this.onBody?.(part)) > 0)
        this.#settle(this.#reader.head.startsWith('http/1.1 200'));
    });
    socket.on('close', () => {
      this.#isClosed = true;
      this.#settle(false);
    });
    socket.on('error', () => socket.destroy());
  }

  static async connect(port: number): Promise<Client> {
    const socket = connect(port, '127.0.0.1');
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Client(socket);
  }

  send(bytes: Buffer): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false);
    this.isBusy = true;
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #settle(isGood: boolean): void {
    this.isBusy = false;
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.(isGood);
  }
}

async function connectAll(port: number, count: number): Promise<Client[]> {
  return Promise.all(Array.from({ length: count }, () => Client.connect(port)));
}

/**
 * Open loop: the n-th request is due at n / rate seconds, whether or not earlier ones were answered; latency counts from then
 * (no coordinated omission). The loop spins, as a timer of 1 ms would be coarser than what is measured.
 */
async function openLoop(job: LoadJob): Promise<LoadResult> {
  const [rate, seconds] = [job.rate ?? 1000, job.seconds ?? 5];
  const bytes = requestBytes(job.path, job.headers, chatRequest(job.model));
  const clients = await connectAll(job.port, job.connections ?? 64);
  const total = Math.floor(rate * seconds);
  const samples = new Float64Array(total);
  let [sent, done, failures, turn] = [0, 0, 0, 0];
  const start = performance.now();
  await new Promise<void>((resolve) => {
    const answered = (index: number, dueAt: number) => (isGood: boolean) => {
      samples[index] = (performance.now() - dueAt) * 1000;
      if (!isGood) failures += 1;
      if (++done === total) resolve();
    };
    const spin = (): void => {
      const now = performance.now();
      while (sent < total && start + (sent * 1000) / rate <= now) {
        const client = nextIdle();
        if (client === undefined) break;
        const dueAt = start + (sent * 1000) / rate;
        void client.send(bytes).then(answered(sent, dueAt));
        sent += 1;
      }
      if (sent < total) setImmediate(spin);
    };
    const nextIdle = (): Client | undefined => {
      for (let n = 0; n < clients.length; n++) {
        const client = clients[turn++ % clients.length];
        if (client !== undefined && !client.isBusy) return client;
      }
      return undefined;
    };
    spin();
  });
  for (const client of clients) client.close();
  return { latencyUs: percentilesOf(samples), failures, elapsedSeconds: (performance.now() - start) / 1000 };
}

/** Closed loop of `count` jobs over `connections` clients. */
async function closedLoop(job: LoadJob, bytes: Buffer): Promise<LoadResult> {
  const clients = await connectAll(job.port, job.connections ?? 1);
  const total = job.count ?? 100;
  const [samples, firsts] = [new Float64Array(total), new Float64Array(total)];
  let [next, failures, chunks] = [0, 0, 0];
  const start = performance.now();
  await Promise.all(
    clients.map(async (client) => {
      for (let index = next++; index < total; index = next++) {
        const began = performance.now();
        let first = 0;
        client.onBody = (part) => {
          if (first === 0) first = performance.now();
          for (let at = part.indexOf('data: '); at !== -1; at = part.indexOf('data: ', at + 6)) chunks += 1;
        };
        const isGood = await client.send(bytes);
        if (!isGood) failures += 1;
        samples[index] = (performance.now() - began) * 1000;
        firsts[index] = (first - began) * 1000;
      }
    }),
  );
  for (const client of clients) client.close();
  const elapsedSeconds = (performance.now() - start) / 1000;
  return { latencyUs: percentilesOf(samples), firstChunkUs: percentilesOf(firsts), chunks, failures, elapsedSeconds };
}

async function run(job: LoadJob): Promise<LoadResult | undefined> {
  const upstream = await startUpstream(job.upstreamPort);
  if (job.kind === 'upstream-only') return undefined;
  const model =
    job.kind === 'streams' ? `${job.model.replace(/bench-model$/, '')}bench-stream-${job.chunks ?? 100}` : job.model;
  const request = chatRequest(model, {
    ...(job.kind === 'streams' ? { stream: true } : {}),
    ...(job.bytes === undefined ? {} : { bytes: job.bytes }),
  });
  const result =
    job.kind === 'open-loop'
      ? await openLoop(job)
      : await closedLoop(job, requestBytes(job.path, job.headers, request));
  upstream.close();
  return result;
}

const job = JSON.parse(process.argv[2] ?? '{}') as LoadJob;
const result = await run(job);
if (result !== undefined) {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
} else {
  process.stdout.write('ready\n');
}
