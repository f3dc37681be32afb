/** Resident memory of a process with its children, and how it grows. */
import { readdirSync, readFileSync } from 'node:fs';

function statusOf(pid: number): { readonly parent: number; readonly kilobytes: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
    return { parent: read('PPid'), kilobytes: read('VmRSS') };
  } catch {
    return undefined; // it ended meanwhile
  }
}

/** Resident megabytes of the process and all below it. */
export function residentMegabytes(root: number): number {
  const all = readdirSync('/proc')
    .map(Number)
    .filter(Number.isInteger)
    .flatMap((pid) => {
      const status = statusOf(pid);
      return status === undefined ? [] : [{ pid, ...status }];
    });
  const members = new Set([root]);
  for (const member of members) for (const { pid, parent } of all) if (parent === member) members.add(pid);
  return all.filter(({ pid }) => members.has(pid)).reduce((sum, { kilobytes }) => sum + kilobytes, 0) / 1024;
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
