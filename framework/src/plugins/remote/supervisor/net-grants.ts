/** Which hosts a plugin may reach: `host`, `host:port`, `*.example.com`, an address or a range of addresses (`10.0.0.0/8`). */
import { BlockList, isIP } from 'node:net';
import { refusedRange } from '@bifrost/core';

interface NetGrant {
  /** Lower case, without brackets; begins with `*.` for all below a domain. */
  readonly host: string;
  /** Undefined: any. */
  readonly port: number | undefined;
  /** Addresses, where the grant is an address or a range. */
  readonly addresses: BlockList | undefined;
}

function addressesOf(host: string): BlockList | undefined {
  const [address = '', bits] = host.split('/');
  const family = isIP(address);
  if (family === 0) return undefined;
  const list = new BlockList();
  const type = family === 6 ? 'ipv6' : 'ipv4';
  if (bits === undefined) list.addAddress(address, type);
  else list.addSubnet(address, Number(bits), type);
  return list;
}

function parseGrant(text: string): NetGrant {
  const match = /^(?:\[([^\]]+)\]|([^:]+|[^[\]]*::?[^[\]]*:[^[\]]*))(?::(\d+))?$/.exec(text.trim().toLowerCase());
  const host = match?.[1] ?? match?.[2] ?? text;
  return { host, port: match?.[3] === undefined ? undefined : Number(match[3]), addresses: addressesOf(host) };
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const isIn = (list: BlockList, address: string): boolean => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

export class NetGrants {
  readonly #grants: readonly NetGrant[];

  /** `grants` as in `capabilities.net`. */
  constructor(grants: readonly string[]) {
    this.#grants = grants.map(parseGrant);
  }

  /** Whether the plugin may name this host and port. */
  allowsHost(host: string, port: number): boolean {
    const name = host.toLowerCase().replace(/\.$/, '');
    return this.#grants.some((grant) => {
      if (grant.port !== undefined && grant.port !== port) return false;
      if (grant.host.startsWith('*.')) return name.endsWith(grant.host.slice(1));
      return grant.host === name || (grant.addresses !== undefined && isIP(name) !== 0 && isIn(grant.addresses, name));
    });
  }

  /**
   * Why an address that a granted host leads to is not connected to; undefined for one that is. Addresses of this machine and of
   * private networks must be granted themselves: whoever owns a name decides where it leads.
   */
  refusalOf(address: string, port: number): string | undefined {
    const range = isIn(loopback, address) ? 'loopback' : refusedRange(address, false);
    if (range === undefined) return undefined;
    const isGranted = this.#grants.some(
      ({ host, port: only, addresses }) =>
        (only === undefined || only === port) &&
        ((addresses !== undefined && isIn(addresses, address)) || (host === 'localhost' && range === 'loopback')),
    );
    return isGranted && range !== 'unspecified' ? undefined : range;
  }
}
