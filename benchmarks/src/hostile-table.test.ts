import { expect, it } from 'vitest';
import { signTest } from './hostile-table.ts';

it('the sign test says how likely a split is by chance', () => {
  expect(signTest(5, 0)).toBe(0.0625);
  expect(signTest(0, 5)).toBe(0.0625);
  expect(signTest(3, 2)).toBe(1);
  expect(signTest(12, 3)).toBeCloseTo(0.0352, 4);
  expect(signTest(0, 0)).toBe(1);
});
