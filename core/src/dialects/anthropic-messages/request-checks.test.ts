import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '@bifrost/sdk';
import { InvalidRequestError } from '@bifrost/sdk';
import { anthropicMessagesCodec as codec } from './codec.ts';
import { encodeRequest } from './testing/encode-request.ts';

describe('requests that cannot be read', () => {
  const good = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'secret prompt' }] };
  const cases: readonly (readonly [string, JsonObject, RegExp])[] = [
    ['model', { ...good, model: undefined }, /model: nothing was given, a string is expected/],
    ['max_tokens', { model: 'm', messages: good.messages }, /max_tokens: nothing was given/],
    ['max_tokens', { ...good, max_tokens: '5' }, /max_tokens: a string was given, a whole number/],
    ['messages', { model: 'm', max_tokens: 5 }, /messages: nothing was given, an array/],
    ['messages', { ...good, messages: [] }, /messages: an empty array was given, at least one/],
    [
      'messages[0].role',
      { ...good, messages: [{ role: 'robot', content: 'secret prompt' }] },
      /"user", "assistant" or "system"/,
    ],
    ['messages[0].content', { ...good, messages: [{ role: 'user' }] }, /a string or an array of blocks/],
    [
      'messages[0].content[0].text',
      { ...good, messages: [{ role: 'user', content: [{ type: 'text', text: 5 }] }] },
      /the number 5/,
    ],
    [
      'messages[0].content[0].content[0]',
      {
        ...good,
        messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: ['secret prompt'] }] }],
      },
      /a content block/,
    ],
    ['temperature', { ...good, temperature: true }, /the boolean true was given, a number/],
    ['system', { ...good, system: {} }, /an object was given/],
    ['tools[0]', { ...good, tools: [null] }, /null was given/],
    ['stop_sequences[0]', { ...good, stop_sequences: [1] }, /a string is expected/],
  ];
  it.each(cases)('for their %s (%#)', (param, body, message) => {
    let thrown: unknown;
    try {
      codec.decodeRequest(body, {});
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InvalidRequestError);
    expect((thrown as InvalidRequestError).toInfo()).toMatchObject({
      statusCode: 400,
      code: 'BF_REQUEST_INVALID',
      param,
      origin: 'caller',
    });
    expect((thrown as InvalidRequestError).message).toMatch(message);
    expect((thrown as InvalidRequestError).message).not.toContain('secret');
  });

  it('throw nothing but GatewayError whatever comes', () => {
    const garbage = fc.record(
      {
        model: fc.constant('m'),
        max_tokens: fc.constant(5),
        messages: fc.jsonValue(),
        system: fc.jsonValue(),
        tools: fc.jsonValue(),
        thinking: fc.jsonValue(),
        tool_choice: fc.jsonValue(),
      },
      { requiredKeys: ['model'] },
    );
    fc.assert(
      fc.property(garbage, (body) => {
        try {
          encodeRequest(codec.decodeRequest(body as JsonObject, {}));
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidRequestError);
        }
      }),
    );
  });
});
