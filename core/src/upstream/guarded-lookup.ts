import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { GatewayError } from '@bifrost/sdk';
import { refusedRange } from './address-rule.ts';

/** The code of a refused address: an operator has to decide, a retry changes nothing. */
export const addressRefusedCode = 'BF_UPSTREAM_ADDRESS_REFUSED';

/** The error for a refused address, or undefined for one that may be called. `host` is what the configuration names. */
export function refusalOf(host: string, address: string, isPrivateAllowed: boolean): GatewayError | undefined {
  const range = refusedRange(address, isPrivateAllowed);
  if (range === undefined) return undefined;
  const remedy =
    range === 'private'
      ? 'set network_config.allow_private_network to true for this provider if its server (vllm, ollama, sgl, lmstudio, ...) ' +
        'is in your own network; loopback addresses need no permission'
      : 'correct the base_url of the provider; such addresses are never called';
  // The address is for the operator's log: a caller learns nothing of the network.
  const cause = new Error(`${host} leads to ${address}`);
  const message = `the provider's server has a ${range} address, which is not called: ${remedy}`;
  return new GatewayError(message, { code: addressRefusedCode, statusCode: 502, cause });
}

/**
 * Resolves names for connections and refuses a name that leads to a forbidden address, even as one of several. What is checked is
 * what is connected to, so that a name cannot answer differently the second time.
 */
export function createGuardedLookup(isPrivateAllowed: boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '');
        return;
      }
      for (const { address } of addresses) {
        const refusal = refusalOf(hostname, address, isPrivateAllowed);
        if (refusal !== undefined) {
          callback(refusal, '');
          return;
        }
      }
      const [first] = addresses;
      if (options.all === true || first === undefined) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** The refusal of a host that is an address itself (names are judged when they are resolved). */
export function literalRefusal(hostname: string, isPrivateAllowed: boolean): GatewayError | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return isIP(bare) === 0 ? undefined : refusalOf(hostname, bare, isPrivateAllowed);
}
