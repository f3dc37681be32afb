import { processStates } from '../supervisor/messages.ts';

export interface Readiness {
  readonly isReady: boolean;
  /** What keeps the gateway from being ready; empty when nothing does. */
  readonly reasons: readonly string[];
}

/** Whether traffic should come here: the process is past its start, not draining, and no plugin keeps it from being ready. */
export function readReadiness(processState: Int32Array, pluginReasons: readonly string[]): Readiness {
  const state = Atomics.load(processState, 0);
  const reasons = [...pluginReasons];
  if (state === processStates.starting) reasons.unshift('starting');
  if (state === processStates.draining) reasons.unshift('draining');
  return { isReady: reasons.length === 0, reasons };
}
