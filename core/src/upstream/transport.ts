import type { NetworkConfig, ProxyConfig } from '../config.ts';
import type { UpstreamTransport } from './call.ts';
import { DirectTransport } from './direct-transport.ts';
import { proxyUrl } from './proxy-url.ts';
import { UndiciTransport } from './undici-transport.ts';

/** What a provider's calls go over: connections of our own, or undici where there is a proxy. */
export function createTransport(network: NetworkConfig, proxy: ProxyConfig): UpstreamTransport {
  if (proxy.type === 'none') return new DirectTransport(network);
  // Said at once, to who configures it.
  if (proxy.type !== 'environment') proxyUrl(proxy);
  // A thread without a proxy does without undici, which takes 10 MB and a tenth of the time that a start costs.
  const opening = import('./dispatcher.ts').then(({ createDispatcher }) => createDispatcher(network, proxy));
  return new UndiciTransport(opening);
}
