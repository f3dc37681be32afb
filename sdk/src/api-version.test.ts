import { describe, expect, it } from 'vitest';
import { isApiSupported } from './index.ts';

describe('isApiSupported', () => {
  it.each([
    ['1', '1.1', true],
    ['v1', '1.1', true],
    ['1.1', '1.1', true],
    ['1.2', '1.1', false],
    ['2', '1.1', false],
    ['>=1.0 <2', '1.1', true],
    ['>= 1.2 < 2', '1.1', false],
    ['^1.0', '1.7', true],
    ['^1.0', '2.0', false],
    ['1.x', '1.4', true],
    ['=1.0', '1.1', false],
    ['0.9 || 1', '1.1', true],
    ['<=1', '1.1', true],
    ['>1', '1.1', false],
    ['*', '7.3', true],
  ])('%s with release %s: %s', (range, release, expected) => {
    expect(isApiSupported(range, release)).toBe(expected);
  });

  it.each(['', 'one', '>=', '1 ||', '1.1.1.1', '~1'])('cannot read "%s"', (range) => {
    expect(isApiSupported(range, '1.1')).toBeUndefined();
  });
});
