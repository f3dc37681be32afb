import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { OriginGuard } from './origin-guard.ts';
import type { OriginRules } from './origin-guard.ts';

const guard = (rules: Partial<OriginRules> = {}): OriginGuard =>
  new OriginGuard({ isLoopback: true, allowedOrigins: ['*'], allowedHeaders: [], ...rules });
const request = (headers: Record<string, string>): IncomingMessage => ({ headers }) as unknown as IncomingMessage;

describe('on loopback', () => {
  it.each(['localhost', 'LOCALHOST:8080', '127.0.0.1:8080', '127.1.2.3', '[::1]:1'])('takes the Host %s', (host) => {
    expect(guard().check(request({ host }))).toBe('ok');
  });

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:80', '', 'localhost:8080:1', '10.0.0.1'])(
    'refuses the Host %j',
    (host) => {
      expect(guard().check(request({ host }))).toBe('host');
    },
  );

  it.each(['http://localhost:3000', 'https://127.0.0.1', 'http://[::1]:9'])('takes the Origin %s', (origin) => {
    expect(guard().check(request({ host: 'localhost', origin }))).toBe('ok');
  });

  it.each(['https://evil.example', 'null', 'http://localhost.evil.example', 'file://', 'chrome-extension://x'])(
    'refuses the Origin %s although allowed_origins is *',
    (origin) => {
      expect(guard().check(request({ host: 'localhost', origin }))).toBe('origin');
    },
  );

  it('takes an Origin that is configured', () => {
    const configured = guard({ allowedOrigins: ['https://App.example', 'https://*.team.example'] });
    expect(configured.check(request({ host: 'localhost', origin: 'https://app.example' }))).toBe('ok');
    expect(configured.check(request({ host: 'localhost', origin: 'https://a.team.example' }))).toBe('ok');
    expect(configured.check(request({ host: 'localhost', origin: 'https://team.example' }))).toBe('origin');
    expect(configured.check(request({ host: 'localhost', origin: 'https://evilteam.example' }))).toBe('origin');
  });
});

describe('on an address that others reach', () => {
  const open = guard({ isLoopback: false });

  it('leaves Host and Origin to whoever put it there', () => {
    expect(open.check(request({ host: 'gateway.example', origin: 'https://evil.example' }))).toBe('ok');
  });

  it('lets scripts of allowed origins read answers, others not', () => {
    expect(open.corsHeaders(request({ origin: 'https://a.example' }))).toMatchObject({
      'access-control-allow-origin': 'https://a.example',
      vary: 'Origin',
    });
    const strict = guard({ isLoopback: false, allowedOrigins: ['https://a.example'] });
    expect(strict.corsHeaders(request({ origin: 'https://b.example' }))).toBeUndefined();
  });
});

it('answers a preflight with the headers that SDKs send and the configured ones', () => {
  const headers = guard({ allowedHeaders: ['X-Mine'] }).preflightHeaders(
    request({
      origin: 'http://localhost:3000',
      'access-control-request-headers': 'authorization, x-stainless-os, x-bf-vk, x-mine, x-other',
    }),
  );
  expect(headers?.['access-control-allow-headers']).toBe('authorization, x-stainless-os, x-bf-vk, x-mine');
});
