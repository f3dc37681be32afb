import { GatewayError } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openaiResponsesCodec as codec } from './codec.ts';

const report = { add: () => undefined };

/** JSON in which the names of the API occur often, with values of any type. */
const { item } = fc.letrec<{ value: Json; item: JsonObject }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<Json>(null, '', 'text', 0, 1, true, [], {}),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('item'),
  ),
  item: fc.dictionary(
    fc.constantFrom(
      'type',
      'id',
      'role',
      'content',
      'summary',
      'text',
      'status',
      'call_id',
      'name',
      'arguments',
      'output',
      'item',
      'part',
      'response',
      'delta',
      'usage',
      'output_index',
      'annotations',
      'logprobs',
      'error',
      'input_tokens_details',
      'encrypted_content',
      'x',
    ),
    fc.oneof(
      tie('value'),
      fc.constantFrom<Json>(
        'message',
        'reasoning',
        'function_call',
        'custom_tool_call',
        'output_text',
        'refusal',
        'summary_text',
        'input_file',
        'image_generation_call',
        'assistant',
        'user',
        'failed',
        'incomplete',
      ),
    ),
    { maxKeys: 8 },
  ) as fc.Arbitrary<JsonObject>,
}));

const eventTypes = [
  'response.created',
  'response.completed',
  'response.failed',
  'response.output_item.added',
  'response.output_item.done',
  'response.content_part.added',
  'response.content_part.done',
  'response.output_text.delta',
  'response.output_text.done',
  'response.function_call_arguments.done',
  'response.reasoning_text.delta',
  'response.output_text.annotation.added',
  'error',
  'response.new',
];

describe('whatever a provider or a caller sends', () => {
  it('a response comes back as it was', () => {
    fc.assert(
      fc.property(item, (body) => {
        const once = codec.encodeResponse(codec.decodeResponse(body), { report });
        expect(codec.encodeResponse(codec.decodeResponse(once), { report })).toEqual(once);
      }),
      { numRuns: 300 },
    );
  });

  it('a stream event is decoded, and encoded again', () => {
    const event = fc
      .tuple(fc.constantFrom(...eventTypes), item)
      .map(([type, rest]) => ({ event: type, data: JSON.stringify({ ...rest, type }) }));
    fc.assert(
      fc.property(fc.array(event, { maxLength: 6 }), (events) => {
        const decoder = codec.createStreamDecoder();
        const frames = [...events.flatMap((one) => decoder.push(one)), ...decoder.finish()];
        const native = codec.createStreamEncoder({ report });
        const foreign = codec.createStreamEncoder({ report });
        for (const frame of frames) {
          native.push(frame);
          foreign.push({ events: frame.events });
        }
        expect([...foreign.finish(), ...native.finish()].every(({ data }) => data.startsWith('{'))).toBe(true);
        for (const one of events) {
          codec.classifyStreamEvent(one);
          codec.readStreamUsage(one);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('a request is decoded or refused with the field at fault', () => {
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(item, { maxLength: 2 }), item, (input, rest) => {
        try {
          const request = codec.decodeRequest({ model: 'm', ...rest, input }, {});
          expect(codec.encodeRequest(request, { report })).toEqual({ model: 'm', ...rest, input });
          accepted += 1;
        } catch (error) {
          if (!GatewayError.isInstance(error)) throw error;
          expect(error.toInfo()).toMatchObject({ statusCode: 400, param: expect.any(String) as string });
        }
      }),
      { numRuns: 500 },
    );
    expect(accepted).toBeGreaterThan(50);
  });

  it('an error body gives an error', () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), fc.anything(), (status, body) => {
        expect(codec.decodeError(status, body)).toMatchObject({
          origin: 'provider',
          message: expect.any(String) as string,
        });
      }),
    );
  });
});
