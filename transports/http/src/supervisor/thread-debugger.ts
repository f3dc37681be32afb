/**
 * Node's own debugger at work on a thread of this process that stands still. It is stopped from outside, so requests pay nothing for it; a
 * thread that is in code other than JavaScript and WebAssembly does not stop.
 */
import type { Session } from 'node:inspector';

/** Where a stopped thread is: innermost first. */
export interface StackFrame {
  /** Of the module. */
  readonly url: string;
}

interface RawFrame {
  readonly url: string;
  readonly location: { readonly scriptId: string };
}

interface DebuggerMessage {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly scriptId?: string; readonly url?: string; readonly callFrames?: readonly RawFrame[] };
  readonly result?: { readonly result?: { readonly value?: unknown } };
}

const releaseWithinMs = 300;

/** The debugger of one thread. What it promises stays open where the thread cannot be stopped. */
export class ThreadDebugger {
  readonly #session: Session;
  readonly #sessionId: string;
  readonly #urls = new Map<string, string>();
  readonly #answers = new Map<number, (value: unknown) => void>();
  #onPaused: ((frames: readonly RawFrame[]) => void) | undefined;
  #lastId = 0;

  constructor(session: Session, sessionId: string) {
    this.#session = session;
    this.#sessionId = sessionId;
    this.#send('Debugger.enable');
  }

  receive({ id, method, params = {}, result }: DebuggerMessage): void {
    const { scriptId, url, callFrames } = params;
    if (method === 'Debugger.scriptParsed' && scriptId !== undefined && url !== undefined)
      this.#urls.set(scriptId, url);
    if (method === 'Debugger.paused' && callFrames !== undefined) this.#onPaused?.(callFrames);
    if (id !== undefined) this.#answers.get(id)?.(result?.result?.value);
  }

  /** Stops the thread. */
  async pause(): Promise<readonly StackFrame[]> {
    const { promise, resolve } = Promise.withResolvers<readonly RawFrame[]>();
    this.#onPaused = resolve;
    this.#send('Debugger.pause');
    const frames = await promise;
    return frames.map(({ url, location }) => ({ url: url === '' ? (this.#urls.get(location.scriptId) ?? '') : url }));
  }

  /** Resolves when it runs again. */
  async resume(): Promise<void> {
    await this.#ask('Debugger.resume');
  }

  /** Lets go of the thread: whether it is stopped or still to be stopped, it runs. To disconnect alone would leave it stopped for ever. */
  async release(): Promise<void> {
    this.#send('Debugger.resume');
    await this.#ask('Debugger.disable');
  }

  /** What an expression is in the stopped thread, as JSON has it; undefined where it throws. */
  evaluate(expression: string): Promise<unknown> {
    return this.#ask('Runtime.evaluate', { expression, returnByValue: true, silent: true });
  }

  async #ask(method: string, params?: object): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    // The answer may come before the message is posted, as far as this thread can tell.
    this.#answers.set(this.#lastId + 1, resolve);
    this.#send(method, params);
    return promise;
  }

  #send(method: string, params: object = {}): void {
    this.#lastId += 1;
    const message = JSON.stringify({ id: this.#lastId, method, params });
    this.#session.post('NodeWorker.sendMessageToWorker', { sessionId: this.#sessionId, message });
  }
}

/**
 * Does something with a thread (as Node counts) that stands still; it goes on afterwards. Undefined where it could not be stopped
 * `withinMs`. Never rejects.
 */
export async function withDebugger<Result>(
  threadId: number,
  withinMs: number,
  work: (thread: ThreadDebugger) => Promise<Result>,
): Promise<Result | undefined> {
  const { Session: InspectorSession } = await import('node:inspector');
  const session = new InspectorSession();
  const attached: ThreadDebugger[] = [];
  try {
    session.connect();
    const working = attach(session, threadId).then((thread) => {
      attached.push(thread);
      return work(thread);
    });
    return await within(working, withinMs);
  } catch {
    // A Node without an inspector.
    return undefined;
  } finally {
    // One that cannot be stopped does not answer.
    for (const thread of attached) await within(thread.release(), releaseWithinMs);
    session.disconnect();
  }
}

async function within<Result>(work: Promise<Result>, ms: number): Promise<Result | undefined> {
  const { promise: deadline, resolve: expire } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => expire(undefined), ms);
  try {
    return await Promise.race([deadline, work]);
  } finally {
    clearTimeout(timer);
  }
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
