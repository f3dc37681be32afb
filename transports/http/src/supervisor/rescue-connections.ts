/**
 * Takes from a thread that stands still, before it is ended, the connections that it has nothing to do with: those between two requests.
 * What clients have sent on them waits in the kernel, unread, and another thread answers it as if nothing had been. The thread gives them
 * away itself, stopped by the debugger, as nobody else knows what it has read.
 */
import { closeSync } from 'node:fs';
import { idleConnectionsKey } from '../serving/idle-connections.ts';
import type { ServingWorker } from './serving-worker.ts';
import { withDebugger } from './thread-debugger.ts';

const withinMs = 1000;

/** Descriptors of connections that are the caller's now. None where the thread cannot be stopped. Never rejects. */
export async function rescueConnections({ threadId }: ServingWorker): Promise<readonly number[]> {
  const given = await withDebugger(threadId, withinMs, async (thread) => {
    await thread.pause();
    return thread.evaluate(`globalThis[Symbol.for(${JSON.stringify(idleConnectionsKey)})]?.()`);
  });
  return Array.isArray(given) ? given.filter((descriptor): descriptor is number => typeof descriptor === 'number') : [];
}

/** Gives connections to a thread that serves. Where there is none, they end. */
export function giveConnections(thread: ServingWorker | undefined, descriptors: readonly number[]): void {
  if (descriptors.length === 0) return;
  if (thread?.state === 'serving') thread.post({ type: 'adopt', descriptors });
  else for (const descriptor of descriptors) closeSync(descriptor);
}
