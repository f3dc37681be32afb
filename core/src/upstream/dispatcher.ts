import type { Socket } from 'node:net';
import { rootCertificates } from 'node:tls';
import { Agent, buildConnector, EnvHttpProxyAgent, ProxyAgent, Socks5ProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';
import type { NetworkConfig, ProxyConfig } from '../config.ts';
import { createGuardedLookup, literalRefusal } from './guarded-lookup.ts';
import { proxyUrl } from './proxy-url.ts';
import { bytesReadBefore } from './socket-failure.ts';
import type { SocketFailure } from './socket-failure.ts';

function tlsOptions(network: NetworkConfig): { readonly rejectUnauthorized?: boolean; readonly ca?: string[] } {
  if (network.isTlsVerificationOff) return { rejectUnauthorized: false };
  // `ca` replaces the well-known authorities: the operator's certificate is one more, not the only one.
  if (network.caCertificatePem !== undefined) return { ca: [...rootCertificates, network.caCertificatePem] };
  return {};
}

/**
 * Makes direct connections, to allowed addresses only; a proxy decides itself whom it calls. Notes on a socket's error whether the
 * socket had been used, before undici's own listener passes the error on.
 */
function createConnector(network: NetworkConfig): ReturnType<typeof buildConnector> {
  const isPrivateAllowed = network.isPrivateNetworkAllowed === true;
  const lookup = createGuardedLookup(isPrivateAllowed);
  const connect = buildConnector({ ...tlsOptions(network), allowH2: false, timeout: network.connectTimeoutMs, lookup });
  return (options, callback) => {
    const refusal = literalRefusal(options.hostname, isPrivateAllowed);
    if (refusal !== undefined) {
      process.nextTick(callback, refusal, null);
      return;
    }
    connect(options, (...result) => {
      const socket = result[1];
      // undici passes the error alone when it could not connect, whatever its types say.
      if (socket) (socket as Socket).prependListener('error', noteBytesRead);
      callback(...result);
    });
  };
}

function noteBytesRead(this: Socket, error: SocketFailure): void {
  error[bytesReadBefore] = this.bytesRead;
}

function poolOptions(network: NetworkConfig) {
  return {
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: network.keepAliveTimeoutMs,
    keepAliveMaxTimeout: network.keepAliveTimeoutMs,
    connections: network.maxConnectionsPerHost,
    pipelining: 1,
    allowH2: false,
  };
}

/**
 * Creates undici's connection pools of one provider, for what goes through a proxy and for lists of models. undici's own header and body timeouts are off (the attempt's clocks decide),
 * HTTP/2 is off (one connection lost would take many streams along), idle connections are dropped before the server does it.
 */
export function createDispatcher(network: NetworkConfig, proxy: ProxyConfig): Dispatcher {
  const pool = poolOptions(network);
  const requestTls = { ...tlsOptions(network), timeout: network.connectTimeoutMs, allowH2: false };
  const proxyTls =
    proxy.caCertificatePem === undefined
      ? { timeout: network.connectTimeoutMs }
      : { ca: [...rootCertificates, proxy.caCertificatePem], timeout: network.connectTimeoutMs };
  switch (proxy.type) {
    case 'none':
      return new Agent({ ...pool, connect: createConnector(network) });
    case 'http': {
      const credentials = `${proxy.username ?? ''}:${proxy.password ?? ''}`;
      return new ProxyAgent({
        ...pool,
        uri: proxyUrl(proxy),
        requestTls,
        proxyTls,
        connect: createConnector(network),
        ...(proxy.username === undefined ? {} : { token: `Basic ${Buffer.from(credentials).toString('base64')}` }),
      });
    }
    case 'socks5':
      return new Socks5ProxyAgent(proxyUrl(proxy), {
        ...pool,
        requestTls,
        connectTimeout: network.connectTimeoutMs,
        ...(proxy.username === undefined ? {} : { username: proxy.username }),
        ...(proxy.password === undefined ? {} : { password: proxy.password }),
      });
    case 'environment':
      return new EnvHttpProxyAgent({ ...pool, requestTls, proxyTls, connect: createConnector(network) });
  }
}
