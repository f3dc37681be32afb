import type { NetworkConfig } from '../config.ts';
import type { UpstreamCall, UpstreamListener, UpstreamRequest, UpstreamTransport } from './call.ts';
import { ConnectionPool } from './connection-pool.ts';
import { DirectCall } from './direct-call.ts';
import { SocketOpener } from './socket-opener.ts';

/**
 * Calls over connections of our own, with a pool for each origin. A provider's origins are those of its configuration, so there are
 * few and none is ever dropped.
 */
export class DirectTransport implements UpstreamTransport {
  readonly #network: NetworkConfig;
  readonly #opener: SocketOpener;
  readonly #pools = new Map<string, ConnectionPool>();
  #isClosed = false;

  constructor(network: NetworkConfig) {
    this.#network = network;
    this.#opener = new SocketOpener(network);
  }

  createCall(request: UpstreamRequest, listener: UpstreamListener): UpstreamCall {
    return new DirectCall(this, request, listener);
  }

  /** The pool of an origin. With the operator's own `host` it is another: the server's certificate is expected for that name. */
  poolOf(origin: string, hostHeader: string | undefined): ConnectionPool {
    const key = hostHeader === undefined ? origin : `${origin} ${hostHeader}`;
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new ConnectionPool({ origin, hostHeader, network: this.#network, opener: this.#opener });
      this.#pools.set(key, pool);
      if (this.#isClosed) void pool.close();
    }
    return pool;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(Array.from(this.#pools.values(), (pool) => pool.close()));
  }
}
