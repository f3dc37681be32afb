import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { valueChanges } from './value-changes.ts';

/** Applies steps to a copy of `value`, as RFC 6902 says. */
function applied(value: unknown, changes: ReturnType<typeof valueChanges>): unknown {
  const root = { '': structuredClone(value) } as Record<string, unknown>;
  for (const { op, path, value: next } of changes) {
    const names = path.split('/').map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = names.pop() ?? '';
    let place = root as Record<string, unknown> | unknown[];
    for (const name of names) place = (place as Record<string, unknown>)[name] as Record<string, unknown>;
    if (op === 'remove' && Array.isArray(place)) place.splice(Number(last), 1);
    else if (op === 'remove') delete (place as Record<string, unknown>)[last];
    else if (Array.isArray(place) && last === '-') place.push(structuredClone(next));
    else (place as Record<string, unknown>)[last] = structuredClone(next);
  }
  return root[''];
}

const name = fc.constantFrom('a', 'b', 'c/d', '~e');
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, 1, 2, 'x', 'y'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3 }).map((members) => ({ ...members })),
  ),
})).value;

describe('the steps from one value to another', () => {
  it('lead there, as far as they are not cut', () => {
    fc.assert(
      fc.property(json, json, (before, after) => {
        const changes = valueChanges(before, after);
        if (changes.length < 32) expect(applied(before, changes)).toEqual(after);
      }),
      { numRuns: 2000 },
    );
  });

  it('are bounded in number and size', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`m${index}`, 'x'.repeat(10_000)]));
    const changes = valueChanges({}, many);
    expect(changes.length).toBe(32);
    expect(JSON.stringify(changes).length).toBeLessThan(32 * 700);
    expect(JSON.stringify(valueChanges(1, { deep: Array.from({ length: 100 }, () => many) })).length).toBeLessThan(1e6);
  });

  it('are cut where a value is nested too deep, objects and lists alike', () => {
    const levelsOf = (value: unknown): number => {
      if (typeof value !== 'object' || value === null) return 0;
      return 1 + levelsOf(Object.values(value)[0]);
    };
    let [members, lists]: [unknown, unknown] = ['end', 'end'];
    for (let level = 0; level < 20; level += 1) [members, lists] = [{ a: members }, [lists]];
    const shown = [members, lists].map((value) => valueChanges({}, { value })[0]?.value);
    expect(shown.map(levelsOf)).toEqual([12, 12]);
    expect(JSON.stringify(shown[1])).toContain('(object)');
  });

  it('tell bytes by length and digest, and credentials not at all', () => {
    expect(valueChanges({ body: Buffer.from('a') }, { body: Buffer.from('a') })).toEqual([]);
    expect(valueChanges({ body: Buffer.from('a') }, { body: Buffer.from('secret') })).toEqual([
      { op: 'replace', path: '/body', value: { bytes: 6, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    ]);
    const changes = valueChanges(
      { headers: { authorization: 'Bearer old', 'x-a': '1' } },
      { headers: { authorization: 'Bearer new', 'x-api-key': 'k1', 'x-a': '2' } },
    );
    expect(changes).toEqual([
      { op: 'replace', path: '/headers/authorization', value: '***' },
      { op: 'replace', path: '/headers/x-a', value: '2' },
      { op: 'add', path: '/headers/x-api-key', value: '***' },
    ]);
    const nested = valueChanges({}, { response: { headers: { 'set-cookie': 'id=1', via: 'me' } } });
    expect(nested[0]?.value).toEqual({ headers: { 'set-cookie': '***', via: 'me' } });
  });
});
