/** The recordings of the whole gateway: begun and ended at run time, one for each plugin at most, in one file for all threads. */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '@bifrost/sdk';
import { openCaptureKey } from './capture-key.ts';
import { CaptureRecorder } from './capture-recorder.ts';
import type { CaptureSummary } from './capture-recorder.ts';
import type { RecordedBatch, RecordingFilter, RecordingOrder } from './recording-order.ts';

/** Beside the files; `bifrost plugin replay` looks for it there. */
export const captureKeyName = 'recordings.key';
const fileName = /^[A-Za-z0-9][A-Za-z0-9._-]*\.bfcap$/;

/** How long after its last request was taken a recording waits for requests that are still under way, in milliseconds. */
const lingerMs = 5000;
/** How long a thread may take for its last word. */
const lastWordMs = 1000;

export interface RecordingRequest {
  readonly plugin: string;
  readonly filter: RecordingFilter;
  readonly maxRequests: number;
  readonly maxBytes: number;
  readonly maxMs: number;
}

/** A recording that runs, as far as it has come. */
export interface RunningRecording extends RecordingRequest {
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly requests: number;
  readonly calls: number;
  readonly bytes: number;
  /** False: it waits for the requests that it has taken. */
  readonly isTaking: boolean;
}

export interface RecordingFile {
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
}

interface Running {
  readonly request: RecordingRequest;
  readonly order: RecordingOrder;
  readonly recorder: CaptureRecorder;
  readonly startedAt: number;
  readonly timer: NodeJS.Timeout;
  isTaking: boolean;
  /** Threads whose last word is waited for. */
  missing: number;
  readonly said: { readonly promise: Promise<void>; readonly resolve: () => void };
}

export interface RecordingDeskOptions {
  /** Where the files and their key are. */
  readonly directory: string;
  /** Tells all serving threads what is recorded from now on; returns how many were told. Threads that start later ask for `orders`. */
  readonly announce: (orders: readonly RecordingOrder[]) => number;
  /** Told of each recording that has ended. Must not throw. */
  readonly onEnded?: (plugin: string, summary: CaptureSummary) => void;
}

export class RecordingDesk {
  readonly #options: RecordingDeskOptions;
  readonly #running = new Map<string, Running>();
  /** By number, those included whose threads have been told that they are over. */
  readonly #byId = new Map<number, Running>();
  #lastId = 0;

  constructor(options: RecordingDeskOptions) {
    this.#options = options;
  }

