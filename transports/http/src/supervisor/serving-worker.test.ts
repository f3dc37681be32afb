import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { createStateMakersBuffer } from '@bifrost/core/state-makers';
import { expect, it, onTestFinished } from 'vitest';
import { createLedgerCells } from '../serving/bodies/body-ledger.ts';
import { ServingWorker } from './serving-worker.ts';

it.runIf(process.platform === 'linux')(
  'what a thread waits for a processor is known, and it ends when told to',
  async () => {
    const worker = new ServingWorker(
      {
        threadNumber: 1,
        listenDescriptor: -1,
        isLoopback: true,
        logLevel: 'error',
        processState: new SharedArrayBuffer(4),
        stateMakers: createStateMakersBuffer(),
        bodyCells: createLedgerCells(),
        spoolDirectories: [],
        engineModule: '',
        version: '',
      },
      { onMessage: () => undefined, onExit: () => undefined },
    );
    const loops = Array.from({ length: 2 * availableParallelism() }, () => new Worker('for (;;);', { eval: true }));
    onTestFinished(async () => void (await Promise.all(loops.map((loop) => loop.terminate()))));
    // Each of its heartbeats waits for its turn.
    await expect.poll(() => worker.waitedMs(), { timeout: 30_000 }).toBeGreaterThan(0);
    expect(await worker.terminate(10_000)).toBe(true);
    expect(worker.state).toBe('ended');
  },
  60_000,
);
