import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { routes } from '../pipeline/__tests__/harness.ts';
import type { InboundRoute } from '../pipeline/seam.ts';
import { BodyScan } from './body-scan.ts';
import { MarkSearch } from './mark-search.ts';

function scanOf(route: InboundRoute, ...pieces: readonly string[]): BodyScan {
  const scan = new BodyScan(route);
  for (const piece of pieces) scan.push(Buffer.from(piece));
  scan.end();
  return scan;
}

describe('BodyScan', () => {
  it('finds the members that the gateway reads', () => {
    const { members } = scanOf(routes.chat, '{"messages":[],"mod', 'el":"m"', '}').top();
    expect(members.map((found) => found?.[0]?.valueStart)).toEqual([23, undefined, undefined, undefined]);
  });

  it('keeps what is wrong until it is asked', () => {
    const scan = scanOf(routes.chat, '{"model":', '}', 'and more');
    expect(() => scan.top()).toThrow('found "}" at byte offset 9, expected a JSON value');
  });

  it('finds wrapped values whose mark is cut, in the dialects that have them', () => {
    expect(scanOf(routes.chat, '{"id":"call__bf', 'sig_abc"}').hasMarks).toBe(true);
    expect(scanOf(routes.chat, '{"id":"call"}').hasMarks).toBe(false);
    expect(scanOf({ ...routes.chat, operation: 'embeddings' }, '{"id":"call__bfsig_abc"}').hasMarks).toBe(false);
  });
});

describe('MarkSearch', () => {
  it('finds a mark wherever the bytes are cut, and none that is not there', () => {
    const marks = ['abcab', 'bca'].map((mark) => Buffer.from(mark));
    const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 30 }).map((letters) => letters.join(''));
    fc.assert(
      fc.property(text, fc.array(fc.nat(30), { maxLength: 20 }), (whole, cuts) => {
        const search = new MarkSearch(marks);
        let at = 0;
        for (const cut of [...cuts.toSorted((a, b) => a - b), whole.length]) {
          search.push(Buffer.from(whole.slice(at, Math.max(at, cut))));
          at = Math.max(at, cut);
        }
        expect(search.hasFound).toBe(whole.includes('bca'));
      }),
    );
  });
});