  /** What a thread that starts is to record. */
  get orders(): readonly RecordingOrder[] {
    return [...this.#running.values()].map(({ order, isTaking }) => ({ ...order, isTaking }));
  }

  /** Begins a recording. Throws GatewayError 409 where one of the plugin runs, and what keeps the file from being made. */
  start(request: RecordingRequest): RunningRecording {
    const { plugin, filter, maxRequests, maxBytes, maxMs } = request;
    if (this.#running.has(plugin)) {
      throw new GatewayError(`the calls of plugin "${plugin}" are being recorded already; end that recording first`, {
        code: 'BF_PLUGIN_RECORDING_RUNS',
        statusCode: 409,
      });
    }
    const { directory } = this.#options;
    const key = openCaptureKey(join(directory, captureKeyName));
    const recorder = new CaptureRecorder({ plugin, directory, key, maxRequests, maxBytes, maxMs });
    this.#lastId += 1;
    const order = { id: this.#lastId, plugin, filter, maxRequests, isTaking: true, waiting: new SharedArrayBuffer(4) };
    const timer = setTimeout(() => this.#takeNoMore(plugin), maxMs).unref();
    const said = Promise.withResolvers<void>();
    const running = { request, order, recorder, startedAt: Date.now(), timer, isTaking: true, missing: 0, said };
    this.#running.set(plugin, running);
    this.#byId.set(order.id, running);
    this.#options.announce(this.orders);
    return viewOf(running);
  }

  get allRunning(): readonly RunningRecording[] {
    return [...this.#running.values()].map(viewOf);
  }

  running(plugin: string): RunningRecording | undefined {
    const running = this.#running.get(plugin);
    return running === undefined ? undefined : viewOf(running);
  }

  /** What a thread has sent. */
  receive({ id, lines, leftOut, isLast }: RecordedBatch): void {
    const running = this.#byId.get(id);
    if (running === undefined) return;
    const { recorder, order } = running;
    const characters = lines.reduce((sum, { line }) => sum + line.length, 0);
    void recorder.take(lines, leftOut).then(() => Atomics.sub(new Int32Array(order.waiting), 0, characters));
    if (running.isTaking && !recorder.isRecording) this.#takeNoMore(order.plugin);
    // A thread that ends by itself says its last word unasked.
    if (!isLast || running.missing === 0) return;
    running.missing -= 1;
    if (running.missing === 0) running.said.resolve();
  }

  /** Ends the plugin's recording; undefined where there is none. Never rejects. */
  async stop(plugin: string): Promise<CaptureSummary | undefined> {
    const running = this.#running.get(plugin);
    if (running === undefined) return undefined;
    this.#running.delete(plugin);
    clearTimeout(running.timer);
    running.missing = this.#options.announce(this.orders);
    const deadline = setTimeout(running.said.resolve, lastWordMs);
    if (running.missing > 0) await running.said.promise;
    clearTimeout(deadline);
    this.#byId.delete(running.order.id);
    const summary = await running.recorder.close();
    this.#options.onEnded?.(plugin, summary);
    return summary;
  }

  /** Ends all of them. Never rejects. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((plugin) => this.stop(plugin)));
  }

  /** The files that are complete, newest first. */
  async files(): Promise<readonly RecordingFile[]> {
    const names = await readdir(this.#options.directory).catch(() => []);
    const open = new Set([...this.#byId.values()].map(({ recorder }) => recorder.file));
    const seen = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#options.directory, name);
        if (!fileName.test(name) || open.has(path)) return [];
        const facts = await stat(path).catch(() => undefined);
        return facts === undefined ? [] : [{ name, bytes: facts.size, endedAt: facts.mtimeMs }];
      }),
    );
    return seen.flat().toSorted((a, b) => b.endedAt - a.endedAt);
  }

  /** The bytes of a file. Rejects with GatewayError 404. */
  async read(name: string): Promise<Uint8Array> {
    return readFile(await this.#pathOf(name));
  }

  /** Rejects with GatewayError 404. */
  async delete(name: string): Promise<void> {
    await rm(await this.#pathOf(name));
  }

  async #pathOf(name: string): Promise<string> {
    if ((await this.files()).some((file) => file.name === name)) return join(this.#options.directory, name);
    throw new GatewayError(`there is no recording ${JSON.stringify(name.slice(0, 200))} that has ended`, {
      code: 'BF_PLUGIN_RECORDING_UNKNOWN',
      statusCode: 404,
    });
  }

  /** Its bounds are reached: requests under way may end. */
  #takeNoMore(plugin: string): void {
    const running = this.#running.get(plugin);
    if (running === undefined || !running.isTaking) return;
    running.isTaking = false;
    this.#options.announce(this.orders);
    setTimeout(() => {
      // By then another one may run for the plugin.
      if (this.#running.get(plugin) === running) void this.stop(plugin);
    }, lingerMs).unref();
  }
}

/** The error of a look at a recording that there is not: 404. */
export function notRecorded(plugin: string): GatewayError {
  return new GatewayError(`the calls of plugin "${plugin}" are not being recorded`, {
    code: 'BF_PLUGIN_RECORDING_UNKNOWN',
    statusCode: 404,
  });
}

function viewOf({ request, recorder, startedAt, isTaking }: Running): RunningRecording {
  const { file, progress } = recorder;
  return { ...request, file, startedAt, isTaking, ...progress };
}
