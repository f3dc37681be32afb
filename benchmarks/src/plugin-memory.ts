/** Resident memory and open descriptors of a process with its children, and how they grow. */
import { readdirSync, readFileSync } from 'node:fs';

/** What the process and all below it hold. */
export interface Holdings {
  /** Resident megabytes of the process itself. */
  readonly ownMegabytes: number;
  /** Resident megabytes of the processes below it; what they share is counted in each. */
  readonly childMegabytes: number;
  readonly children: number;
  /** Open files, sockets and pipes of the process itself. */
  readonly descriptors: number;
  /** Threads of the process itself. */
  readonly threads: number;
}

interface ProcessStatus {
  readonly pid: number;
  readonly parent: number;
  readonly megabytes: number;
  readonly threads: number;
}

function statusOf(pid: number): readonly ProcessStatus[] {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
    return [{ pid, parent: read('PPid'), megabytes: read('VmRSS') / 1024, threads: read('Threads') }];
  } catch {
    return []; // it ended meanwhile
  }
}

function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** What `root` and all below it hold at this moment. */
export function holdingsOf(root: number): Holdings {
  const all = readdirSync('/proc').map(Number).filter(Number.isInteger).flatMap(statusOf);
  const members = new Set([root]);
  for (const member of members) for (const { pid, parent } of all) if (parent === member) members.add(pid);
  const own = all.find(({ pid }) => pid === root);
  const below = all.filter(({ pid }) => pid !== root && members.has(pid));
  return {
    ownMegabytes: own?.megabytes ?? 0,
    childMegabytes: below.reduce((sum, { megabytes }) => sum + megabytes, 0),
    children: below.length,
    descriptors: descriptorsOf(root),
    threads: own?.threads ?? 0,
  };
}

/** Slope of the line through the samples by least squares, in units of a sample per step. */
export function slopeOf(samples: readonly number[]): number {
  const meanX = (samples.length - 1) / 2;
  const meanY = samples.reduce((sum, value) => sum + value, 0) / samples.length;
  let [top, bottom] = [0, 0];
  samples.forEach((value, index) => {
    top += (index - meanX) * (value - meanY);
    bottom += (index - meanX) ** 2;
  });
  return bottom === 0 ? 0 : top / bottom;
}
