import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { constants, createGzip } from 'node:zlib';
import type { Gzip } from 'node:zlib';
import type { ResolvedAnswer } from './answer.ts';
import { errorEvents } from './error-bodies.ts';
import type { ReplayRequest } from './replay-request.ts';
import { planWrites } from './write-plan.ts';

interface Exchange {
  readonly request: ReplayRequest;
  readonly response: ServerResponse;
  /** Aborted when the connection is closed. */
  readonly signal: AbortSignal;
}

async function pause(ms: number | undefined, signal: AbortSignal): Promise<void> {
  if (ms !== undefined && ms > 0) await setTimeout(ms, undefined, { signal });
}

/** Hands bytes to the sink and waits where it is full: a slow reader slows the upstream down. */
async function write(sink: ServerResponse | Gzip, piece: Buffer, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!sink.write(piece)) await once(sink, 'drain', { signal });
}

async function flush(gzip: Gzip): Promise<void> {
  await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, () => resolve()));
}

function openSink(answer: ResolvedAnswer, { request, response }: Exchange): ServerResponse | Gzip {
  const isAccepted = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  if (answer.delivery.gzip !== true || !isAccepted) return response;
  response.setHeader('content-encoding', 'gzip');
  const gzip = createGzip();
  gzip.pipe(response);
  return gzip;
}

/** Goes on until the connection is closed, which rejects. */
async function comment(sink: ServerResponse | Gzip, everyMs: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    await pause(everyMs, signal);
    await write(sink, Buffer.from(': still here\n\n'), signal);
  }
}

/** Lets what was written leave the process, then cuts the connection. */
async function die(response: ServerResponse): Promise<void> {
  const { socket } = response;
  if (socket === null) return;
  do await setImmediate();
  while (response.writableLength + socket.writableLength > 0 && !socket.destroyed);
  socket.destroy();
}

/** Sends one answer as its delivery says. Rejects with an AbortError where the connection is closed meanwhile. */
export async function deliver(answer: ResolvedAnswer, exchange: Exchange): Promise<void> {
  const { request, response, signal } = exchange;
  const { delivery } = answer;
  if (delivery.refuse === true) {
    response.socket?.resetAndDestroy();
    return;
  }
  if (delivery.hangBeforeHeaders === true) return;
  await pause(delivery.delayBeforeHeadersMs, signal);
  response.socket?.setNoDelay(true);
  const sink = openSink(answer, exchange);
  const plan = planWrites(
    { bytes: answer.bytes, framing: answer.framing, errorEvents: errorEvents(answer.dialect, delivery.errorStatus) },
    delivery,
  );
  const isWhole = plan.ending === 'end' && plan.writes.length <= 1 && sink === response;
  if (isWhole && delivery.hangAfterHeaders !== true && answer.framing === 'none') {
    response.setHeader('content-length', plan.writes[0]?.length ?? 0);
  }
  response.writeHead(answer.status, { ...answer.headers });
  response.flushHeaders();
  if (delivery.hangAfterHeaders === true) return;
  await pause(delivery.delayBeforeBodyMs, signal);
  for (const [index, piece] of plan.writes.entries()) {
    if (index > 0) await pause(delivery.delayBetweenWritesMs, signal);
    await write(sink, piece, signal);
    request.bytesSent += piece.length;
    request.writesSent += 1;
    if (sink !== response) await flush(sink as Gzip);
    if (plan.writes.length > 1) await setImmediate();
  }
  if (plan.ending === 'end') sink.end();
  else if (plan.ending === 'die') await die(response);
  else if (delivery.commentsEveryMs !== undefined) await comment(sink, delivery.commentsEveryMs, signal);
}
