/**
 * The fastest provider that Node can be, for benchmarks: raw sockets, a minimal HTTP/1.1 reader (keep-alive, pipelining,
 * `content-length` and chunked bodies), prebuilt answers. It parses no JSON: the wish is read from a model name that begins
 * with `bench` (see `parseWish`) in the first piece of the body. Chat Completions, or Anthropic Messages on `/messages`.
 * `GET /stats` answers counts and CPU time, so that a run can show that the upstream was not its bottleneck.
 *
 * Usage: node testkit/src/replay/bench-upstream.ts [--port N] [--host ADDRESS]; prints one JSON line with `port` when it listens.
 */
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { parseArgs } from 'node:util';
import type { BenchDialect, BenchStream, BenchWish } from './bench-answers.ts';
import { buildStream, buildWhole, parseWish } from './bench-answers.ts';

const headEnd = Buffer.from('\r\n\r\n');
const modelMark = Buffer.from('"bench');
const continueLine = 'HTTP/1.1 100 Continue\r\n\r\n';

class Wholes {
  readonly #built = new Map<string, Buffer>();

  get(dialect: BenchDialect, bodyBytes: number): Buffer {
    const key = `${dialect} ${bodyBytes}`;
    let answer = this.#built.get(key);
    if (answer === undefined) this.#built.set(key, (answer = buildWhole(dialect, bodyBytes)));
    return answer;
  }
}

const wholes = new Wholes();
const plainChat = wholes.get('chat', 900);
const streams: Readonly<Record<BenchDialect, BenchStream>> = {
  chat: buildStream('chat'),
  messages: buildStream('messages'),
};
const stats = { requests: 0, streams: 0, chunks: 0, connections: 0, open: 0, bytesIn: 0 };

interface RunningStream {
  readonly socket: Socket;
  readonly stream: BenchStream;
  readonly isUsageWanted: boolean;
  readonly whenDone: () => void;
  remaining: number;
}

/** Writes one chunk of every running stream of one gap per tick: one timer for all of them. */
class Ticker {
  readonly #running = new Set<RunningStream>();
  readonly #gapMs: number;
  #isTicking = false;

  constructor(gapMs: number) {
    this.#gapMs = gapMs;
  }

