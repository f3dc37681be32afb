/**
 * Looks at what a thread that stands still is running: for code of plugins that no hook's mark speaks of, after an `await` or in a timer.
 */
import { withDebugger } from './thread-debugger.ts';
import type { ThreadDebugger } from './thread-debugger.ts';

/** What is on the stack of a thread. */
export interface SeenPlugin {
  readonly name: string;
  /** The load that its code is of. */
  readonly load: number;
}

export interface StackLookOptions {
  /** Of the thread, as Node counts. */
  readonly threadId: number;
  /** Between two looks: what happens to run in a thread that is short of time is another thing by then. @default 150 */
  readonly betweenMs?: number;
  /** @default 2000 */
  readonly withinMs?: number;
}

/** A plugin's modules have its name and the number of its load in their URLs. */
const tag = /[?&]plugin=([^&]+)&g=(\d+)/;

/** The plugin whose code the thread was in at both of two looks; undefined where there is none, or it could not be stopped. Never rejects. */
export function pluginOnStack({
  threadId,
  betweenMs = 150,
  withinMs = 2000,
}: StackLookOptions): Promise<SeenPlugin | undefined> {
  return withDebugger(threadId, withinMs, async (thread) => {
    const first = await look(thread);
    if (first === undefined) return undefined;
    await new Promise((resolve) => setTimeout(resolve, betweenMs));
    const second = await look(thread);
    return second?.load === first.load ? second : undefined;
  });
}

/** The plugin whose code is nearest to the top of the stack. */
async function look(thread: ThreadDebugger): Promise<SeenPlugin | undefined> {
  const frames = await thread.pause();
  await thread.resume();
  for (const { url } of frames) {
    const [, name, load] = tag.exec(url) ?? [];
    if (name !== undefined && load !== undefined) return { name: decodeURIComponent(name), load: Number(load) };
  }
  return undefined;
}
