import type { RequestRun } from './run.ts';

/** Waits; false when the client went away meanwhile. */
export function sleep(run: RequestRun, milliseconds: number): Promise<boolean> {
  if (run.isCanceled) return Promise.resolve(false);
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      run.waitingFor = null;
      resolve(true);
    }, milliseconds);
    run.waitingFor = {
      cancel() {
        clearTimeout(timer);
        run.waitingFor = null;
        resolve(false);
      },
    };
  });
}
