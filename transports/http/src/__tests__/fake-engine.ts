/**
 * An engine for tests of the transport: answers what was asked, and misbehaves on request. The model names what to do, e.g.
 * `{"model":"block 3000"}`.
 */
import type { Engine, EngineSnapshot, InboundRequest, ResponseSink } from '@bifrost/core';
import { threadId } from 'node:worker_threads';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class FakeEngine implements Engine {
  #snapshot: EngineSnapshot | undefined;
  #active = 0;
  #onIdle: (() => void) | undefined;

  async handle(request: InboundRequest, sink: ResponseSink): Promise<void> {
    this.#active += 1;
    try {
      await this.#answer(request, sink);
    } finally {
      this.#active -= 1;
      if (this.#active === 0) this.#onIdle?.();
    }
  }

  async #answer(request: InboundRequest, sink: ResponseSink): Promise<void> {
    const body = Buffer.isBuffer(request.body) ? request.body : request.body.whole();
    const [command = '', argument = '0'] = /"model":"(\w+)(?: (\d+))?/.exec(body.toString())?.slice(1) ?? [];
    if (command === 'block') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(argument));
    if (command === 'throw')
      setImmediate(() => {
        throw new Error('thrown on request');
      });
    if (command === 'exit') process.exit(7);
    if (command === 'reject') throw new Error('rejected on request');
    if (command === 'sleep') await sleep(Number(argument));
    if (command === 'stream') {
      sink.head(200, { 'content-type': 'text/event-stream' });
      for (let index = 0; index < Number(argument); index++) {
        sink.write(`data: ${index}\n\n`);
        await sleep(50);
      }
      sink.end('data: [DONE]\n\n');
      return;
    }
    const { route, path, query, requestId, method } = request;
    const answer = {
      thread: threadId,
      snapshot: this.#snapshot?.version,
      bodyBytes: request.body.length,
      request: { route, path, query, requestId, method },
    };
    sink.head(200, { 'content-type': 'application/json' });
    sink.end(JSON.stringify(answer));
  }

  configure(snapshot: EngineSnapshot): void {
    this.#snapshot = snapshot;
  }

  drain(): Promise<void> {
    return this.settled();
  }

  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.#active === 0) resolve();
    });
  }

  async close(): Promise<void> {}
}

export function createEngine(): Engine {
  return new FakeEngine();
}
