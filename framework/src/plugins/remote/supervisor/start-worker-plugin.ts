/** `worker` isolation: the plugin in a thread of its own. */
import { MessageChannel } from 'node:worker_threads';
import type { Worker } from 'node:worker_threads';
import { hookNames } from '@bifrost/sdk';
import type { HookName } from '@bifrost/sdk';
import { realmEntry, startThread } from '../../../realms/index.ts';
import type { RealmEntry, ThreadOptions } from '../../../realms/index.ts';
import type { ToRunner } from '../control.ts';
import { FrameError } from '../frame-codec.ts';
import type { RemoteChannel, RemotePlugin } from '../remote-plugin.ts';
import type { ToWorker, WorkerStart } from '../runner/worker-main.ts';
import { readOutputLines } from './output-lines.ts';
import { readControl } from './read-control.ts';
import type { Realm, RealmEvents } from './realm.ts';
import { grantedEnvironment } from './remote-options.ts';
import type { RemotePluginOptions } from './remote-options.ts';
import { memoryLimitOf, runnerStartOf } from './runner-start.ts';
import { SupervisedPlugin } from './supervised-plugin.ts';

const workerEntry = realmEntry('plugin-worker', new URL('../runner/worker-main.ts', import.meta.url));

/** A thread that does not end in this time hangs in native code and is left to itself. */
const terminateMs = 1000;
/** A thread that was busy for less since its memory was last looked at is not looked at again. */
const idleMs = 0.5;
/** Above the limit that is watched, in MB: where the engine's own limit is met, the whole process is ended. */
const hardLimitAboveMb = 8192;
/** For objects that die young: as in a process of its own, where the engine else takes up to 100 MB before it first collects. */
const youngGenerationMb = 24;

export interface WorkerPluginOptions extends RemotePluginOptions {
  /** Starts a thread on our entry. @default `startThread` of the realms */
  readonly startThread?: (entry: RealmEntry, options: ThreadOptions) => Worker;
}

class WorkerRealm implements Realm {
  readonly kind = 'worker';
  readonly #worker: Worker;
  readonly #activity: Int32Array;
  readonly #exited = Promise.withResolvers<void>();
  #lastActive = 0;
  #cpu = { active: 0, ms: 0 };
  #channels = 0;
  #failure: string | undefined;

  constructor(options: WorkerPluginOptions, events: RealmEvents) {
    const activity = new SharedArrayBuffer(4);
    this.#activity = new Int32Array(activity);
    const data: WorkerStart = {
      start: runnerStartOf(options),
      activity,
      ...(options.shared === undefined ? {} : { shared: options.shared }),
    };
    this.#worker = (options.startThread ?? startThread)(workerEntry, {
      name: `plugin ${options.entry.name}`,
      workerData: data,
      env: grantedEnvironment(options),
      stdin: false,
      stdout: true,
      stderr: true,
      trackUnmanagedFds: true,
      resourceLimits: {
        maxOldGenerationSizeMb: Math.ceil(memoryLimitOf(options) / 1_048_576) + hardLimitAboveMb,
        maxYoungGenerationSizeMb: youngGenerationMb,
      },
    });
    readOutputLines(this.#worker.stdout, (line) => events.onOutput(line, false));
    readOutputLines(this.#worker.stderr, (line) => events.onOutput(line, true));
    this.#worker.on('message', (said: unknown) => this.#receive(said, events));
    this.#worker.on('error', (error: unknown) => {
      this.#failure = `failed: ${error instanceof Error ? error.message : String(error)}`;
    });
    this.#worker.on('exit', (code) => {
      this.#exited.resolve();
      events.onEnd(this.#failure ?? `exited with code ${code}`, this.currentHook());
    });
  }

  send(message: ToRunner): void {
    this.#worker.postMessage(message satisfies ToWorker);
  }

  openChannel(): RemoteChannel {
    const { port1, port2 } = new MessageChannel();
    this.#channels += 1;
    const message: ToWorker = { kind: 'open', channel: this.#channels, port: port1 };
    this.#worker.postMessage(message, [port1]);
    return { kind: 'port', port: port2 };
  }

  async sampleMemory(): Promise<number | undefined> {
    const { active } = this.#worker.performance.eventLoopUtilization();
    // A thread that has done next to nothing has not grown: asking it would only wake it up.
    if (active - this.#lastActive < idleMs) return undefined;
    this.#lastActive = active;
    try {
      const { total_heap_size: heap, external_memory: external } = await this.#worker.getHeapStatistics();
      return heap + external;
    } catch {
      return undefined; // it is ending
    }
  }

  async sampleCpu(): Promise<number | undefined> {
    const { active } = this.#worker.performance.eventLoopUtilization();
    if (active - this.#cpu.active < idleMs) return this.#cpu.ms;
    try {
      const { user, system } = await this.#worker.cpuUsage();
      this.#cpu = { active, ms: (user + system) / 1000 };
      return this.#cpu.ms;
    } catch {
      return undefined; // it is ending
    }
  }

  currentHook(): HookName | undefined {
    return hookNames[Atomics.load(this.#activity, 0) - 1];
  }

  /** The plugin can reach the port of its thread: what comes may be its own. */
  #receive(said: unknown, events: RealmEvents): void {
    try {
      const message = readControl(said);
      if (message !== undefined) events.onMessage(message);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#failure ??= `was ended: it posted what is no message: ${error.message}`;
      void this.#worker.terminate();
    }
  }

  async kill(): Promise<void> {
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(timeout.resolve, terminateMs);
    void this.#worker.terminate();
    await Promise.race([this.#exited.promise, timeout.promise]);
    clearTimeout(timer);
  }
}

/** Starts the plugin in a thread. Rejects with PluginError as an inline load does. */
export function startWorkerPlugin(options: WorkerPluginOptions): Promise<RemotePlugin> {
  return SupervisedPlugin.start(options, (events) => new WorkerRealm(options, events));
}
