import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PluginContext } from '@bifrost/sdk';
import { decodeHookResult } from './decode-hook-result.ts';
import { CallEncoder } from './encode-hook-call.ts';
import { answerHostRequest } from './host-request.ts';

const facts = Object.freeze({ requestId: 'r', requestType: 't', method: 'POST', path: '/', isStream: false });

describe('a call as JSON', () => {
  it('holds any input, with its bytes beside it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.uint8Array(), (value, body) => {
        const { text, attachments } = new CallEncoder().encode('httpTransportPostHook', { facts }, { value, body });
        expect(JSON.parse(text)).toEqual({
          facts,
          input: JSON.parse(JSON.stringify({ value, body: { $bytes: 0 } })) as unknown,
        });
        expect(attachments).toEqual([body]);
      }),
    );
  });

  it('leaves a body that is a string, and one that is not there, in the JSON', () => {
    const encoder = new CallEncoder();
    for (const input of [{ body: 'text' }, { statusCode: 1 }]) {
      const { text, attachments } = encoder.encode('httpTransportPostHook', { facts }, input);
      expect([JSON.parse(text), attachments]).toEqual([{ facts, input }, []]);
    }
  });

  it('has facts that are changed in place as they are now', () => {
    const encoder = new CallEncoder();
    const changing = { ...facts };
    encoder.encode('inject', { facts: changing }, {});
    Object.assign(changing, { requestId: 'other' });
    expect(encoder.encode('inject', { facts: changing }, {}).text).toContain('"other"');
  });
});

describe('a result as JSON', () => {
  it('is what it was, where nothing in it stands for bytes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify({ conversation: value });
        expect(decodeHookResult(text, [])).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    [undefined, undefined],
    ['', undefined],
    ['null', null],
    ['[]', []],
    ['"x"', 'x'],
    ['{"body":"x"}', { body: 'x' }],
    ['{"result":{"$bytes":0}}', { result: { $bytes: 0 } }],
    ['{"body":{"$bytes":1}}', { body: Uint8Array.of(2) }],
    ['{"request":{"body":{"$bytes":0}}}', { request: { body: Uint8Array.of(65) } }],
    ['{"response":{"body":{"$bytes":0}}}', { response: { body: Uint8Array.of(65) } }],
    ['{"data":{"$bytes":0}}', { data: 'A' }],
  ])('%s', (text, result) => {
    expect(decodeHookResult(text, [Uint8Array.of(65), Uint8Array.of(2)])).toEqual(result);
  });

  it.each(['-1', '2', '"0"', '0.5', 'null'])('cannot name attachment %s of two', (index) => {
    expect(() => decodeHookResult(`{"body":{"$bytes":${index}}}`, [new Uint8Array(), new Uint8Array()])).toThrow(
      `its result names attachment ${index}, and it gave 2 attachments`,
    );
  });
});

describe('a request of the host', () => {
  const shared = { add: () => 4, get: () => 'kept', set: () => undefined };
  // Of the context of `init` nothing else is used.
  const init = { name: 'p', shared } as unknown as PluginContext<unknown>;

  it('from init knows the shared state alone', () => {
    expect(answerHostRequest(init, '{"op":"shared.add","key":"n"}')).toBe('{"value":4}');
    expect(answerHostRequest(init, '{"op":"state.get","key":"n"}')).toBe(
      '{"error":{"code":"BF_PLUGIN_HOST_REQUEST","message":"\\"state.get\\" belongs to a request: it can be asked in hooks only"}}',
    );
  });

  it('outside of any call, and one that is no JSON, is answered by an error', () => {
    expect(answerHostRequest(undefined, '{"op":"shared.get","key":"n"}')).toContain(
      'no function of the plugin is running',
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(JSON.parse(answerHostRequest(init, text))).toHaveProperty('error');
      }),
    );
  });
});
