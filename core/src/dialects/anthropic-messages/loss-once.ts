import type { Loss, LossReport } from '../codec.ts';

/** Reports the same loss once, however often a stream has it. */
export class LossOnce implements LossReport {
  readonly #report: LossReport;
  readonly #reported = new Set<string>();

  constructor(report: LossReport) {
    this.#report = report;
  }

  add(loss: Loss): void {
    const key = `${loss.field} ${loss.reason}`;
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    this.#report.add(loss);
  }
}
