import type { GatewayError } from '@bifrost/sdk';
import type { NetworkConfig } from '../config.ts';
import type { UpstreamRequest } from './call.ts';
import { CallQueue } from './call-queue.ts';
import { Connection } from './connection.ts';
import type { DirectCall } from './direct-call.ts';
import { RequestHeadForm } from './request-head.ts';
import { parseTarget } from './socket-opener.ts';
import type { SocketOpener, SocketTarget } from './socket-opener.ts';
import { ConnectionError } from './upstream-failure.ts';

/** How often idle connections are looked at; one whose time is over in between is noticed when it would be used. */
const sweepMs = 1000;

interface PoolOptions {
  readonly origin: string;
  readonly hostHeader: string | undefined;
  readonly network: NetworkConfig;
  readonly opener: SocketOpener;
}

/**
 * The connections of one origin: one call at a time on each. The one that was used last is used next, so that those beyond the need
 * grow old; calls beyond the limit wait in line. As many connections are on their way as calls wait, and a call takes whichever is
 * free first.
 */
export class ConnectionPool {
  readonly target: SocketTarget;
  readonly #network: NetworkConfig;
  readonly #opener: SocketOpener;
  readonly #refusal: GatewayError | undefined;
  readonly #headForm: RequestHeadForm;
  readonly #idle: Connection[] = [];
  readonly #opening: Connection[] = [];
  readonly #waiting = new CallQueue();
  readonly #sweepTimer: NodeJS.Timeout;
  /** All connections, those on their way included. */
  #count = 0;
  #arrivals = 0;
  #isSweeping = false;
  #closed: PromiseWithResolvers<void> | undefined;

  constructor({ origin, hostHeader, network, opener }: PoolOptions) {
    this.target = parseTarget(origin, hostHeader);
    this.#network = network;
    this.#opener = opener;
    this.#refusal = opener.refusalOf(this.target);
    this.#headForm = new RequestHeadForm(hostHeader ?? new URL(origin).host);
    this.#sweepTimer = setTimeout(() => this.#sweep(), sweepMs).unref();
  }

  /** The longest that a connection is idle. */
  get idleLimitMs(): number {
    return this.#network.keepAliveTimeoutMs;
  }

  /** The head of a request of this origin. Throws TypeError for a path that cannot be sent. */
  formHead(request: UpstreamRequest, headers: string): string {
    return this.#headForm.form(request, headers);
  }

  /** Sends a call as soon as there is a connection for it. */
  send(call: DirectCall): void {
    if (this.#refusal !== undefined || this.#closed !== undefined) {
      call.fail(
        this.#refusal ?? new ConnectionError('the connections of the provider have been closed', 'POOL_CLOSED'),
      );
      return;
    }
    const connection = this.#takeIdle();
    if (connection !== undefined) {
      connection.begin(call);
      return;
    }
    this.#arrivals += 1;
    call.arrival = this.#arrivals;
    this.#waiting.push(call);
    this.#openMissing();
  }

  /** Sends a call again, before all others and not on a connection that has been idle: that may be as dead as the first. */
  resend(call: DirectCall): void {
    this.#waiting.unshift(call);
    this.#openMissing();
  }

  /** The caller of a waiting call has gone: a connection that nobody waits for any more is not made. */
  giveUp(call: DirectCall): void {
    this.#waiting.remove(call);
    if (this.#opening.length > this.#waiting.size) this.#opening.at(-1)?.destroy();
    this.#settleClose();
  }

  /** A connection can take its first call. */
  opened(connection: Connection): void {
    this.#remove(this.#opening, connection);
    this.release(connection);
  }

  /** A connection could not be made. The call that has waited for it longest is told, unless it came to wait only since. */
  failedToOpen(connection: Connection, error: Error): void {
    this.#count -= 1;
    this.#remove(this.#opening, connection);
    const { first } = this.#waiting;
    if (first !== null && first.arrival <= connection.openedFor) {
      this.#waiting.remove(first);
      first.fail(error);
    }
    this.#openMissing();
    this.#settleClose();
  }

  /** A connection is free for another call. */
  release(connection: Connection): void {
    const next = this.#waiting.shift();
    if (next !== null) connection.begin(next);
    else if (this.#closed !== undefined) connection.destroy();
    else {
      this.#idle.push(connection);
      if (this.#isSweeping) return;
      this.#isSweeping = true;
      this.#sweepTimer.refresh();
    }
  }

  /** A connection is no more. */
  forget(connection: Connection): void {
    this.#count -= 1;
    this.#remove(this.#idle, connection);
    this.#remove(this.#opening, connection);
    this.#openMissing();
    this.#settleClose();
  }

  /** Takes no more calls; resolves when those under way have ended. */
  close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = Promise.withResolvers();
      for (const connection of this.#idle.splice(0)) connection.destroy();
      clearTimeout(this.#sweepTimer);
      this.#settleClose();
    }
    return this.#closed.promise;
  }

  #settleClose(): void {
    if (this.#count === 0 && this.#waiting.size === 0) this.#closed?.resolve();
  }

  #takeIdle(): Connection | undefined {
    let connection = this.#idle.pop();
    if (connection === undefined) return undefined;
    const now = performance.now();
    while (connection !== undefined && now >= connection.usableUntil) {
      connection.destroy();
      connection = this.#idle.pop();
    }
    return connection;
  }

  #openMissing(): void {
    while (this.#opening.length < this.#waiting.size && this.#count < this.#network.maxConnectionsPerHost) {
      this.#count += 1;
      const connection = new Connection(this, this.#arrivals);
      this.#opening.push(connection);
      connection.open(this.#opener, this.#network.connectTimeoutMs);
    }
  }

  #remove(list: Connection[], connection: Connection): void {
    const index = list.lastIndexOf(connection);
    if (index !== -1) list.splice(index, 1);
  }

  /** Drops idle connections whose time is over; those that stay do not keep the process alive. */
  #sweep(): void {
    const now = performance.now();
    for (const connection of this.#idle.slice()) {
      if (now >= connection.usableUntil) connection.destroy();
      else connection.unref();
    }
    this.#isSweeping = this.#idle.length > 0;
    if (this.#isSweeping) this.#sweepTimer.refresh();
  }
}
