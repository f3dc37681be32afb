import { describe, expect, it } from 'vitest';
import { cutText, plainFields } from './log-line.ts';

describe('a line of a plugin', () => {
  it('has a text of bounded length, whatever it is made of', () => {
    expect(cutText('x')).toBe('x');
    expect(cutText(`${'x'.repeat(9000)}`)).toBe(`${'x'.repeat(8192)}...`);
    expect(cutText({ toString: 1, valueOf: 1 })).toBe('(object)');
  });

  it('has fields that can be written, or says that they were left out', () => {
    expect(plainFields({ a: 1 })).toEqual({ a: 1 });
    expect(plainFields(undefined)).toEqual({});
    expect(plainFields([1])).toEqual({ fields: 'no object, left out' });
    expect(plainFields({ requestId: 'r', a: 'x'.repeat(20_000) })).toEqual({
      requestId: 'r',
      fields: 'too long, left out',
    });
    const cycle: Record<string, unknown> = { n: 1n };
    expect(plainFields(cycle)).toEqual({ fields: 'not JSON, left out' });
    const deep = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`) as unknown;
    expect(plainFields({ deep })['fields']).toMatch(/left out$/);
    expect(plainFields({ toJSON: () => 5 })).toEqual({ fields: 'no object, left out' });
  });
});
