/**
 * Reloads a plugin again and again while streams are live and requests come in beside them, and looks at every answer: none may fail,
 * none may be cut, and each must be of one generation of the plugin from its head to its last chunk. The plugin is that of the contract
 * suite, whose stamp stands in the header `x-stamp` and, as `[stamp]`, in the place of every text of a stream.
 */
import { Agent, request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

/** Which gateway is loaded, how much, and how its plugin is reloaded meanwhile. */
export interface ReloadOptions {
  /** The gateway's base URL. */
  readonly url: string;
  /** Loads the plugin anew with this stamp; resolves when the gateway says that it serves. */
  readonly reload: (stamp: string) => Promise<void>;
  /** Streams that are live at any time. */
  readonly streams: number;
  readonly reloads: number;
  /** From the begin of one reload to the next, in milliseconds, where they are fast enough. */
  readonly everyMs: number;
  /** How long all streams are live before the first reload. @default until each has been there once */
  readonly warmMs?: number;
  /** Requests per second beside the streams. */
  readonly rate: number;
  /** Model of a stream; its answer has `chunks` texts. */
  readonly streamModel: string;
  readonly chunks: number;
  readonly plainModel: string;
  /** Called after each reload, for measurements; the next one waits for it. */
  readonly onReload?: (reload: number) => void | Promise<void>;
}

/** Not answered as it should be; ended before its end; not of one generation from its head to its last chunk. */
export type ReloadFault = 'failed' | 'cut' | 'mixed';

/** What was seen of all answers; nothing is wrong where `faultCounts` are all 0. */
export interface ReloadReport {
  readonly streams: number;
  readonly requests: number;
  readonly chunks: number;
  /** Streams that saw one generation end and another begin while they were live. */
  readonly spanning: number;
  /** What was wrong with the first answers that were: nothing may be. */
  readonly faults: readonly string[];
  /** How many were wrong, by kind. */
  readonly faultCounts: Readonly<Record<ReloadFault, number>>;
  /** Stamps that answers had. */
  readonly generations: number;
  /** Milliseconds that each reload took, as its caller saw it. */
  readonly reloadMs: readonly number[];
  readonly requestMs: readonly number[];
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const maxFaults = 20;
const idleMs = 20_000;

class ReloadRun {
  readonly #options: ReloadOptions;
  // Idle connections are closed from here, long before the gateway does: else one may be used just as it is being closed.
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, timeout: idleMs });
  readonly #stamps = new Set<string>();
  readonly #faults: string[] = [];
  readonly #faultCounts: Record<ReloadFault, number> = { failed: 0, cut: 0, mixed: 0 };
  readonly #requestMs: number[] = [];
  #streams = 0;
  #chunks = 0;
  #spanning = 0;
  #reload = 0;
  #isOver = false;

  constructor(options: ReloadOptions) {
    this.#options = options;
  }

  async run(): Promise<ReloadReport> {
    const { streams, reloads } = this.#options;
    const streaming = Array.from({ length: streams }, (_, index) => this.#keepStreaming(index));
    const asking = this.#keepAsking();
    const reloadMs: number[] = [];
    // Streams are all there, and some of them over, before the first reload.
    const begunAt = performance.now();
    while (this.#streams < streams && this.#faults.length < maxFaults) await pause(50);
    await pause(Math.max(0, (this.#options.warmMs ?? 0) - (performance.now() - begunAt)));
    for (let number = 1; number <= reloads && this.#faults.length < maxFaults; number += 1) {
      const startedAt = performance.now();
      await this.#options.reload(`g${number}`);
      this.#reload = number;
      reloadMs.push(performance.now() - startedAt);
      // What begins after the gateway's word is of the new generation, on whatever connection it comes.
      const { status, headers } = await this.#ask();
      if (status === 200 && headers['x-stamp'] !== `g${number}`)
        this.#fault('mixed', `after reload ${number} an answer had the stamp ${String(headers['x-stamp'])}`);
      await this.#options.onReload?.(number);
      await pause(Math.max(0, this.#options.everyMs - (performance.now() - startedAt)));
    }
    this.#isOver = true;
    await Promise.all([...streaming, asking]);
    this.#agent.destroy();
    return {
      streams: this.#streams,
      requests: this.#requestMs.length,
      chunks: this.#chunks,
      spanning: this.#spanning,
      faults: this.#faults,
      faultCounts: this.#faultCounts,
      generations: this.#stamps.size,
      reloadMs,
      requestMs: this.#requestMs,
    };
  }

  async #keepStreaming(index: number): Promise<void> {
    const { streams, streamModel } = this.#options;
    // Not all at once: a second to spread them.
    await pause((index * 1000) / streams);
    while (!this.#isOver && this.#faults.length < maxFaults) {
      const before = this.#reload;
      try {
        this.#judgeStream(await this.#post(streamModel, true));
      } catch (error) {
        this.#fault('cut', `a stream was cut: ${String(error)}`);
      }
      if (this.#reload !== before) this.#spanning += 1;
    }
  }

  /** By the clock, whether or not the ones before are answered. */
  async #keepAsking(): Promise<void> {
    const { rate } = this.#options;
    const startedAt = performance.now();
    const open = new Set<Promise<unknown>>();
    for (let sent = 0; !this.#isOver && this.#faults.length < maxFaults; sent += 1) {
      const dueAt = startedAt + (sent * 1000) / rate;
      if (dueAt > performance.now()) await pause(dueAt - performance.now());
      const asked = this.#ask();
      open.add(asked);
      void asked.finally(() => open.delete(asked));
    }
    await Promise.all(open);
  }

  /** One request that is no stream; never rejects. */
  async #ask(): Promise<Answer> {
    const startedAt = performance.now();
    try {
      const answer = await this.#post(this.#options.plainModel, false);
      this.#requestMs.push(performance.now() - startedAt);
      const stamp = String(answer.headers['x-stamp']);
      if (answer.status !== 200 || !answer.text.includes('"choices"'))
        this.#fault('failed', `a request was answered with ${answer.status}: ${answer.text.slice(0, 200)}`);
      else if (!/^g\d+$/.test(stamp)) this.#fault('failed', `a request went past the plugin: its stamp is ${stamp}`);
      else this.#stamps.add(stamp);
      return answer;
    } catch (error) {
      this.#fault('failed', `a request failed: ${String(error)}`);
      return { status: 0, headers: {}, text: '' };
    }
  }

  #judgeStream({ status, headers, text }: Answer): void {
    this.#streams += 1;
    const found = [...text.matchAll(/\[(g\d+)\]/g)].map((match) => match[1]);
    this.#chunks += found.length;
    const stamps = new Set([headers['x-stamp'], ...found]);
    if (status !== 200) this.#fault('failed', `a stream was answered with ${status}: ${text.slice(0, 200)}`);
    else if (!text.trimEnd().endsWith('data: [DONE]'))
      this.#fault('cut', `a stream has no end: ...${text.slice(-200)}`);
    else if (found.length !== this.#options.chunks)
      this.#fault('cut', `a stream has ${found.length} stamped texts of ${this.#options.chunks}`);
    else if (stamps.size !== 1) this.#fault('mixed', `a stream is of several generations: ${[...stamps].join(', ')}`);
    else this.#stamps.add(String(headers['x-stamp']));
  }

  #fault(kind: ReloadFault, text: string): void {
    this.#faultCounts[kind] += 1;
    if (this.#faults.length < maxFaults) this.#faults.push(text);
  }

  /** Rejects where the connection breaks before the answer is whole. */
  #post(model: string, isStream: boolean): Promise<Answer> {
    const body = JSON.stringify({ model, stream: isStream, messages: [{ role: 'user', content: 'x' }] });
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    return new Promise<Answer>((resolve, reject) => {
      const sent = request(
        `${this.#options.url}/v1/chat/completions`,
        { method: 'POST', agent: this.#agent, headers },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('error', reject);
          response.on('close', () => {
            const text = Buffer.concat(parts).toString('utf8');
            if (response.complete) resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
            else reject(new Error(`the answer ended after ${text.length} characters`));
          });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Runs the load until the last reload is made and the last stream has ended. Resolves also where answers were wrong. */
export function reloadUnderLoad(options: ReloadOptions): Promise<ReloadReport> {
  return new ReloadRun(options).run();
}
