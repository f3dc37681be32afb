import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.test.ts', 'tools/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', 'tmp/**'],
    // Many tests start whole programs, on two cores: a test that hangs is found all the same.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 10_000,
    dangerouslyIgnoreUnhandledErrors: false,
    reporters: ['default', './tools/count-reporter.ts'],
  },
});