  add(running: RunningStream): void {
    this.#running.add(running);
    if (!this.#isTicking) this.#schedule();
  }

  #schedule(): void {
    this.#isTicking = this.#running.size > 0;
    if (!this.#isTicking) return;
    if (this.#gapMs === 0) setImmediate(() => this.#tick());
    else setTimeout(() => this.#tick(), this.#gapMs);
  }

  #tick(): void {
    for (const running of this.#running) this.#advance(running);
    this.#schedule();
  }

  #advance(running: RunningStream): void {
    const { socket, stream } = running;
    if (socket.destroyed) {
      this.#running.delete(running);
      return;
    }
    if (socket.writableNeedDrain) return;
    running.remaining -= 1;
    stats.chunks += 1;
    if (running.remaining > 0) {
      socket.write(stream.next);
      return;
    }
    this.#running.delete(running);
    socket.write(running.isUsageWanted ? stream.lastWithUsage : stream.last);
    running.whenDone();
  }
}

const tickers = new Map<number, Ticker>();

function tickerOf(gapMs: number): Ticker {
  let ticker = tickers.get(gapMs);
  if (ticker === undefined) tickers.set(gapMs, (ticker = new Ticker(gapMs)));
  return ticker;
}

function statsAnswer(): string {
  const { user, system } = process.cpuUsage();
  const body = JSON.stringify({ ...stats, cpuMicros: user + system, rssBytes: process.memoryUsage.rss() });
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** One connection: reads requests one after the other, answers each before the next. */
class Connection {
  readonly #socket: Socket;
  #pending: Buffer | undefined;
  /** Body bytes still to be skipped; -1: a chunked body, which ends at `0 CRLF CRLF`. */
  #bodyRemaining = 0;
  #chunkedTail = '';
  #isBusy = false;
  #head = '';
  #firstBody: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  push(chunk: Buffer): void {
    stats.bytesIn += chunk.length;
    this.#pending = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#read();
  }

  #read(): void {
    while (!this.#isBusy && this.#pending !== undefined) {
      if (this.#head === '' && !this.#readHead()) return;
      if (!this.#readBody()) return;
      const head = this.#head;
      this.#head = '';
      stats.requests += 1;
      this.#answer(head);
    }
  }

  #readHead(): boolean {
    const bytes = this.#pending as Buffer;
    const end = bytes.indexOf(headEnd);
    if (end === -1) return false;
    this.#head = bytes.toString('latin1', 0, end);
    this.#firstBody = bytes.subarray(end + 4);
    this.#pending = this.#firstBody;
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#head);
    const isChunked = length === null && /\r\ntransfer-encoding: *chunked/i.test(this.#head);
    this.#bodyRemaining = isChunked ? -1 : Number(length?.[1] ?? 0);
    if (/\r\nexpect: *100/i.test(this.#head)) this.#socket.write(continueLine);
    return true;
  }

  /** Skips the body; true once it is whole. The first piece is kept for the wish. */
  #readBody(): boolean {
    const bytes = this.#pending;
    if (bytes === undefined) return this.#bodyRemaining === 0;
    if (this.#firstBody.length === 0) this.#firstBody = bytes;
    if (this.#bodyRemaining === -1) return this.#readChunkedBody(bytes);
    const taken = Math.min(this.#bodyRemaining, bytes.length);
    this.#bodyRemaining -= taken;
    this.#pending = taken === bytes.length ? undefined : bytes.subarray(taken);
    return this.#bodyRemaining === 0;
  }

  /** A chunked body is taken to end where the bytes read so far end in its last chunk: benchmark clients do not pipeline. */
  #readChunkedBody(bytes: Buffer): boolean {
    this.#chunkedTail = (this.#chunkedTail + bytes.toString('latin1', Math.max(0, bytes.length - 7))).slice(-7);
    this.#pending = undefined;
    if (!/(^|\r\n)0\r\n\r\n$/.test(this.#chunkedTail)) return false;
    this.#chunkedTail = '';
    return true;
  }

  #answer(head: string): void {
    if (head.startsWith('GET ')) {
      this.#socket.write(head.startsWith('GET /stats') ? statsAnswer() : plainChat);
      return;
    }
    const body = this.#firstBody;
    const at = body.indexOf(modelMark);
    const isStream = body.includes('"stream":true') || body.includes('"stream": true');
    const pathEnd = head.indexOf(' ', 5);
    const isMessages = head.slice(0, pathEnd).includes('/messages');
    if (at === -1 && !isStream && !isMessages) {
      this.#socket.write(plainChat);
      return;
    }
    const model = at === -1 ? '' : body.toString('latin1', at + 1, Math.max(at + 1, body.indexOf(0x22, at + 1)));
    this.#serve(parseWish(model, isStream), isMessages ? 'messages' : 'chat');
  }

  #serve(wish: BenchWish, dialect: BenchDialect): void {
    if (wish.delayMs > 0) {
      this.#isBusy = true;
      setTimeout(() => {
        this.#isBusy = false;
        this.#begin(wish, dialect);
        this.#read();
      }, wish.delayMs);
    } else this.#begin(wish, dialect);
  }

  #begin(wish: BenchWish, dialect: BenchDialect): void {
    const { streamChunks, gapMs } = wish;
    if (streamChunks === undefined) {
      this.#socket.write(wholes.get(dialect, wish.bodyBytes));
      return;
    }
    stats.streams += 1;
    stats.chunks += 1;
    this.#isBusy = true;
    this.#socket.write(streams[dialect].first);
    tickerOf(gapMs).add({
      socket: this.#socket,
      stream: streams[dialect],
      isUsageWanted: this.#firstBody.includes('"include_usage"'),
      remaining: Math.max(1, streamChunks - 1),
      whenDone: () => {
        this.#isBusy = false;
        this.#read();
      },
    });
  }
}

/** Creates the server; the caller lets it listen. */
export function createBenchUpstream(): Server {
  return createServer({ noDelay: true }, (socket) => {
    stats.connections += 1;
    stats.open += 1;
    const connection = new Connection(socket);
    socket.on('data', (chunk) => connection.push(chunk as Buffer));
    socket.on('error', () => undefined); // a client that resets is part of a benchmark with aborts
    socket.on('close', () => (stats.open -= 1));
  });
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { port: { type: 'string' }, host: { type: 'string' } } });
  const server = createBenchUpstream();
  server.listen(Number(values.port ?? 0), values.host ?? '127.0.0.1', 4096, () => {
    process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port, pid: process.pid })}\n`);
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
}
