import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { GatewayRequest } from './gateway-request.ts';

/** Told when an exchange is over: answered, or broken off. */
export interface ExchangeListener {
  exchangeClosed(exchange: Exchange): void;
}

/** One request and its answer. The only listener of the answer's end; whoever else wants to know is told from here. */
export class Exchange {
  readonly request: GatewayRequest;
  readonly response: ServerResponse;
  /** `performance.now()` at the head of the request. */
  readonly startedAt: number = performance.now();
  /** Bytes of its body that are counted as held in memory. */
  heldBytes = 0;
  /** The route's path in the table, for metrics: never what the caller wrote. */
  routePath = 'unmatched';
  /** The answer has left, or the connection broke. */
  isOver = false;
  #onClientGone: (() => void)[] | undefined = undefined;

  constructor(request: GatewayRequest, response: ServerResponse, listener: ExchangeListener) {
    this.request = request;
    this.response = response;
    request.exchange = this;
    response.on('close', () => {
      if (!response.writableFinished) for (const gone of this.#onClientGone ?? []) gone();
      this.isOver = true;
      listener.exchangeClosed(this);
    });
  }

  /** Calls `listener` once if the client goes away before the answer has left. */
  onClientGone(listener: () => void): void {
    if (this.response.destroyed) process.nextTick(listener);
    else (this.#onClientGone ??= []).push(listener);
  }
}
