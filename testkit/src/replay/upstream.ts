import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ReplayAnswer, ResolvedAnswer, ScriptEntry } from './answer.ts';
import { dialectOfPath, resolveAnswer } from './answer.ts';
import { deliver } from './deliver.ts';
import type { Cut, Delivery } from './delivery.ts';
import { toDelivery } from './delivery.ts';
import { errorBody } from './error-bodies.ts';
import { matchRecording } from './match-recording.ts';
import { ReplayRequest } from './replay-request.ts';

export interface ReplayUpstreamOptions {
  /** The first entries of the script. */
  readonly script?: readonly ScriptEntry[];
  /** How answers go out that do not say it themselves. @default whole */
  readonly delivery?: Delivery | Cut;
  /** Answers what neither script nor matching can. @default a 404 that says so */
  readonly otherwise?: ScriptEntry;
  /** @default 0, an ephemeral port */
  readonly port?: number;
  /** @default 127.0.0.1 */
  readonly host?: string;
}

interface ScriptSlot {
  readonly entry: ScriptEntry;
  remaining: number;
}

/**
 * A provider made of recordings: a real HTTP server that answers with what a provider once said, in any way a network can
 * deliver it or fail to. Which answer: the first fitting entry of the script; else the recording that the request names
 * (`x-replay-id`, model `replay:<id>`); else the recording of the same method, path and model.
 */
export class ReplayUpstream {
  readonly #server: Server;
  readonly #options: ReplayUpstreamOptions;
  readonly #script: ScriptSlot[] = [];
  readonly #sockets = new Map<Socket, { readonly number: number; readonly open: Set<ReplayRequest> }>();
  readonly #arrivals = new Set<() => void>();
  #connectionCount = 0;
  /** Everything that arrived, in order of the heads. */
  readonly requests: ReplayRequest[] = [];
  /** Requests that nothing could answer. */
  readonly unmatched: ReplayRequest[] = [];

