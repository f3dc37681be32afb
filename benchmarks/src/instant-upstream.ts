/**
 * Stands in for `core/src/upstream/call.ts` where only the engine is to be measured: it has the members that the engine calls, and
 * answers from memory when `answerAll` is called. Nothing of the network's cost is left, and nothing else is replaced.
 */
import { registerHooks } from 'node:module';

interface Listener {
  onUpstreamHead(statusCode: number, headers: Record<string, string>): void;
  onUpstreamData(chunk: Buffer): void;
  onUpstreamEnd(): void;
}

/** What every call is answered with. */
export interface InstantAnswer {
  readonly contentType: string;
  readonly chunks: readonly Buffer[];
}

let answer: InstantAnswer = { contentType: 'application/json', chunks: [] };
let waiting: UpstreamCall[] = [];

export class UpstreamCall {
  readonly isPaused = false;
  readonly #listener: Listener;

  constructor(_dispatcher: unknown, _request: unknown, listener: Listener) {
    this.#listener = listener;
  }

  start(): void {
    waiting.push(this);
  }

  pause(): void {
    throw new Error('the sink of this benchmark is never slow');
  }

  resume(): void {
    // Called where a hook has kept the answer; nothing was paused.
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

/** From now on whoever imports the engine's upstream call gets this module's. Call it before the engine is imported. */
export function replaceUpstream(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      return resolved.url.endsWith('/core/src/upstream/call.ts') ? { ...resolved, url: import.meta.url } : resolved;
    },
  });
}
