import { connect as connectTcp, isIP } from 'node:net';
import type { LookupFunction, OnReadOpts, Socket } from 'node:net';
import { connect as connectTls, createSecureContext, rootCertificates } from 'node:tls';
import type { SecureContext } from 'node:tls';
import type { GatewayError } from '@bifrost/sdk';
import type { NetworkConfig } from '../config.ts';
import { createGuardedLookup, literalRefusal } from './guarded-lookup.ts';

const tcpKeepAliveMs = 60_000;

/** The server behind one origin. The last TLS session is kept, so that the next connection to it is made with fewer round trips. */
export interface SocketTarget {
  readonly isTls: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  /** The name that the server's certificate is for; empty where the host is an address. */
  readonly serverName: string;
  session: Buffer | undefined;
}

/** The target of an origin. `hostHeader` is the operator's own, which a certificate is then expected for. */
export function parseTarget(origin: string, hostHeader: string | undefined): SocketTarget {
  const url = new URL(origin);
  const isTls = url.protocol === 'https:';
  const host = bareHost(url.hostname);
  const name = hostHeader === undefined ? host : bareHost(new URL(`http://${hostHeader}`).hostname);
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  return { isTls, host, port, serverName: isIP(name) === 0 ? name : '', session: undefined };
}

function bareHost(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

/** Opens direct connections by one provider's network settings: to allowed addresses only. */
export class SocketOpener {
  readonly #network: NetworkConfig;
  readonly #lookup: LookupFunction;
  #secureContext: SecureContext | undefined;

  constructor(network: NetworkConfig) {
    this.#network = network;
    this.#lookup = createGuardedLookup(network.isPrivateNetworkAllowed === true);
  }

  /** Why a host that is an address is not called. */
  refusalOf(target: SocketTarget): GatewayError | undefined {
    return literalRefusal(target.host, this.#network.isPrivateNetworkAllowed === true);
  }

  /** A socket on its way: it says `connect`, with TLS `secureConnect`, once it can be written to. What it reads goes to `onread`. */
  open(target: SocketTarget, onread: OnReadOpts): Socket {
    const { host, port } = target;
    const options = {
      host,
      port,
      lookup: this.#lookup,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: tcpKeepAliveMs,
      onread,
    };
    if (!target.isTls) return connectTcp(options);
    const socket = connectTls({
      ...options,
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: !this.#network.isTlsVerificationOff,
      secureContext: this.#context(),
      ...(target.serverName === '' ? {} : { servername: target.serverName }),
      ...(target.session === undefined ? {} : { session: target.session }),
    });
    socket.on('session', (session) => (target.session = session));
    return socket;
  }

  #context(): SecureContext {
    const { caCertificatePem, isTlsVerificationOff } = this.#network;
    // `ca` replaces the well-known authorities: the operator's certificate is one more, not the only one.
    const isOwn = caCertificatePem !== undefined && !isTlsVerificationOff;
    this.#secureContext ??= createSecureContext(isOwn ? { ca: [...rootCertificates, caCertificatePem] } : {});
    return this.#secureContext;
  }
}
