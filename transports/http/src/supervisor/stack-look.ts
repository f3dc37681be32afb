/**
 * Looks at what a thread that stands still is running: for code of plugins that no hook's mark speaks of, after an `await` or in a timer.
 * Node's own debugger stops the thread twice, from outside, so requests pay nothing for it; a thread that loops in code other than
 * JavaScript and WebAssembly is not stopped, and nobody is named.
 */
import type { Session } from 'node:inspector';

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

interface Frame {
  readonly url: string;
  readonly location: { readonly scriptId: string };
}

interface DebuggerMessage {
  readonly method?: string;
  readonly params?: { readonly scriptId?: string; readonly url?: string; readonly callFrames?: readonly Frame[] };
}

/** The debugger of one thread. */
class ThreadDebugger {
  readonly #session: Session;
  readonly #sessionId: string;
  readonly #urls = new Map<string, string>();
  #onPaused: ((frames: readonly Frame[]) => void) | undefined;
  #lastId = 0;

  constructor(session: Session, sessionId: string) {
    this.#session = session;
    this.#sessionId = sessionId;
    this.#send('Debugger.enable');
  }

  receive({ method, params = {} }: DebuggerMessage): void {
    const { scriptId, url, callFrames } = params;
    if (method === 'Debugger.scriptParsed' && scriptId !== undefined && url !== undefined)
      this.#urls.set(scriptId, url);
    if (method === 'Debugger.paused' && callFrames !== undefined) this.#onPaused?.(callFrames);
  }

  /** Stops the thread for a moment; the plugin whose code is nearest to the top of its stack. Settles when it could be stopped. */
  async look(): Promise<SeenPlugin | undefined> {
    const { promise, resolve } = Promise.withResolvers<readonly Frame[]>();
    this.#onPaused = resolve;
    this.#send('Debugger.pause');
    const frames = await promise;
    this.#send('Debugger.resume');
    for (const { url, location } of frames) {
      const [, name, load] = tag.exec(url === '' ? (this.#urls.get(location.scriptId) ?? '') : url) ?? [];
      if (name !== undefined && load !== undefined) return { name: decodeURIComponent(name), load: Number(load) };
    }
    return undefined;
  }

  #send(method: string): void {
    this.#lastId += 1;
    const message = JSON.stringify({ id: this.#lastId, method, params: {} });
    this.#session.post('NodeWorker.sendMessageToWorker', { sessionId: this.#sessionId, message });
  }
}

/** The plugin whose code the thread was in at both of two looks; undefined where there is none, or it could not be stopped. Never rejects. */
export async function pluginOnStack({
  threadId,
  betweenMs = 150,
  withinMs = 2000,
}: StackLookOptions): Promise<SeenPlugin | undefined> {
  const { Session: InspectorSession } = await import('node:inspector');
  const session = new InspectorSession();
  const { promise: deadline, resolve: expire } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => expire(undefined), withinMs);
  try {
    session.connect();
    return await Promise.race([deadline, lookTwice(session, threadId, betweenMs)]);
  } catch {
    // A Node without an inspector: nobody is named.
    return undefined;
  } finally {
    clearTimeout(timer);
    // A thread that is still stopped goes on.
    session.disconnect();
  }
}

async function lookTwice(session: Session, threadId: number, betweenMs: number): Promise<SeenPlugin | undefined> {
  const thread = await attach(session, threadId);
  const first = await thread.look();
  if (first === undefined) return undefined;
  await new Promise((resolve) => setTimeout(resolve, betweenMs));
  const second = await thread.look();
  return second?.load === first.load ? second : undefined;
}

function attach(session: Session, threadId: number): Promise<ThreadDebugger> {
  return new Promise((resolve, reject) => {
    let thread: ThreadDebugger | undefined;
    let own = '';
    session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
      if (!workerInfo.title.startsWith(`[worker ${threadId}]`)) return;
      own = sessionId;
      thread = new ThreadDebugger(session, sessionId);
      resolve(thread);
    });
    session.on('NodeWorker.receivedMessageFromWorker', ({ params: { sessionId, message } }) => {
      // Written by Node.
      if (sessionId === own) thread?.receive(JSON.parse(message) as DebuggerMessage);
    });
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, (error) => {
      if (error !== null) reject(error);
    });
  });
}
