import { describe, expect, it } from 'vitest';
import { network, provider, routes, TestGateway } from '../pipeline/__tests__/harness.ts';
import type { EngineLogger } from '../pipeline/engine.ts';
import { refusedRange } from './address-rule.ts';
import { createGuardedLookup, literalRefusal } from './guarded-lookup.ts';

describe('refusedRange', () => {
  it.each([
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fc00::1', 'private'],
    ['fd00::1', 'private'],
    ['fec0::1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['64:ff9b::10.0.0.1', 'private'],
    ['2002:c0a8:0101::1', 'private'],
  ])('%s is %s: the operator decides', (address, range) => {
    expect(refusedRange(address, false)).toBe(range);
    expect(refusedRange(address, true)).toBeUndefined();
  });

  it.each([
    ['169.254.169.254', 'link-local'],
    ['169.254.1.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['fd00:ec2::254', 'link-local'],
    ['::ffff:169.254.169.254', 'link-local'],
    ['::ffff:a9fe:a9fe', 'link-local'],
    ['64:ff9b::a9fe:a9fe', 'link-local'],
    ['2002:a9fe:a9fe::1', 'link-local'],
    ['0.0.0.0', 'unspecified'],
    ['::', 'unspecified'],
    ['0:0:0:0:0:0:0:0', 'unspecified'],
  ])('%s is %s: never called', (address, range) => {
    expect(refusedRange(address, false)).toBe(range);
    expect(refusedRange(address, true)).toBe(range);
  });

  it.each([
    '127.0.0.1',
    '127.1.2.3',
    '::1',
    '::ffff:127.0.0.1',
    '8.8.8.8',
    '172.32.0.1',
    '2606:4700::1',
    '64:ff9b::808:808',
  ])('%s may be called', (address) => {
    expect(refusedRange(address, false)).toBeUndefined();
  });
});

describe('the lookup of connections', () => {
  const resolve = (host: string, options: object) =>
    new Promise<unknown>((settle) => {
      createGuardedLookup(false)(host, options, (error, address) => settle(error ?? address));
    });

  it('resolves loopback names in both of its forms', async () => {
    expect(await resolve('localhost', { family: 4 })).toBe('127.0.0.1');
    expect(await resolve('localhost', { family: 4, all: true })).toEqual([{ address: '127.0.0.1', family: 4 }]);
  });

  it('passes the failure of the resolver on', async () => {
    expect(await resolve('nobody.invalid', {})).toMatchObject({ code: expect.stringMatching(/^E/) });
  });
});

describe('a provider in a refused range', () => {
  const ask = { model: 'openai/m', messages: [{ role: 'user', content: 'hi' }] };

  it('is never connected to: a clear error, no retry, the fallback runs, the address is in the log alone', async () => {
    const lines: unknown[] = [];
    const note = (message: string, detail?: unknown): void => void lines.push([message, String(detail)]);
    const logger: EngineLogger = { warn: note, error: note };
    for (const url of [
      'http://10.255.255.1:9',
      'https://10.255.255.1:9',
      'http://169.254.169.254',
      'http://[fd00::1]:9',
    ]) {
      lines.length = 0;
      await using gateway = new TestGateway({
        providers: [provider('openai', url, { network: { ...network, maxRetries: 3, connectTimeoutMs: 500 } })],
        logger,
      });
      const sink = await gateway.post(routes.chat, ask);
      expect(sink.statusCode).toBe(502);
      expect(sink.text).toContain('BF_UPSTREAM_ADDRESS_REFUSED');
      expect(sink.text).toContain(url.includes('169') ? 'base_url' : 'allow_private_network');
      const host = new URL(url).hostname.replace(/[[\]]/g, '');
      expect(sink.text).not.toContain(host);
      expect(JSON.stringify(lines)).toContain(host);
      expect(gateway.traces[0]?.attempts.length).toBe(1);
      const moved = await gateway.post(routes.chat, { ...ask, fallbacks: ['mock/any'] });
      expect(moved.statusCode).toBe(200);
    }
  });

  it('is judged by its address alone where the operator allows private ones', () => {
    for (const host of ['10.0.0.1', '[fd00::1]', 'server.lan']) expect(literalRefusal(host, true)).toBeUndefined();
    expect(literalRefusal('169.254.169.254', true)?.code).toBe('BF_UPSTREAM_ADDRESS_REFUSED');
    expect(literalRefusal('[fd00::1]', false)?.code).toBe('BF_UPSTREAM_ADDRESS_REFUSED');
  });
});
