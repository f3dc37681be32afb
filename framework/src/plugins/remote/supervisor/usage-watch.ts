/** Looks at the memory and the processor time of a realm, and tells when it takes more than it may. */
import { CpuMeter, cpuIntervalMs } from '../cpu-meter.ts';
import type { Realm } from './realm.ts';

/** How often memory is looked at: what grows as fast as memory can be written has grown some 50 MB by then. */
const memoryIntervalMs = 20;

export interface UsageWatchOptions {
  readonly realm: Realm;
  readonly memoryLimitBytes: number;
  /** Processors on average; undefined: any. */
  readonly cpuLimit: number | undefined;
  readonly cpuWindowMs?: number | undefined;
  /** Told why it is to be ended; again with every look until `stop`. */
  readonly onOver: (reason: string) => void;
}

export class UsageWatch {
  readonly #options: UsageWatchOptions;
  readonly #meter: CpuMeter;
  readonly #timers: NodeJS.Timeout[] = [];
  #memory: number | undefined;
  #isWeighing = false;
  #isTiming = false;

  constructor(options: UsageWatchOptions) {
    this.#options = options;
    this.#meter = new CpuMeter(options.cpuWindowMs);
    this.#every(memoryIntervalMs, () => void this.#weigh());
  }

  /** As last seen. */
  get memoryBytes(): number | undefined {
    return this.#memory;
  }

  /** Processors used on average. */
  get cpuLoad(): number | undefined {
    return this.#meter.load;
  }

  /** From now on processor time counts: what loading takes is bounded by its own deadlines. */
  countCpu(): void {
    void this.#time();
    this.#every(cpuIntervalMs, () => void this.#time());
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
  }

  #every(intervalMs: number, look: () => void): void {
    const timer = setInterval(look, intervalMs);
    timer.unref();
    this.#timers.push(timer);
  }

  async #weigh(): Promise<void> {
    if (this.#isWeighing) return;
    this.#isWeighing = true;
    const bytes = await this.#options.realm.sampleMemory();
    this.#isWeighing = false;
    if (bytes === undefined) return;
    this.#memory = bytes;
    const { memoryLimitBytes, onOver } = this.#options;
    if (bytes > memoryLimitBytes) onOver(`was ended: its memory passed ${Math.round(memoryLimitBytes / 1_048_576)} MB`);
  }

  async #time(): Promise<void> {
    if (this.#isTiming) return;
    this.#isTiming = true;
    const cpuMs = await this.#options.realm.sampleCpu();
    this.#isTiming = false;
    if (cpuMs === undefined) return;
    this.#meter.add(cpuMs);
    const overrun = this.#meter.overrun(this.#options.cpuLimit);
    if (overrun !== undefined) this.#options.onOver(overrun);
  }
}
