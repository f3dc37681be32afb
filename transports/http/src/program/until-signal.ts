import type { RunningServer } from '../start-server.ts';
import { endAtOnce } from './end-at-once.ts';
import { exitCodes } from './exit-codes.ts';

export interface UntilSignalOptions {
  readonly server: Pick<RunningServer, 'close' | 'abandonedThreads'>;
  /** How long requests under way may go on. */
  readonly graceMs: number;
  /** Starts the process that takes over; resolves with its id when it serves. */
  readonly handOver: () => Promise<number>;
  readonly say: (text: string) => void;
}

/**
 * Serves until SIGTERM or SIGINT, then drains; a second one ends at once. SIGUSR2 has a new process take over first. Resolves with
 * the exit code; ends the process by itself where a thread does not end, as a plain exit would wait for it for ever.
 */
export function untilSignal({ server, graceMs, handOver, say }: UntilSignalOptions): Promise<number> {
  return new Promise((resolve) => {
    let isDraining = false;
    let isHandingOver = false;
    const drain = (reason: string): void => {
      isDraining = true;
      // First the state, then the word: whoever reads it finds the gateway draining.
      const closed = server.close(graceMs);
      say(`bifrost-http: ${reason}, ending what is under way (at most ${graceMs / 1000} s; again to end at once)\n`);
      void closed.then(() => {
        if (server.abandonedThreads > 0) void endAtOnce(exitCodes.done);
        else resolve(exitCodes.done);
      });
    };
    const end = (signal: NodeJS.Signals): void => {
      if (!isDraining) {
        drain(signal);
        return;
      }
      say(`bifrost-http: second ${signal}, ending at once\n`);
      // SIGKILL needs no thread to cooperate.
      process.kill(process.pid, 'SIGKILL');
    };
    const replace = (): void => {
      if (isDraining || isHandingOver) return;
      isHandingOver = true;
      say('bifrost-http: SIGUSR2, starting a new process on the same socket\n');
      handOver().then(
        (pid) => {
          if (!isDraining) drain(`process ${pid} has taken over`);
        },
        (error: unknown) => {
          isHandingOver = false;
          const reason = error instanceof Error ? error.message : String(error);
          say(`bifrost-http: not handed over, as ${reason}; this process goes on\n`);
        },
      );
    };
    process.on('SIGTERM', end);
    process.on('SIGINT', end);
    // Windows has no such signal, and no descriptors to hand over.
    if (process.platform !== 'win32') process.on('SIGUSR2', replace);
  });
}
