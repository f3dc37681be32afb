import { readFileSync } from 'node:fs';

/** The processes that a process has started; none where the system does not say. */
function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function endNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Ends a program at once, and what it has started: a plugin's program that hangs does not see that its gateway has gone. */
export function endWithChildren(pid: number): void {
  const started = childrenOf(pid);
  endNow(pid);
  for (const child of started) endNow(child);
}
