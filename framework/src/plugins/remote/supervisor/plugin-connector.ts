/**
 * The network of a plugin in a process of its own, which has none itself: the plugin names a host, the gateway checks the grant,
 * resolves the name once, checks every address, connects, and hands the connected socket over. From then on the bytes do not pass
 * through the gateway, and the socket leads nowhere else.
 */
import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { NetGrants } from './net-grants.ts';

export interface ConnectRequest {
  readonly connection: number;
  readonly host: string;
  readonly port: number;
}

export interface ConnectAnswer {
  readonly connection: number;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface PluginConnectorOptions {
  /** `capabilities.net` as granted. */
  readonly grants: readonly string[];
  /** Hands a connected socket's descriptor over; the answer is sent right after it. */
  readonly handOver: (descriptor: number) => boolean;
  readonly answer: (answer: ConnectAnswer) => void;
  /** @default that of `node:dns` */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

const connectTimeoutMs = 10_000;
const maxPending = 256;

class ConnectError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

async function resolveHost(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

export class PluginConnector {
  readonly #options: PluginConnectorOptions;
  readonly #grants: NetGrants;
  readonly #pending = new Set<Socket>();
  #count = 0;

  constructor(options: PluginConnectorOptions) {
    this.#options = options;
    this.#grants = new NetGrants(options.grants);
  }

  /** Answers a request; never rejects. */
  async connect({ connection, host, port }: ConnectRequest): Promise<void> {
    this.#count += 1;
    try {
      if (this.#count > maxPending)
        throw new ConnectError('EAGAIN', `more than ${maxPending} connections are being made`);
      await this.#connect(host, port, connection);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'ECONNREFUSED';
      this.#options.answer({ connection, error: { code, message: error instanceof Error ? error.message : 'failed' } });
    } finally {
      this.#count -= 1;
    }
  }

  /** Gives up what is being connected. */
  close(): void {
    for (const socket of this.#pending) socket.destroy();
  }

  async #connect(host: string, port: number, connection: number): Promise<void> {
    const bare = host.replace(/^\[(.*)\]$/, '$1');
    if (!this.#grants.allowsHost(bare, port)) {
      throw new ConnectError(
        'BF_PLUGIN_REFUSED',
        `a connection to ${host}:${port} is refused: it is not granted the capability "net" for it (plugins[].capabilities.net: ["${host}:${port}"])`,
      );
    }
    const addresses = await (this.#options.resolve ?? resolveHost)(bare);
    for (const address of addresses) {
      const range = this.#grants.refusalOf(address, port);
      if (range === undefined) continue;
      throw new ConnectError(
        'BF_PLUGIN_REFUSED',
        `a connection to ${host}:${port} is refused: it leads to ${address}, a ${range} address, which must be granted itself (plugins[].capabilities.net: ["${address}"])`,
      );
    }
    let failure: unknown = new ConnectError('ENOTFOUND', `${host} has no address`);
    for (const address of addresses) {
      try {
        await this.#connectTo(address, port, connection);
        return;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  #connectTo(address: string, port: number, connection: number): Promise<void> {
    const socket = connect({ host: address, port, autoSelectFamily: false, timeout: connectTimeoutMs });
    this.#pending.add(socket);
    return new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('timeout', () => reject(new ConnectError('ETIMEDOUT', `connect ETIMEDOUT ${address}:${port}`)));
      socket.once('close', () => reject(new ConnectError('ECONNABORTED', 'the plugin is ending')));
      socket.once('connect', () => {
        // At once: nothing may have been read from it when it is handed over.
        const descriptor = descriptorOf(socket);
        if (descriptor === undefined || !this.#options.handOver(descriptor)) {
          reject(new ConnectError('ENOTSUP', 'connections cannot be handed over to a process on this system'));
          return;
        }
        this.#options.answer({ connection });
        resolve();
      });
    }).finally(() => {
      this.#pending.delete(socket);
      socket.destroy();
    });
  }
}

/** Node has no public name for it. */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } };
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}
