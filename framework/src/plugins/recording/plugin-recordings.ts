/** The recordings of one serving thread: begun and ended while it serves, one for each plugin at most. */
import type { CallRecorder, RecordedCall } from '@bifrost/core';
import type { RequestFacts } from '@bifrost/sdk';
import { CaptureRecorder } from './capture-recorder.ts';
import type { CaptureOptions, CaptureSummary } from './capture-recorder.ts';

/** How long after its time a recording waits for requests that are still under way, in milliseconds. */
const lingerMs = 5000;

interface Running {
  readonly recorder: CaptureRecorder;
  readonly timer: NodeJS.Timeout;
}

/** For `PluginHostOptions.recorder`. While nothing is recorded, a request costs one look at an empty map. */
export class PluginRecordings implements CallRecorder {
  readonly #running = new Map<string, Running>();
  readonly #onEnded: (summary: CaptureSummary) => void;

  /** `onEnded` is told of each recording that was closed. Must not throw. */
  constructor(onEnded: (summary: CaptureSummary) => void = () => undefined) {
    this.#onEnded = onEnded;
  }

  wants(facts: RequestFacts): boolean {
    if (this.#running.size === 0) return false;
    let isWanted = false;
    for (const { recorder } of this.#running.values()) isWanted = recorder.wants(facts) || isWanted;
    return isWanted;
  }

  record(call: RecordedCall): void {
    this.#running.get(call.plugin)?.recorder.record(call);
  }

  /** Begins a recording, in the place of the plugin's one that runs; returns its file. Throws where the folder cannot be made. */
  start(options: CaptureOptions): string {
    void this.stop(options.plugin);
    const recorder = new CaptureRecorder(options);
    const timer = setTimeout(() => void this.stop(options.plugin), (options.maxMs ?? 60_000) + lingerMs).unref();
    this.#running.set(options.plugin, { recorder, timer });
    return recorder.file;
  }

  /** Ends the plugin's recording; undefined where there is none. Never rejects. */
  async stop(plugin: string): Promise<CaptureSummary | undefined> {
    const running = this.#running.get(plugin);
    if (running === undefined) return undefined;
    this.#running.delete(plugin);
    clearTimeout(running.timer);
    const summary = await running.recorder.close();
    this.#onEnded(summary);
    return summary;
  }

  /** Ends all of them: before the thread does. Never rejects. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((plugin) => this.stop(plugin)));
  }
}
