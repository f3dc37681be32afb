/**
 * Which plugin runs in a thread right now, as one number in shared memory: written before an inline call and cleared after it, so
 * that a supervisor can name who blocks or has ended the thread. One number and not two: it is always whole, whoever reads it when.
 */
import { hookNames } from '@bifrost/sdk';
import type { HookName } from '@bifrost/sdk';

const hookBits = 5;

/** The number of a hook of the plugin with this slot number (from 0). Never 0: that says that no plugin runs. */
export function runningMark(slotNumber: number, hook: HookName): number {
  return ((slotNumber + 1) << hookBits) | (hookNames.indexOf(hook) + 1);
}

/** What a mark says; undefined for 0, and for a number that is no mark. */
export function readRunningMark(mark: number): { readonly slotNumber: number; readonly hook: HookName } | undefined {
  const slotNumber = (mark >> hookBits) - 1;
  const hook = hookNames[(mark & ((1 << hookBits) - 1)) - 1];
  return slotNumber < 0 || hook === undefined ? undefined : { slotNumber, hook };
}
