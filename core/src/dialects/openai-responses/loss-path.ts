import type { LossReport } from '../codec.ts';

/** A report whose losses stand below a path: the field `cache_control` at `tools[2]` is `tools[2].cache_control`, an empty one the place itself. */
export function reportBelow(report: LossReport, path: string): LossReport {
  return {
    add: (loss) => report.add({ ...loss, field: loss.field === '' ? path : `${path}.${loss.field}` }),
  };
}
