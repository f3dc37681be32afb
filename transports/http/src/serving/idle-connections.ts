import type { Socket } from 'node:net';
import { openDescriptorCalls } from './duplicate-descriptor.ts';

/** The registered symbol under which a serving thread's realm has what gives its idle connections away. */
export const idleConnectionsKey = 'bifrost.giveIdleConnections';

/**
 * Has the supervisor take the idle connections of this thread while it stands still (`rescue-connections.ts`): called by the debugger, in
 * the middle of whatever blocks the thread. `takeIdle` gives the sockets that have nothing read and nothing to write.
 */
export async function offerIdleConnections(takeIdle: () => readonly Socket[]): Promise<void> {
  const { duplicate } = await openDescriptorCalls();
  const give = (): readonly number[] => {
    const given: number[] = [];
    for (const socket of takeIdle()) {
      const copy = duplicate(descriptorOf(socket));
      // The connection lives on in the copy; this thread cannot read from it any more.
      socket.destroy();
      if (copy >= 0) given.push(copy);
    }
    return given;
  };
  Object.defineProperty(globalThis, Symbol.for(idleConnectionsKey), { value: give, configurable: true });
}

/** Node has no other name for it. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle: { readonly fd: number } | null };
  return handle?.fd ?? -1;
}
