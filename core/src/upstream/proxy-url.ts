import { GatewayError } from '@bifrost/sdk';
import type { ProxyConfig } from '../config.ts';

/** The URL of a proxy that has to have one. Throws GatewayError (`BF_CONFIG_PROXY_URL_MISSING`). */
export function proxyUrl(proxy: ProxyConfig): string {
  if (proxy.url === undefined || proxy.url === '') {
    throw new GatewayError(`the proxy type ${proxy.type} needs a url such as "http://proxy.example:3128"`, {
      code: 'BF_CONFIG_PROXY_URL_MISSING',
      statusCode: 500,
    });
  }
  return proxy.url;
}
