import { availableParallelism, loadavg } from 'node:os';

/** How long a serving thread may be away after a plugin has blocked or filled it. */
const promisedMs = 2000;

/**
 * The same on this machine, as busy as it is: the promise, and a second for each process that waits for a processor (at least one), as a
 * thread's start is a second of work at most.
 */
export function outageBoundMs(): number {
  const [lastMinute = 0] = loadavg();
  return promisedMs + 1000 * Math.max(1, lastMinute / availableParallelism());
}

/** Says what was measured, and what is allowed. */
export function reportOutage(what: string, outageMs: number): void {
  const [lastMinute = 0] = loadavg();
  const figures = `back after ${outageMs.toFixed(0)} ms (promised 2000, allowed here ${outageBoundMs().toFixed(0)}, load ${lastMinute.toFixed(1)})`;
  process.stdout.write(`${what}: ${figures}\n`);
}
