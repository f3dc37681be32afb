import { messageOf, settleWithin } from '@bifrost/core/plugins';
import { PluginError } from '@bifrost/sdk';

export interface LifeCycleCall {
  readonly name: string;
  readonly stage: 'init' | 'cleanup';
  readonly timeoutMs: number;
  readonly call: (signal: AbortSignal) => unknown;
  /** The call ended well, but after its deadline. */
  readonly onLate?: () => void;
}

const lifeCycleCodes = {
  init: { failed: 'BF_PLUGIN_INIT_FAILED', timeout: 'BF_PLUGIN_INIT_TIMEOUT' },
  cleanup: { failed: 'BF_PLUGIN_CLEANUP_FAILED', timeout: 'BF_PLUGIN_CLEANUP_TIMEOUT' },
} as const;

/** Runs `init` or `cleanup` with a deadline. Throws PluginError. */
export async function runLifeCycle({ name, stage, timeoutMs, call, onLate }: LifeCycleCall): Promise<void> {
  const controller = new AbortController();
  const running = Promise.resolve().then(() => call(controller.signal));
  const settled = await settleWithin(running, timeoutMs);
  const codes = lifeCycleCodes[stage];
  if (settled.kind === 'threw') {
    throw new PluginError(name, `${stage} failed: ${messageOf(settled.thrown)}`, {
      code: codes.failed,
      cause: settled.thrown,
    });
  }
  if (settled.kind === 'value') return;
  const error = new PluginError(name, `${stage} did not end within ${timeoutMs} ms`, {
    code: codes.timeout,
  });
  controller.abort(error);
  if (onLate !== undefined) running.then(onLate, () => undefined);
  throw error;
}
