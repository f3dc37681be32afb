/** What the manager knows of its plugins in all threads: gathers the threads' reports, and tells log and listeners of changes. */
import { GatewayError } from '@bifrost/sdk';
import type { PluginLog } from '@bifrost/sdk';
import { mergePluginFigures, mergeShadowComparisons, messageOf, readRunningMark } from '@bifrost/core';
import type { PluginFigures, ShadowComparison } from '@bifrost/core';
import type { InstanceCounts, PluginReport } from '../plugin-plan.ts';
import { describeManaged } from './managed-plugin.ts';
import type { ManagedPlugin, PluginNotes, PluginSlot } from './managed-plugin.ts';
import type { RemoteUsage } from './remote-load.ts';
import type { RemoteLoads } from './remote-loads.ts';
import type { ThreadAnswer, ThreadFault, ThreadGroup, ThreadGroupObserver } from './thread-group.ts';

/** What all threads have counted since the start, those included that have ended with a last word. */
export interface PluginTotals {
  readonly figures: readonly PluginFigures[];
  /** How the shadows compare. */
  readonly comparisons: readonly ShadowComparison[];
}

export interface ManagerViewOptions {
  readonly group: ThreadGroup;
  readonly log: PluginLog;
  readonly slots: () => readonly PluginSlot[];
  /** There are loads that are gone, of which threads may hold something still. */
  readonly hasGone: () => boolean;
  /** What runs outside the serving threads. */
  readonly remotes: RemoteLoads;
  readonly maxStaleModules: number;
  /** A load has blocked or ended a thread. Returns its plugin's name, where it is known. */
  readonly blame: (load: number, what: string) => string | undefined;
}

/** Of each thread: what a request of an older generation runs has long reached its deadline. */
const maxRememberedSlots = 4096;

export class ManagerView implements ThreadGroupObserver {
  readonly #options: ManagerViewOptions;
  readonly #reports = new Map<number, PluginReport>();
  /** Counts of threads that have ended. */
  #ended: Omit<InstanceCounts, 'live'> = { inits: 0, cleanups: 0 };
  /** By thread: loads by slot numbers, also of generations that are gone. */
  readonly #slotLoads = new Map<number, Map<number, number>>();
  /** Of threads that have ended. */
  #past: PluginTotals = { figures: [], comparisons: [] };
  readonly #notes = new Map<string, PluginNotes>();
  readonly #usage = new Map<string, RemoteUsage>();
  readonly #lastStates = new Map<string, string>();
  readonly #listeners = new Set<() => void>();
  #generation = 0;

  constructor(options: ManagerViewOptions) {
    this.#options = options;
  }

  get generation(): number {
    return this.#generation;
  }

  get hasInlinePlugins(): boolean {
    const { slots, hasGone } = this.#options;
    return hasGone() || slots().some(({ entry, load }) => load.isServing && (entry.isolation ?? 'inline') === 'inline');
  }

