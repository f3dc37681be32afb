import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with `N passed, N failed` alone on a line, which is what a build server counts. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        if (state === 'passed') counts.passed += 1;
        else if (state === 'failed') counts.failed += 1;
        else counts.skipped += 1;
      }
      if (module.children.size === 0 && module.state() === 'failed') counts.failed += 1;
    }
    if (counts.skipped > 0)
      process.stdout.write(
        `\n${counts.skipped} skipped (cases that do not apply, or tools that this machine does not have)\n`,
      );
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed\n`);
  }
}
