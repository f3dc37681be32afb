import { lookup } from 'node:dns/promises';
import * as net from 'node:net';
import { GatewayError } from '@bifrost/sdk';

/** The one listening socket of the process. It is bound here; only serving threads accept on it. */
export interface ListeningSocket {
  readonly fileDescriptor: number;
  readonly port: number;
  /** The address bound, e.g. `127.0.0.1`. */
  readonly address: string;
  readonly isLoopback: boolean;
  close(): void;
}

/** Node's own handle of a TCP server; `_createServerHandle` and this are internal to Node 26 (docs/decisions/0006). */
interface TcpHandle {
  readonly fd: number;
  getsockname(out: { address?: string; port?: number }): number;
  close(): void;
}

interface NetInternals {
  _createServerHandle(address: string, port: number, family: 4 | 6): TcpHandle | number;
  _createServerHandle(address: null, port: null, family: null, descriptor: number): TcpHandle | number;
}

const errorNames: Readonly<Record<number, string>> = {
  [-98]: 'EADDRINUSE',
  [-48]: 'EADDRINUSE',
  [-99]: 'EADDRNOTAVAIL',
  [-13]: 'EACCES',
};

/** `localhost` is 127.0.0.1 without asking the resolver: a container without /etc/hosts has none. */
async function resolveHost(host: string): Promise<{ readonly address: string; readonly family: 4 | 6 }> {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (bare === 'localhost') return { address: '127.0.0.1', family: 4 };
  const version = net.isIP(bare);
  if (version !== 0) return { address: bare, family: version === 4 ? 4 : 6 };
  try {
    const { address, family } = await lookup(bare);
    return { address, family: family === 6 ? 6 : 4 };
  } catch (cause) {
    throw new GatewayError(`the host ${host} cannot be resolved; give an address of this machine such as 0.0.0.0`, {
      code: 'BF_HTTP_HOST_UNKNOWN',
      statusCode: 500,
      cause,
    });
  }
}

function explainBind(code: string, host: string, port: number): GatewayError {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} on ${host} is in use by another program; give another one with -port, or 0 for any`,
    EADDRNOTAVAIL: `${host} is no address of this machine; give one with -host, e.g. localhost or 0.0.0.0`,
    EACCES: `this user may not listen on port ${port}; ports below 1024 need a privilege`,
  };
  return new GatewayError(reasons[code] ?? `${host}:${port} cannot be listened on (${code})`, {
    code: 'BF_HTTP_LISTEN_FAILED',
    statusCode: 500,
  });
}

/** True for an address that only this machine reaches. */
function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

/** The socket of a handle that is bound; closes the handle where it is not. */
function describeHandle(handle: TcpHandle, explain: (code: string) => GatewayError): ListeningSocket {
  const bound: { address?: string; port?: number } = {};
  // libuv reports an address in use late: at the next call, which is this one.
  const code = handle.getsockname(bound);
  if (code !== 0 || bound.port === undefined || bound.address === undefined) {
    handle.close();
    throw explain(errorNames[code] ?? `error ${code}`);
  }
  return {
    fileDescriptor: handle.fd,
    port: bound.port,
    address: bound.address,
    isLoopback: isLoopbackAddress(bound.address),
    close: () => handle.close(),
  };
}

/** Binds host and port (0: any free one). Throws `BF_HTTP_LISTEN_FAILED` with what to do. */
export async function openListeningSocket(host: string, port: number): Promise<ListeningSocket> {
  const { address, family } = await resolveHost(host);
  const handle = (net as unknown as NetInternals)._createServerHandle(address, port, family);
  if (typeof handle === 'number') throw explainBind(errorNames[handle] ?? `error ${handle}`, host, port);
  return describeHandle(handle, (code) => explainBind(code, host, port));
}

/** Takes a socket that is bound already, by the process before this one or by systemd. Throws `BF_HTTP_LISTEN_FAILED`. */
export function adoptListeningSocket(descriptor: number): ListeningSocket {
  const explain = (code: string): GatewayError =>
    new GatewayError(`file descriptor ${descriptor}, which was handed over, is no listening TCP socket (${code})`, {
      code: 'BF_HTTP_LISTEN_FAILED',
      statusCode: 500,
    });
  const handle = (net as unknown as NetInternals)._createServerHandle(null, null, null, descriptor);
  // Node makes a handle of whatever kind the descriptor is.
  if (typeof handle === 'number' || typeof handle.getsockname !== 'function') throw explain('another kind of file');
  return describeHandle(handle, explain);
}
