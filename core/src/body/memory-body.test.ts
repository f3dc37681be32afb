import { randomBytes } from 'node:crypto';
import { storedBodyCases } from '@bifrost/testkit';
import { describe, it } from 'vitest';
import { routes } from '../pipeline/__tests__/harness.ts';
import { storedOf } from './__tests__/stored.ts';

describe('a stored body in memory', () => {
  it.each(storedBodyCases)('$name', async ({ check }) => {
    const bytes = randomBytes(250_000);
    await check(storedOf(bytes, routes.chat, 9_999), bytes);
  });
});
