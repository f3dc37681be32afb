import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memberValue } from './member-value.ts';
import { peekTopLevel } from './peek.ts';
import type { Edit } from './splice.ts';
import { appendMember, removeMembers, replaceMember, spliceBody, totalBytes } from './splice.ts';

const keys = ['model', 'fallbacks'];

function splice(text: string, change: { model?: string; append?: string }): string {
  const body = Buffer.from(text);
  const top = peekTopLevel(body, keys);
  const edits: Edit[] = [];
  if (change.model !== undefined) replaceMember(edits, top.members[0], JSON.stringify(change.model));
  if (top.members[1] !== undefined) removeMembers(edits, top.members[1]);
  if (change.append !== undefined) appendMember(edits, top, change.append);
  const parts = spliceBody(body, edits);
  const spliced = Buffer.concat(parts);
  expect(totalBytes(parts)).toBe(spliced.length);
  return spliced.toString();
}

describe('spliceBody', () => {
  it('changes the named values and leaves every other byte', () => {
    expect(splice('{ "a" : 1.0,\t"model" :"x" , "z":"\\u00e4"}', { model: 'größer' })).toBe(
      '{ "a" : 1.0,\t"model" :"größer" , "z":"\\u00e4"}',
    );
  });

  it('removes a member wherever it stands', () => {
    expect(splice('{"fallbacks":[1],"a":2}', {})).toBe('{"a":2}');
    expect(splice('{"a":2, "fallbacks":[1]}', {})).toBe('{"a":2}');
    expect(splice('{"a":2,"fallbacks":[1],"b":3}', {})).toBe('{"a":2,"b":3}');
    expect(splice('{"fallbacks":[1]}', {})).toBe('{}');
    expect(splice('{"fallbacks":[1],"a":0,"fallbacks":[2],"fallbacks":[3]}', {})).toBe('{"a":0}');
  });

  it('appends after what is left', () => {
    expect(splice('{"model":"m","fallbacks":[]}', { append: '"s":1' })).toBe('{"model":"m","s":1}');
    expect(splice('{}', { append: '"s":1' })).toBe('{"s":1}');
  });

  it('copies nothing of the body', () => {
    const body = Buffer.from('{"a":"' + 'x'.repeat(1000) + '","model":"m"}');
    const edits: Edit[] = [];
    replaceMember(edits, peekTopLevel(body, keys).members[0], '"n"');
    const [first] = spliceBody(body, edits);
    expect(first?.buffer).toBe(body.buffer);
  });

  it('is the same as editing the parsed object, for any members in any order', () => {
    const member = fc.tuple(fc.constantFrom('model', 'fallbacks', 'x', 'y'), fc.jsonValue({ maxDepth: 2 }));
    fc.assert(
      fc.property(fc.array(member, { maxLength: 7 }), (members) => {
        const text = `{${members.map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`).join(' , ')}}`;
        const expected = JSON.parse(text) as Record<string, unknown>;
        delete expected['fallbacks'];
        if ('model' in expected) expected['model'] = 'new';
        const spliced = splice(text, { model: 'new' });
        expect(JSON.parse(spliced)).toEqual(expected);
        const body = Buffer.from(spliced);
        for (const one of peekTopLevel(body, keys).members[0] ?? []) expect(memberValue(body, [one])).toBe('new');
      }),
    );
  });
});
