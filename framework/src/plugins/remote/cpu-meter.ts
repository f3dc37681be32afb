/** How much of the processors something outside the serving threads takes, from looks at the processor time that it has had so far. */
import { readSync } from 'node:fs';

interface Sample {
  readonly at: number;
  readonly cpuMs: number;
}

/** How often one is to look. */
export const cpuIntervalMs = 250;
export const defaultCpuWindowMs = 10_000;

export class CpuMeter {
  readonly #windowMs: number;
  /** The oldest is the last one from before the window. */
  #samples: Sample[] = [];

  constructor(windowMs: number = defaultCpuWindowMs) {
    this.#windowMs = windowMs;
  }

  /** `cpuMs` is the processor time since its start; `at` in milliseconds of `performance.now()`. */
  add(cpuMs: number, at: number = performance.now()): void {
    this.#samples.push({ at, cpuMs });
    const begin = at - this.#windowMs;
    const first = this.#samples.findLastIndex((sample) => sample.at <= begin);
    if (first > 0) this.#samples = this.#samples.slice(first);
  }

  /**
   * Processors used on average over the window, the time before the first look counted as idle: what starts with a burst is not
   * taken for what never rests. Undefined before the second look.
   */
  get load(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || first === last) return undefined;
    return (last.cpuMs - first.cpuMs) / Math.max(this.#windowMs, last.at - first.at);
  }

  /** The sentence for its end; undefined where it keeps to `limit`. */
  overrun(limit: number | undefined): string | undefined {
    const { load } = this;
    if (limit === undefined || load === undefined || load <= limit) return undefined;
    const seconds = Math.round(this.#windowMs / 100) / 10;
    return `was ended: it used more than ${limit} of a processor over ${seconds} s (\`cpu_limit\`)`;
  }
}

/** Linux counts in hundredths of a second there, on every processor. */
const tickMs = 10;
/** Of what follows the program's name, which may have spaces and brackets in it. */
const [userField, systemField] = [11, 12];

/** Processor time of a process with all its threads, from an open `/proc/PID/stat`; undefined where it has gone. */
export function readProcessCpuMs(descriptor: number): number | undefined {
  const text = Buffer.alloc(1024);
  try {
    const line = text.toString('latin1', 0, readSync(descriptor, text, 0, text.length, 0));
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[userField]) + Number(fields[systemField]);
    return Number.isFinite(ticks) ? ticks * tickMs : undefined;
  } catch {
    return undefined;
  }
}
