import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { storedOf } from '../body/__tests__/stored.ts';
import { routes } from './__tests__/harness.ts';
import { continuedNames, GivenNames, storedNames } from './state-names.ts';

/** The names in a body, which are the same where it is stored in pieces of any size. */
function names(body: string): readonly string[] {
  const found = continuedNames(Buffer.from(body));
  for (const pieceBytes of [1, 7, 1000])
    expect(storedNames(storedOf(body, routes.responses, pieceBytes))).toEqual(found);
  return found;
}

describe('what a request continues', () => {
  it('is the response before it, the conversation and the last encrypted reasoning', () => {
    const input = [
      { type: 'reasoning', encrypted_content: 'gAAAAA-first-of-two' },
      { type: 'reasoning', encrypted_content: 'gAAAAA-second-of-two' },
      { type: 'reasoning', encrypted_content: null },
    ];
    const body = JSON.stringify({ previous_response_id: 'resp_1', conversation: { id: 'conv_1' }, input });
    expect(names(body)).toEqual(['resp_1', 'conv_1', 'gAAAAA-second-of-two']);
    expect(names('{"conversation":"conv_2","previous_response_id":null}')).toEqual(['conv_2']);
    expect(names('{ "input" : [ { "encrypted_content" :\n "gAAAAA-spaced" } ] }')).toEqual(['gAAAAA-spaced']);
  });

  it('is nothing where a request stands for itself', () => {
    expect(names('{"model":"m","input":"hi"}')).toEqual([]);
    expect(names('{"input":"say \\"encrypted_content\\" and previous_response_id"}')).toEqual([]);
  });
});

describe('what an answer names', () => {
  const id = 'resp_0123456789abcdef';
  const long = `gAAAAA${'x1Y2'.repeat(200)}`;
  const events = [
    { type: 'response.created', response: { id, output: [] } },
    { type: 'response.output_item.done', item: { id: 'rs_1', type: 'reasoning', encrypted_content: long } },
    { type: 'response.output_item.done', item: { id: 'rs_2', type: 'reasoning', encrypted_content: 'gAAAAA-short' } },
    { type: 'response.completed', response: { id, output: [] } },
  ];
  const stream = Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));

  it('is the same however its bytes are cut, and what a follow-up says', () => {
    const body = (encrypted: string): string => JSON.stringify({ input: [{ encrypted_content: encrypted }] });
    const expected = [id, ...names(body(long)), ...names(body('gAAAAA-short'))].toSorted();
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 40 }), (cuts) => {
        const found = new Set<string>();
        const given = new GivenNames((name) => found.add(name));
        const offsets = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
        for (let at = 1; at < offsets.length; at += 1) given.push(stream.subarray(offsets[at - 1], offsets[at]));
        expect([...found].toSorted()).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});
