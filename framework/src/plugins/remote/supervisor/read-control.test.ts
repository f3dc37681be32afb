import { describe, expect, it } from 'vitest';
import { FrameError } from '../frame-codec.ts';
import { readControl } from './read-control.ts';
import { readClaim, readDescription } from './read-description.ts';

/** What `String` and template literals cannot turn into text. */
const noText = { toString: 1, valueOf: 1 };

describe('what a realm says', () => {
  it.each([
    { kind: 'stage', stage: 'hooks' },
    { kind: 'ready', description: { isGuard: false, hooks: {} } },
    { kind: 'failed', code: 'C', message: 'm' },
    { kind: 'viewed', id: 1, failure: 'f' },
    { kind: 'pong', ping: 1 },
    { kind: 'log', level: 'info', message: 'm', fields: {} },
    { kind: 'escape', message: 'm' },
    { kind: 'connect', connection: 1, host: 'h', port: 2 },
    { kind: 'tunnel', channel: 1, input: {} },
    { kind: 'closed' },
  ])('is taken as it is: $kind', (message) => {
    expect(readControl(message)).toBe(message);
  });

  it.each([null, undefined, 5, 'ready', [], {}, { kind: 'hello' }, { kind: noText }, { kind: 'constructor' }])(
    'and is none of its messages, is not for us: %j',
    (message) => {
      expect(readControl(message)).toBeUndefined();
    },
  );

  it.each([
    { kind: 'stage', stage: '__proto__' },
    { kind: 'ready' },
    { kind: 'ready', description: null },
    { kind: 'failed', code: 'C', message: 5 },
    { kind: 'failed', code: noText, message: 'm' },
    { kind: 'failed', code: 'C', message: 'm', description: 5 },
    { kind: 'viewed', id: 1, failure: noText },
    { kind: 'viewed', id: 1, value: 'text' },
    { kind: 'pong', ping: {} },
    { kind: 'log', level: noText, message: 'm', fields: {} },
    { kind: 'log', level: 'info', message: noText, fields: {} },
    { kind: 'log', level: 'info', message: 'm', fields: null },
    { kind: 'escape', message: noText },
    { kind: 'connect', connection: noText, host: 'h', port: 1 },
    { kind: 'connect', connection: 1, host: noText, port: noText },
    { kind: 'tunnel', channel: 1, input: null },
  ])('with wrong members is a fault of who says it: %j', (message) => {
    expect(() => readControl(message)).toThrow(FrameError);
  });
});

describe('what a realm says of its plugin', () => {
  it('is what is known of plugins, and nothing else', () => {
    const claimed = {
      hooks: { preLLMHook: { reads: 'head', timeoutMs: 5 }, madeUp: {} },
      configViews: ['redactConfig', 'madeUp'],
      isGuard: true,
      more: 'of it',
    };
    expect(readDescription('p', claimed)).toEqual({
      isGuard: true,
      hooks: { preLLMHook: { reads: 'head', timeoutMs: 5 } },
      configViews: ['redactConfig'],
    });
    expect(readDescription('p', { hooks: null, configViews: 7 })).toEqual({ isGuard: false, hooks: {} });
  });

  it.each([
    [{ hooks: { preLLMHook: { timeoutMs: 'long' } } }, 'preLLMHook.timeoutMs'],
    [{ hooks: { preLLMHook: 7 } }, 'preLLMHook'],
    [{ hooks: {}, actualName: '../other' }, 'name'],
    [{ hooks: {}, version: noText }, 'version'],
  ])('is refused as a plugin of this thread is: %j', (claimed, member) => {
    expect(() => readDescription('p', claimed)).toThrow(member);
  });

  it('is kept of one that failed, as far as it goes: a guard stays one', () => {
    const claimed = { isGuard: true, hooks: { preLLMHook: 7, madeUp: {} } };
    expect(readClaim('p', claimed)).toEqual({ isGuard: true, hooks: { preLLMHook: {} } });
    expect(readClaim('p', undefined)).toBeUndefined();
  });
});
