import { threadId } from 'node:worker_threads';
import { headCells } from './layout.ts';

/** 0 stands for nobody, and the main thread's id is 0. */
const ownToken = threadId + 1;
/** A write takes microseconds: who holds the lock for longer was ended in the middle of it. */
const abandonedAfterMs = 1000;
const waitMs = 10;

/** Runs `write` while no other thread writes. Blocks this thread meanwhile: `write` must be short and must not wait. */
export function withWriteLock<Result>(head: Int32Array, write: () => Result): Result {
  const { lock } = headCells;
  let waitedFor = 0;
  let since = 0;
  for (;;) {
    const holder = Atomics.compareExchange(head, lock, 0, ownToken);
    if (holder === 0) break;
    const now = performance.now();
    if (holder !== waitedFor) {
      waitedFor = holder;
      since = now;
    } else if (now - since > abandonedAfterMs && Atomics.compareExchange(head, lock, holder, ownToken) === holder)
      break;
    Atomics.wait(head, lock, holder, waitMs);
  }
  try {
    return write();
  } finally {
    // Not where it was taken away from us.
    if (Atomics.compareExchange(head, lock, ownToken, 0) === ownToken) Atomics.notify(head, lock, 1);
  }
}
