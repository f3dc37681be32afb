import { BlockList, isIP } from 'node:net';

/** Why an address is not called. `private` may be allowed by the operator, the others never. */
export type RefusedRange = 'private' | 'link-local' | 'unspecified';

type Family = 'ipv4' | 'ipv6';

function blockList(...subnets: readonly (readonly [string, number, Family])[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) list.addSubnet(...subnet);
  return list;
}

/** Metadata services of clouds answer here; Amazon's IPv6 one has an address of its own among the private ones. */
const linkLocal = blockList(['169.254.0.0', 16, 'ipv4'], ['fe80::', 10, 'ipv6'], ['fd00:ec2::254', 128, 'ipv6']);
const unspecified = blockList(['0.0.0.0', 8, 'ipv4'], ['::', 128, 'ipv6']);
/** RFC 1918, carrier-grade NAT (RFC 6598), unique local and the site-local addresses before them. */
const privateRanges = blockList(
  ['10.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['fc00::', 7, 'ipv6'],
  ['fec0::', 10, 'ipv6'],
);

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  // A URL writes every form in one: hexadecimal, shortened.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const parse = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [parse(head), parse(tail ?? '')];
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
}

/** The IPv4 address that an IPv6 one leads to: mapped (::ffff:0:0/96), NAT64 (64:ff9b::/96, 64:ff9b:1::/48), 6to4 (2002::/16). */
function embeddedIpv4(address: string): string | undefined {
  const groups = groupsOf(address);
  const [first, second, third] = groups;
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  const isNat64 = first === 0x64 && second === 0xff9b;
  if (!isMapped && !isNat64 && first !== 0x2002) return undefined;
  const [high, low] = first === 0x2002 ? [second ?? 0, third ?? 0] : [groups[6] ?? 0, groups[7] ?? 0];
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

/**
 * The range because of which `address` is not called; undefined for one that may be. Bifrost's rule: loopback always may be called,
 * link-local and unspecified addresses never, private ones where the operator allows them. `address` is an IP without brackets; a
 * zone (`%eth0`) is left aside.
 */
export function refusedRange(address: string, isPrivateAllowed: boolean): RefusedRange | undefined {
  const bare = address.split('%', 1)[0] as string;
  const family: Family = isIP(bare) === 6 ? 'ipv6' : 'ipv4';
  const ipv4 = family === 'ipv6' ? embeddedIpv4(bare) : undefined;
  if (ipv4 !== undefined) return refusedRange(ipv4, isPrivateAllowed);
  if (linkLocal.check(bare, family)) return 'link-local';
  if (unspecified.check(bare, family)) return 'unspecified';
  return !isPrivateAllowed && privateRanges.check(bare, family) ? 'private' : undefined;
}

/** What no address on the public internet is in: RFC 6890's special purposes, multicast, the tunnels that hide an address. */
const notPublic = blockList(
  ['127.0.0.0', 8, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.0.2.0', 24, 'ipv4'],
  ['192.88.99.0', 24, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['198.51.100.0', 24, 'ipv4'],
  ['203.0.113.0', 24, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 96, 'ipv6'],
  ['100::', 64, 'ipv6'],
  ['2001::', 23, 'ipv6'],
  ['2001:db8::', 32, 'ipv6'],
  ['3fff::', 20, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
);

/**
 * Whether `address` is one of the public internet: what a download may be fetched from. Stricter than the rule for providers, whose
 * servers may be in the operator's own network: loopback and all special ranges are refused too.
 */
export function isPublicAddress(address: string): boolean {
  const bare = address.split('%', 1)[0] as string;
  const family = isIP(bare);
  if (family === 0 || refusedRange(bare, false) !== undefined) return false;
  const ipv4 = family === 6 ? embeddedIpv4(bare) : undefined;
  if (ipv4 !== undefined) return isPublicAddress(ipv4);
  return !notPublic.check(bare, family === 6 ? 'ipv6' : 'ipv4');
}
