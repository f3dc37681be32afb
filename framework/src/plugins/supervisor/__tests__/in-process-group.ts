/** Serving threads without threads: plugin hosts of this realm behind the interface that the manager steers. */
import type { PluginChains } from '@bifrost/core';
import type { JsonObject } from '@bifrost/sdk';
import { hostIn } from '../../__tests__/plugin-folder.ts';
import type { PluginHost, PluginHostOptions } from '../../plugin-host.ts';
import type { PluginGeneration } from '../../plugin-generation.ts';
import type {
  ConfigQuestion,
  GenerationChange,
  ThreadAnswer,
  ThreadGroup,
  ThreadGroupObserver,
} from '../thread-group.ts';

class Thread {
  readonly number: number;
  readonly host: PluginHost;
  readonly prepared = new Map<number, PluginGeneration>();
  current: PluginGeneration | undefined;
  reserve: PluginGeneration | undefined;

  constructor(number: number, host: PluginHost) {
    this.number = number;
    this.host = host;
  }

  commit(generation: number, isReserveKept: boolean): void {
    const old = this.current;
    void this.reserve?.retire();
    this.reserve = isReserveKept ? old : undefined;
    if (!isReserveKept) void old?.retire();
    this.current = this.prepared.get(generation);
    this.prepared.delete(generation);
  }
}

export class InProcessGroup implements ThreadGroup {
  readonly threads: Thread[] = [];
  readonly lines: string[] = [];
  readonly recycled: string[] = [];
  observer: ThreadGroupObserver | undefined;
  settings: object | undefined;
  #prepared: GenerationChange | undefined;
  readonly #directory: string;
  readonly #options: Partial<PluginHostOptions>;

  constructor(threads: number, directory: string, options: Partial<PluginHostOptions> = {}) {
    this.#directory = directory;
    this.#options = options;
    for (let index = 0; index < threads; index += 1) this.#add();
  }

  #add(): Thread {
    const number = this.threads.length + 1;
    const { host, lines } = hostIn(this.#directory, {
      onReleased: (load) => this.observer?.onReleased(number, load),
      onChanged: (load) => this.observer?.onChanged(number, load),
      ...this.#options,
    });
    this.lines.push(...lines);
    const thread = new Thread(number, host);
    this.threads.push(thread);
    return thread;
  }

  observe(observer: ThreadGroupObserver): void {
    this.observer = observer;
  }

  async prepare(change: GenerationChange): Promise<readonly ThreadAnswer[]> {
    this.#prepared = change;
    const [first, ...others] = this.threads;
    if (first === undefined || change.isRightIn === undefined)
      return Promise.all(this.threads.map((thread) => prepareIn(thread, change)));
    const answer = await prepareIn(first, change);
    if (!change.isRightIn([answer])) return [answer];
    return [answer, ...(await Promise.all(others.map((thread) => prepareIn(thread, change))))];
  }

  commit(generation: number, { isReserveKept }: { readonly isReserveKept: boolean }): Promise<void> {
    for (const thread of this.threads) thread.commit(generation, isReserveKept);
    this.settings = this.#prepared?.settings ?? this.settings;
    return Promise.resolve();
  }

  abort(generation: number): void {
    for (const { prepared } of this.threads) {
      void prepared.get(generation)?.retire();
      prepared.delete(generation);
    }
  }

  settle(): void {
    for (const thread of this.threads) {
      void thread.reserve?.retire();
      thread.reserve = undefined;
    }
  }

  collect(): Promise<readonly ThreadAnswer[]> {
    const answers = this.threads.flatMap(({ number, host, current }) =>
      current === undefined ? [] : [{ thread: number, report: host.report(current) }],
    );
    return Promise.resolve(answers);
  }

  viewConfig(load: number, question: ConfigQuestion): Promise<JsonObject> {
    const [first] = this.threads;
    if (first === undefined) throw new TypeError('there is no thread');
    return first.host.viewConfig(load, question);
  }

  recycle(threads: readonly number[], reason: string): void {
    this.recycled.push(`${threads.join(',')}: ${reason}`);
  }

  /** A thread that starts later. */
  async join(): Promise<Thread> {
    const thread = this.#add();
    if (this.#prepared === undefined) return thread;
    const answer = await prepareIn(thread, this.#prepared);
    thread.commit(answer.report.generation, false);
    this.observer?.onJoined(answer);
    return thread;
  }

  /** Of each thread: false while a plugin is missing without which it is not ready. */
  get isReady(): readonly boolean[] {
    return this.threads.map(({ current }) => current?.isReady ?? true);
  }

  /** The chains that new requests of each thread begin with. */
  get chains(): readonly (PluginChains | null)[] {
    return this.threads.map(({ current }) => current?.chains ?? null);
  }
}

async function prepareIn(thread: Thread, change: GenerationChange): Promise<ThreadAnswer> {
  const { plan } = await change.planFor(thread.number);
  const generation = await thread.host.prepare(plan);
  thread.prepared.set(plan.generation, generation);
  return { thread: thread.number, report: thread.host.report(generation) };
}
