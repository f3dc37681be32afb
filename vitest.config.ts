import { defineConfig } from 'vitest/config';

/**
 * Files that hold the program to the clock, to its memory or to a thousand live streams: one at a time, after all others and with the
 * machine to themselves. A test that can fail because another one runs belongs here.
 */
const alone = [
  'transports/http/src/{main,start-server}.test.ts',
  'transports/http/src/e2e/{clocks,faults,hostile-inline,large-body,pace,plugin-hostile,plugin-reload,plugin-swap,steady-memory}.test.ts',
  'transports/http/src/supervisor/stack-look.test.ts',
  'framework/src/plugins/plugin-scope.test.ts',
  'framework/src/plugins/remote/{hostile-plugins,remote-life}.test.ts',
  'tools/artefacts/{executables,upgrade}.test.ts',
];

const never = ['**/node_modules/**', '**/dist/**', 'tmp/**'];

/** Many tests start whole programs: one that hangs is found all the same. */
const patience = { testTimeout: 60_000, hookTimeout: 120_000, teardownTimeout: 10_000 };

export default defineConfig({
  test: {
    dangerouslyIgnoreUnhandledErrors: false,
    reporters: ['default', './tools/count-reporter.ts'],
    projects: [
      {
        test: {
          ...patience,
          name: 'together',
          include: ['**/*.test.ts'],
          exclude: [...never, ...alone],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...patience,
          name: 'alone',
          include: alone,
          exclude: never,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