  constructor(options: ReplayUpstreamOptions) {
    this.#options = options;
    this.script(options.script ?? []);
    this.#server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0, headersTimeout: 0 });
    this.#server.on('connection', (socket) => this.#connect(socket));
    this.#server.on('request', (incoming, response) => this.#accept(incoming, response));
    this.#server.on('checkContinue', (incoming, response) => {
      response.writeContinue();
      this.#accept(incoming, response);
    });
  }

  /** For `startReplayUpstream`. */
  async listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(this.#options.port ?? 0, this.#options.host ?? '127.0.0.1', resolve);
    await promise;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Base URL without a trailing slash. */
  get url(): string {
    return `http://${this.#options.host ?? '127.0.0.1'}:${this.port}`;
  }

  /** Connections accepted so far. */
  get connectionCount(): number {
    return this.#connectionCount;
  }

  /** Connections open now. */
  get openConnectionCount(): number {
    return this.#sockets.size;
  }

  /** Entries of the script that have not been used up. */
  get remainingScript(): number {
    return this.#script.length;
  }

  /** Appends entries: the next requests get these answers, in this order. */
  script(entries: readonly ScriptEntry[]): void {
    for (const entry of entries) {
      const times = typeof entry === 'object' ? (entry.times ?? 1) : 1;
      this.#script.push({ entry, remaining: times });
    }
  }

  /** Forgets the script and what arrived; connections stay open. */
  reset(): void {
    this.#script.length = 0;
    this.requests.length = 0;
    this.unmatched.length = 0;
  }

  /** The n-th request (0 is the first) as soon as its head is there. */
  async request(index: number): Promise<ReplayRequest> {
    for (let found = this.requests[index]; ; found = this.requests[index]) {
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#arrivals.add(resolve));
    }
  }

  /** Stops listening and cuts every connection. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const socket of this.#sockets.keys()) socket.destroy();
    await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #connect(socket: Socket): void {
    this.#connectionCount += 1;
    const open = new Set<ReplayRequest>();
    this.#sockets.set(socket, { number: this.#connectionCount, open });
    socket.on('error', () => undefined); // resets are part of the game; `close` follows and is recorded
    socket.on('close', () => {
      this.#sockets.delete(socket);
      for (const request of open) request.markClosed();
    });
  }

  #accept(incoming: IncomingMessage, response: ServerResponse): void {
    const connection = this.#sockets.get(incoming.socket);
    const request = new ReplayRequest({
      method: incoming.method ?? 'GET',
      path: incoming.url ?? '/',
      rawHeaders: incoming.rawHeaders,
      headers: incoming.headers,
      connection: connection?.number ?? 0,
    });
    connection?.open.add(request);
    this.requests.push(request);
    for (const arrived of this.#arrivals) arrived();
    this.#arrivals.clear();

    const controller = new AbortController();
    let isOwnFault = false;
    response.on('close', () => {
      if (response.writableFinished) request.finishedAt = Date.now();
      else if (!isOwnFault) request.isAborted = true;
      controller.abort();
    });
    incoming.on('data', (chunk: Buffer) => request.addChunk(chunk));
    incoming.on('error', () => undefined); // the connection was closed inside the body: `close` below reports it
    incoming.on('close', () => {
      if (!incoming.complete) request.endBody(false);
    });
    incoming.on('end', () => {
      request.endBody(true);
      const answer = this.#resolve(request);
      request.answeredBy = answer.id;
      const { refuse, dieAfterBytes, dieAfterEvents } = answer.delivery;
      isOwnFault = refuse === true || dieAfterBytes !== undefined || dieAfterEvents !== undefined;
      deliver(answer, { request, response, signal: controller.signal }).catch((error: unknown) => {
        if (!controller.signal.aborted) response.destroy(error as Error);
      });
    });
  }

  #resolve(request: ReplayRequest): ResolvedAnswer {
    try {
      return resolveAnswer(this.#withDefaults(this.#choose(request)), request);
    } catch (error) {
      this.unmatched.push(request);
      return resolveAnswer(notAnswered(request, (error as Error).message), request);
    }
  }

  #withDefaults(entry: string | ReplayAnswer): ReplayAnswer {
    const answer: ReplayAnswer = typeof entry === 'string' ? { recording: entry } : entry;
    return { ...answer, delivery: { ...toDelivery(this.#options.delivery), ...toDelivery(answer.delivery) } };
  }

  #choose(request: ReplayRequest): string | ReplayAnswer {
    const index = this.#script.findIndex(
      ({ entry }) => typeof entry !== 'object' || entry.when === undefined || entry.when(request),
    );
    const slot = this.#script[index];
    if (slot !== undefined) {
      slot.remaining -= 1;
      if (slot.remaining <= 0) this.#script.splice(index, 1);
      return typeof slot.entry === 'function' ? slot.entry(request) : slot.entry;
    }
    return this.#match(request);
  }

  #match(request: ReplayRequest): string | ReplayAnswer {
    const recording = matchRecording(request);
    if (recording !== undefined) return { recording };
    const { otherwise } = this.#options;
    if (otherwise !== undefined) return typeof otherwise === 'function' ? otherwise(request) : otherwise;
    this.unmatched.push(request);
    return notAnswered(request, 'no recording has this method, path and model');
  }
}

/** A 404 in the dialect of the request, with the reason, so that a failing test says what it missed. */
function notAnswered(request: ReplayRequest, reason: string): ReplayAnswer {
  const dialect = dialectOfPath(request.path);
  const body = structuredClone(errorBody(dialect, 404)) as { error: { message: string } };
  body.error.message = `replay upstream: ${reason} (${request.method} ${request.path})`;
  return { status: 404, dialect, body };
}

/** Starts a replay upstream. `await using upstream = await startReplayUpstream()` closes it at the end of the scope. */
export async function startReplayUpstream(options: ReplayUpstreamOptions = {}): Promise<ReplayUpstream> {
  const upstream = new ReplayUpstream(options);
  await upstream.listen();
  return upstream;
}
