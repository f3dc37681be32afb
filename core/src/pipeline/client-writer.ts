import type { ErrorInfo } from '@bifrost/sdk';
import type { PluginRun } from '../plugins/chain.ts';
import { errorBody } from './error-body.ts';
import { beginHeaders, safeHeaderValue } from './response-headers.ts';
import { serverTiming } from './server-timing.ts';
import type { RequestRun } from './run.ts';

/** What a slow client pauses. */
export interface PausableSource {
  pause(): void;
  resume(): void;
}

/** What hooks take between the forming of the head and its leaving is not worth another one below this. */
const noticeableMs = 0.1;

type ClientHeaders = Record<string, string | readonly string[]>;

/**
 * Writes one answer to the client's sink: head, bytes, end. A slow client pauses the source until it has read. A plugin that
 * looks at the head may take its time: what is written meanwhile is kept and goes out behind it.
 */
export class ClientWriter {
  readonly #run: RequestRun;
  #source: PausableSource | null = null;
  #state: 'new' | 'waiting' | 'open' | 'ended' = 'new';
  #isBlocked = false;
  #isHeld = false;
  /** Written while a plugin judges the head. */
  #kept: (Uint8Array | string)[] | undefined = undefined;
  #isEndKept = false;
  /** Settles once a plugin that takes its time has judged the head; null where none does. Until then nothing is out. */
  opening: Promise<void> | null = null;

  constructor(run: RequestRun) {
    this.#run = run;
  }

  /** True once status and headers are decided. */
  get isCommitted(): boolean {
    return this.#state !== 'new';
  }

  get isEnded(): boolean {
    return this.#state === 'ended' || this.#isEndKept;
  }

  /** Names what to pause while the client reads too slowly. */
  attach(source: PausableSource | null): void {
    this.#source = source;
    if (this.#isBlocked || this.#isHeld) source?.pause();
  }

  /** Pauses the source, as a slow client does, while what it brought is still with a hook that takes its time. */
  hold(): void {
    this.#isHeld = true;
    this.#source?.pause();
  }

  /** Takes `hold` back. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#resumeSource();
  }

  /** Commits status and headers, once; plugins may change the headers before. Later calls do nothing. */
  begin(statusCode: number, headers: ClientHeaders): void {
    if (this.#state !== 'new') return;
    const { needs, plugins, sink } = this.#run;
    this.#run.statusCode = statusCode;
    if (plugins === null || needs.responseHeaders === undefined) {
      this.#state = 'open';
      const timed = needs.httpPost === undefined ? headers : this.#retimed(headers);
      if (!sink.isClosed) sink.head(statusCode, plugins === null ? timed : explained(plugins, timed));
      return;
    }
    const timed = this.#retimed(headers);
    const changes = plugins.responseHeaders({ statusCode, headers: timed });
    if (!(changes instanceof Promise)) {
      this.#open(statusCode, timed, changes);
      return;
    }
    this.#state = 'waiting';
    this.#block();
    this.opening = changes.then((late) => this.#open(statusCode, timed, late));
  }

  write(chunk: Uint8Array | string): void {
    if (this.#state === 'waiting') (this.#kept ??= []).push(chunk);
    else if (this.#state === 'open' && !this.#run.sink.isClosed && !this.#run.sink.write(chunk)) this.#block();
  }

  end(chunk?: Uint8Array | string): void {
    if (this.#state === 'waiting') {
      if (chunk !== undefined) (this.#kept ??= []).push(chunk);
      this.#isEndKept = true;
    } else if (this.#state === 'open') {
      this.#state = 'ended';
      if (!this.#run.sink.isClosed) this.#run.sink.end(chunk);
    }
  }

  /**
   * Answers with a guard's denial in the place of everything else: no head has gone out, what was kept is dropped, what is still
   * written goes nowhere, and what is under way for the client is given up.
   */
  deny(denial: ErrorInfo): void {
    const run = this.#run;
    this.#state = 'ended';
    this.#kept = undefined;
    run.error = denial;
    run.statusCode = denial.statusCode;
    const headers = beginHeaders(run, 'application/json');
    const body = Buffer.from(JSON.stringify(errorBody(run, denial)));
    if (!run.sink.isClosed) {
      run.sink.head(denial.statusCode, { ...headers, 'content-length': String(body.length) });
      run.sink.end(body);
    }
    run.cancel();
  }

  /** Breaks the connection: the body cannot be completed. */
  destroy(): void {
    this.#state = 'ended';
    this.#run.sink.destroy();
  }

  #open(
    statusCode: number,
    headers: ClientHeaders,
    changes: Readonly<Record<string, string | null>> | undefined,
  ): void {
    const { plugins, sink } = this.#run;
    // A guard that could not judge the head stops the answer here, where nothing of it has left yet.
    if (plugins?.denial !== undefined) {
      this.deny(plugins.denial);
      return;
    }
    const wasWaiting = this.#state === 'waiting';
    this.#state = 'open';
    const changed = applyHeaderChanges(this.#retimed(headers), changes);
    if (!sink.isClosed) sink.head(statusCode, plugins === null ? changed : explained(plugins, changed));
    if (!wasWaiting) return;
    this.#isBlocked = false;
    const kept = this.#kept ?? [];
    this.#kept = undefined;
    for (const chunk of kept) this.write(chunk);
    if (this.#isEndKept) this.end();
    else this.#resumeSource();
  }

  /** Hooks took their time since the head was formed: unless one of them has its own, the timing is of now. */
  #retimed(headers: ClientHeaders): ClientHeaders {
    const run = this.#run;
    const spentMs = (run.plugins?.spentMs ?? 0) - run.timedPluginMs;
    if (spentMs < noticeableMs || headers['server-timing'] !== run.timing) return headers;
    run.timing = serverTiming(run, performance.now());
    return { ...headers, 'server-timing': run.timing };
  }

  #block(): void {
    if (!this.#isBlocked) {
      this.#isBlocked = true;
      this.#source?.pause();
    }
    if (this.#state !== 'open') return;
    this.#run.sink.onDrain(() => {
      if (this.#isBlocked) this.#unblock();
    });
  }

  #unblock(): void {
    this.#isBlocked = false;
    this.#resumeSource();
  }

  #resumeSource(): void {
    if (!this.#isBlocked && !this.#isHeld) this.#source?.resume();
  }
}

/** Headers with what the plugins have decided so far, where the request asked for it. */
function explained(plugins: PluginRun, headers: ClientHeaders): ClientHeaders {
  const explanation = plugins.explanation ?? null;
  return explanation === null ? headers : { ...headers, 'x-bf-explain': safeHeaderValue(explanation.summary()) };
}

/** Headers with a plugin's changes: null removes. */
export function applyHeaderChanges(
  headers: ClientHeaders,
  changes: Readonly<Record<string, string | null>> | undefined,
): ClientHeaders {
  if (changes === undefined) return headers;
  const changed = { ...headers };
  for (const name in changes) {
    const value = changes[name];
    if (value === undefined) continue;
    if (value === null) delete changed[name.toLowerCase()];
    else changed[name.toLowerCase()] = value;
  }
  return changed;
}
