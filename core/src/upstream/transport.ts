import type { NetworkConfig, ProxyConfig } from '../config.ts';
import type { UpstreamTransport } from './call.ts';
import { DirectTransport } from './direct-transport.ts';
import { createDispatcher } from './dispatcher.ts';
import { UndiciTransport } from './undici-transport.ts';

/** What a provider's calls go over: connections of our own, or undici where there is a proxy. */
export function createTransport(network: NetworkConfig, proxy: ProxyConfig): UpstreamTransport {
  return proxy.type === 'none' ? new DirectTransport(network) : new UndiciTransport(createDispatcher(network, proxy));
}
