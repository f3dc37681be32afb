/**
 * Stands in for `core/src/upstream/transport.ts` where only the engine is to be measured: its calls are answered from memory when
 * `answerAll` is called. Nothing of the network's cost is left, and nothing else is replaced.
 */
import { registerHooks } from 'node:module';
import type {
  UpstreamCall,
  UpstreamListener,
  UpstreamRequest,
  UpstreamTransport,
} from '../../core/src/upstream/call.ts';

/** What every call is answered with. */
export interface InstantAnswer {
  readonly contentType: string;
  readonly chunks: readonly Buffer[];
}

let answer: InstantAnswer = { contentType: 'application/json', chunks: [] };
let waiting: InstantCall[] = [];

class InstantCall implements UpstreamCall {
  readonly isPaused = false;
  readonly resumedAt = 0;
  readonly isSent = true;
  readonly #listener: UpstreamListener;

  constructor(listener: UpstreamListener) {
    this.#listener = listener;
  }

  start(): void {
    waiting.push(this);
  }

  pause(): void {
    throw new Error('the client of this benchmark is never slow');
  }

  resume(): void {
    throw new Error('nothing was paused');
  }

  readOn(): void {
    throw new Error('no client of this benchmark leaves');
  }

  abort(): void {
    throw new Error('a call was given up: the benchmark measures something else than it says');
  }

  answer({ contentType, chunks }: InstantAnswer): void {
    this.#listener.onUpstreamHead(200, {
      server: 'nginx',
      date: 'Tue, 01 Dec 2026 12:00:00 GMT',
      'content-type': contentType,
      ...(chunks.length === 1 ? { 'content-length': String(chunks[0]?.length) } : { 'transfer-encoding': 'chunked' }),
      connection: 'keep-alive',
      'x-request-id': 'req_0123456789abcdef',
      'openai-version': '2020-10-01',
      'openai-processing-ms': '412',
    });
    for (const chunk of chunks) this.#listener.onUpstreamData(chunk);
    this.#listener.onUpstreamEnd();
  }
}

/** What the engine makes its transport with, in the place of the real one. */
export function createTransport(): UpstreamTransport {
  return {
    createCall: (_request: UpstreamRequest, listener: UpstreamListener) => new InstantCall(listener),
    close: () => Promise.resolve(),
  };
}

/** Says what the calls from now on are answered with. */
export function answerWith(next: InstantAnswer): void {
  answer = next;
}

/** Answers every call that has been started. */
export function answerAll(): void {
  const calls = waiting;
  waiting = [];
  for (const call of calls) call.answer(answer);
}

/** From now on whoever imports the engine's transport gets this module's. Call it before the engine is imported. */
export function replaceUpstream(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      const isTransport = resolved.url.endsWith('/core/src/upstream/transport.ts');
      return isTransport ? { ...resolved, url: import.meta.url } : resolved;
    },
  });
}
