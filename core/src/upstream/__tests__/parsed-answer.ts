import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { Client } from 'undici';
import type { ResponseHead } from '../response-head.ts';
import { ResponseParser } from '../response-parser.ts';

/** What a parser made of the bytes of one connection: the events of its first answer. */
export interface ParsedAnswer {
  readonly statusCode: number | undefined;
  readonly headers: Readonly<Record<string, unknown>> | undefined;
  /** In latin1. */
  readonly body: string;
  /** How it ended: well, refused, or still waiting for bytes. */
  readonly end: 'complete' | 'refused' | 'waiting';
}

interface OwnAnswer extends ParsedAnswer {
  /** Bytes behind the end of the answer. */
  readonly restBytes: number;
  readonly head: ResponseHead | undefined;
  readonly code: string | undefined;
}

/** Parses the pieces as they would come over a connection, which then ends where `isClosed`. */
export function parsePieces(pieces: readonly Buffer[], isClosed: boolean): OwnAnswer {
  let head: ResponseHead | undefined;
  let body = '';
  let isEnded = false;
  let restBytes = 0;
  let code: string | undefined;
  const parser = new ResponseParser({
    onHead: (one) => (head = one),
    onBody: (bytes, start, end) => (body += bytes.toString('latin1', start, end)),
    onEnd: () => (isEnded = true),
  });
  try {
    for (const piece of pieces) {
      // As in a buffer that many reads share: there are other bytes before and behind.
      const padded = Buffer.concat([Buffer.from('\r\n'), piece, Buffer.from('\r\n\r\nHTTP/1.1 200 OK\r\n')]);
      restBytes += piece.length + 2 - parser.execute(padded, 2, 2 + piece.length);
    }
    if (isClosed && !parser.finish()) code = 'CLOSED';
  } catch (error) {
    code = (error as { code: string }).code;
  }
  const end = isEnded ? 'complete' : code === undefined ? 'waiting' : 'refused';
  return { statusCode: head?.statusCode, headers: head && { ...head.headers }, body, end, restBytes, head, code };
}

/** What undici (llhttp) makes of the same bytes, for a POST. */
export async function parseByUndici(bytes: Buffer, isClosed: boolean): Promise<ParsedAnswer> {
  let end: ParsedAnswer['end'] | undefined;
  const socket = new MemorySocket(bytes, isClosed);
  const client = new Client('http://oracle.test', {
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 128 * 1024,
    connect: (_options, callback) => process.nextTick(callback, null, socket as never),
  });
  let statusCode: number | undefined;
  let headers: Record<string, unknown> | undefined;
  let body = '';
  client.dispatch(
    { path: '/', method: 'POST', body: 'x' },
    {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status, given) => {
        if (status < 200) return;
        statusCode = status;
        headers = { ...given };
      },
      onResponseData: (_controller, chunk) => (body += chunk.toString('latin1')),
      onResponseEnd: () => (end = 'complete'),
      onResponseError: () => (end ??= 'refused'),
    },
  );
  await socket.isRead;
  // In memory there is no more to come once the loop has turned a few times.
  for (let turns = 0; end === undefined && turns < 5; turns += 1) await setImmediate();
  const answer: ParsedAnswer = { statusCode, headers, body, end: end ?? 'waiting' };
  void client.destroy();
  socket.destroy();
  return answer;
}

/** A connection to a server that answers the first bytes it gets. */
class MemorySocket extends Duplex {
  readonly isRead: Promise<void>;
  #answer: () => void;

  constructor(bytes: Buffer, isClosed: boolean) {
    super();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.isRead = promise;
    this.#answer = () => {
      this.push(bytes);
      if (isClosed) this.push(null);
      resolve();
    };
  }

  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
    process.nextTick(this.#answer);
    this.#answer = () => undefined;
  }
  ref(): void {}
  unref(): void {}
}

/** The bytes in pieces that end at `cuts`. */
export function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let start = 0;
  for (const cut of cuts.map((one) => one % (bytes.length + 1)).toSorted((left, right) => left - right)) {
    if (cut > start) pieces.push(bytes.subarray(start, cut));
    start = Math.max(start, cut);
  }
  pieces.push(bytes.subarray(start));
  return pieces;
}