  get counts(): InstanceCounts {
    let { inits, cleanups } = this.#ended;
    let live = 0;
    const inThreads = [...this.#reports.values()].map((report) => report.counts);
    for (const counts of [...inThreads, this.#options.remotes.counts]) {
      inits += counts.inits;
      cleanups += counts.cleanups;
      live += counts.live;
    }
    return { inits, cleanups, live };
  }

  list(): readonly ManagedPlugin[] {
    return this.#options.slots().map((slot) => this.describe(slot));
  }

  describe(slot: PluginSlot): ManagedPlugin {
    const { name } = slot.entry;
    return describeManaged(slot, {
      notes: this.#notes.get(name),
      answers: [...this.#reports].map(([thread, report]) => ({ thread, report })),
      generation: this.#generation,
      usage: this.#usage.get(name),
    });
  }

  async totals(): Promise<PluginTotals> {
    const answers = await this.#options.group.collect({ hasTotals: true });
    return mergeTotals(
      this.#past,
      answers.map(({ report }) => report),
    );
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Asks all threads. */
  async collect(): Promise<readonly ThreadAnswer[]> {
    const answers = await this.#options.group.collect();
    for (const answer of answers) this.#note(answer);
    for (const { entry, load } of this.#options.slots()) {
      const usage = await load.remote?.usage();
      if (usage !== undefined) this.#usage.set(entry.name, { ...this.#usage.get(entry.name), ...usage });
    }
    this.changed();
    this.#recycle(answers);
    return answers;
  }

  committed(
    generation: number,
    { fresh, answers }: { readonly fresh: readonly PluginSlot[]; readonly answers: readonly ThreadAnswer[] },
  ): void {
    this.#generation = generation;
    for (const answer of answers) this.#note(answer);
    for (const { entry, load } of fresh) {
      const { name } = entry;
      const message = load.failureSentence;
      if (message !== undefined) this.#options.log.error(failureLine(name, { message }), { plugin: name });
      else if (entry.enabled) this.#options.log.info(`Plugin loaded successfully: ${name}`, { plugin: name });
      // Said again also where it is as it was.
      this.#lastStates.delete(name);
    }
    this.changed();
    this.#recycle(answers);
  }

  /** A change to the plugin was made. */
  succeeded(name: string): void {
    this.#notes.delete(name);
    this.changed();
  }

  /** A change to the plugin was not made. */
  failed(name: string, error: unknown): void {
    const message = error instanceof Error ? error.message : messageOf(error);
    const code = GatewayError.isInstance(error) ? error.code : undefined;
    const failure = { message, ...(code === undefined ? {} : { code }) };
    this.#options.log.error(failureLine(name, failure), { plugin: name });
    if (this.#options.slots().some(({ entry }) => entry.name === name))
      this.#notes.set(name, { ...this.#notes.get(name), lastError: { ...failure, at: Date.now() } });
    this.changed();
  }

  remark(name: string, remark: string | undefined): void {
    const { remark: _before, ...notes } = this.#notes.get(name) ?? {};
    this.#notes.set(name, remark === undefined ? notes : { ...notes, remark });
    this.changed();
  }

  forget(name: string): void {
    this.#notes.delete(name);
    this.#usage.delete(name);
    this.#lastStates.delete(name);
    this.changed();
  }

  /** Says what is another state than before, and tells the listeners. */
  changed(): void {
    for (const { name, state, message } of this.list()) {
      if (this.#lastStates.get(name) === state) continue;
      this.#lastStates.set(name, state);
      const fields = { plugin: name, ...(message === undefined ? {} : { reason: message }) };
      this.#options.log.info(`plugin status: ${name} - ${state}`, fields);
    }
    for (const listener of this.#listeners) listener();
  }

  onJoined({ thread, report }: ThreadAnswer): void {
    this.#note({ thread, report });
    this.changed();
  }

  onReleased(thread: number, load: number): void {
    this.#options.remotes.release(thread, load);
  }

  onChanged(): void {
    void this.collect();
  }

  onFault({ thread, what, running, loading }: ThreadFault): string | undefined {
    const slot = readRunningMark(running)?.slotNumber;
    const load = loading === 0 && slot !== undefined ? this.#slotLoads.get(thread)?.get(slot) : loading;
    return load === undefined || load === 0 ? undefined : this.#options.blame(load, what);
  }

  onEnded(thread: number, last?: PluginReport): void {
    const report = last ?? this.#reports.get(thread);
    const counts = report?.counts;
    if (report !== undefined) this.#past = mergeTotals(this.#past, [report]);
    this.#reports.delete(thread);
    this.#slotLoads.delete(thread);
    if (counts !== undefined) {
      const { inits, cleanups } = this.#ended;
      this.#ended = { inits: inits + counts.inits, cleanups: cleanups + counts.cleanups };
    }
    this.#options.remotes.releaseAll(thread);
  }

  #note({ thread, report }: ThreadAnswer): void {
    this.#reports.set(thread, report);
    const loads = this.#slotLoads.get(thread) ?? new Map<number, number>();
    for (const [slot, load] of Object.entries(report.slots)) loads.set(Number(slot), load);
    // Numbers rise: the first are the oldest.
    for (const slot of loads.keys()) {
      if (loads.size <= maxRememberedSlots) break;
      loads.delete(slot);
    }
    this.#slotLoads.set(thread, loads);
  }

  #recycle(answers: readonly ThreadAnswer[]): void {
    const { group, maxStaleModules } = this.#options;
    const full = answers.filter(({ report }) => report.staleModules >= maxStaleModules).map(({ thread }) => thread);
    if (full.length > 0) group.recycle(full, `${maxStaleModules} or more modules of replaced plugins`);
  }
}

function mergeTotals(past: PluginTotals, reports: readonly PluginReport[]): PluginTotals {
  return {
    figures: mergePluginFigures([past.figures, ...reports.map(({ totals = [] }) => totals)]),
    comparisons: mergeShadowComparisons([past.comparisons, ...reports.map(({ comparisons }) => comparisons)]),
  };
}

function failureLine(name: string, { message }: { readonly message: string }): string {
  return `failed to load ${message.startsWith(`plugin ${name}:`) ? message : `plugin ${name}: ${message}`}`;
}
