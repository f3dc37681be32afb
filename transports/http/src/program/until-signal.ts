import type { RunningServer } from '../start-server.ts';
import { exitCodes } from './exit-codes.ts';

type EndSignal = 'SIGTERM' | 'SIGINT';

/**
 * Serves until SIGTERM or SIGINT, then drains. A second signal ends at once. Resolves with the exit code; ends the process by
 * itself where a thread does not end, as a plain exit would wait for it for ever.
 */
export function untilSignal(server: RunningServer, graceMs: number, say: (text: string) => void): Promise<number> {
  return new Promise((resolve) => {
    let isDraining = false;
    const receive = (signal: EndSignal): void => {
      if (isDraining) {
        say(`bifrost-http: second ${signal}, ending at once\n`);
        // SIGKILL needs no thread to cooperate.
        process.kill(process.pid, 'SIGKILL');
        return;
      }
      isDraining = true;
      say(`bifrost-http: ${signal}, ending what is under way (at most ${graceMs / 1000} s; again to end at once)\n`);
      void server.close(graceMs).then(() => {
        if (server.abandonedThreads > 0) process.kill(process.pid, 'SIGKILL');
        resolve(exitCodes.done);
      });
    };
    process.on('SIGTERM', receive);
    process.on('SIGINT', receive);
  });
}
