import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NetGrants } from './net-grants.ts';

describe('a grant of the network', () => {
  it.each([
    ['api.example.com', 'api.example.com', 443, true],
    ['api.example.com', 'API.Example.com.', 80, true],
    ['api.example.com', 'example.com', 443, false],
    ['api.example.com', 'api.example.com.evil.org', 443, false],
    ['api.example.com:443', 'api.example.com', 443, true],
    ['api.example.com:443', 'api.example.com', 80, false],
    ['*.example.com', 'a.example.com', 1, true],
    ['*.example.com', 'a.b.example.com', 1, true],
    ['*.example.com', 'example.com', 1, false],
    ['*.example.com', 'evilexample.com', 1, false],
    ['*.example.com:8443', 'a.example.com', 8443, true],
    ['*.example.com:8443', 'a.example.com', 443, false],
    ['10.0.0.5', '10.0.0.5', 6379, true],
    ['10.0.0.5:6379', '10.0.0.5', 6380, false],
    ['10.0.0.0/8', '10.200.3.4', 1, true],
    ['10.0.0.0/8', '11.0.0.1', 1, false],
    ['10.0.0.0/8', 'ten.example', 1, false],
    ['::1', '::1', 1, true],
    ['[::1]:80', '::1', 80, true],
    ['[::1]:80', '::1', 81, false],
    ['fd00::/8', 'fd00::5', 1, true],
  ])('%s for %s:%i: %s', (grant, host, port, expected) => {
    expect(new NetGrants([grant]).allowsHost(host, port)).toBe(expected);
  });

  it('of nothing allows nothing, whatever is asked for', () => {
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6(), fc.string()), fc.nat({ max: 65_535 }), (host, port) => {
        expect(new NetGrants([]).allowsHost(host, port)).toBe(false);
      }),
    );
  });
});

describe('an address that a granted name leads to', () => {
  it.each([
    [['a.example'], '93.184.216.34', undefined],
    [['a.example'], '127.0.0.1', 'loopback'],
    [['a.example'], '::1', 'loopback'],
    [['a.example'], '::ffff:127.0.0.1', 'loopback'],
    [['a.example'], '10.0.0.5', 'private'],
    [['a.example'], '100.64.1.1', 'private'],
    [['a.example'], '169.254.169.254', 'link-local'],
    [['a.example'], '64:ff9b::a00:1', 'private'],
    [['a.example'], '2002:a00:1::', 'private'],
    [['a.example'], '0.0.0.0', 'unspecified'],
    [['a.example', '10.0.0.5'], '10.0.0.5', undefined],
    [['a.example', '10.0.0.0/8'], '10.9.9.9', undefined],
    [['a.example', '10.0.0.5:1'], '10.0.0.5', 'private'],
    [['localhost'], '127.0.0.1', undefined],
    [['localhost'], '10.0.0.1', 'private'],
    [['localhost:443'], '127.0.0.1', undefined],
    [['169.254.169.254'], '169.254.169.254', undefined],
    [['0.0.0.0'], '0.0.0.0', 'unspecified'],
  ])('with grants %j: %s is %s', (grants, address, expected) => {
    expect(new NetGrants(grants).refusalOf(address, 443)).toBe(expected);
  });
});
