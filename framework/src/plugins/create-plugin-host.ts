/** The host of the plugins in one thread: turns plans (or entries) into generations, keeps the instances between them. */
import { mergePluginFigures, mergeShadowComparisons } from '@bifrost/core';
import type { PluginFigures, ShadowComparison } from '@bifrost/core';
import { GatewayError, PluginError } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';
import { CallSuspects } from './realm-guard/call-suspects.ts';
import { checkEntry } from './check-entry.ts';
import { configViewFailed } from './config-view.ts';
import { InstancePool } from './instance-pool.ts';
import { standInFor } from './failed-description.ts';
import type { LoadOptions } from './load-plugin.ts';
import { MemberLoader } from './member-loader.ts';
import type { PluginEntry, PluginStatus } from './plugin-entry.ts';
import { LoadedGeneration } from './plugin-generation.ts';
import type { GenerationMember, PluginGeneration } from './plugin-generation.ts';
import type { PluginHost, PluginHostOptions } from './plugin-host.ts';
import type { InstanceCounts, PlannedPlugin, PluginPlan, PluginReport } from './plugin-plan.ts';
import type { PluginRecord } from './plugin-record.ts';
import type { ConfigQuestion } from './supervisor/thread-group.ts';

/** Unique in the realm: modules of two hosts must not share a tag. Loads of plans are numbered by the main thread, from 1 up. */
let lastOwnLoad = 1_000_000_000;
let lastGeneration = 0;

class ThreadPluginHost implements PluginHost {
  readonly #options: PluginHostOptions;
  readonly #loadOptions: LoadOptions;
  readonly #pool: InstancePool;
  readonly #loader: MemberLoader;
  readonly #draining = new Set<LoadedGeneration>();
  readonly #generations = new Set<LoadedGeneration>();
  readonly #suspects = new CallSuspects();
  /** Figures of generations that are gone. */
  #past: readonly PluginFigures[] = [];
  #pastComparisons: readonly ShadowComparison[] = [];
  #current: PluginGeneration | null = null;
  /** Slot numbers are never used twice in a thread: a mark says which load it was, also of a replaced generation. */
  #nextSlot = 0;

  constructor(options: PluginHostOptions) {
    const workingDirectory = options.workingDirectory ?? process.cwd();
    const { sharedState, getModelInfo, loaders } = options;
    this.#options = options;
    this.#loadOptions = {
      logger: options.logger,
      baseDirectory: options.baseDirectory ?? workingDirectory,
      workingDirectory,
      initTimeoutMs: options.initTimeoutMs ?? 10_000,
      cleanupTimeoutMs: options.cleanupTimeoutMs ?? 5000,
      importModule: options.importModule ?? ((specifier) => import(specifier)),
      builtins: options.builtins ?? new Map(),
      ...(sharedState === undefined ? {} : { sharedState }),
      ...(getModelInfo === undefined ? {} : { getModelInfo }),
      ...(loaders === undefined ? {} : { loaders }),
    };
    this.#pool = new InstancePool((load) => options.onReleased?.(load));
    this.#loader = new MemberLoader({
      pool: this.#pool,
      logger: options.logger,
      connectRemote: options.connectRemote,
      onChanged: (load) => options.onChanged?.(load),
      onReleased: (load) => options.onReleased?.(load),
      loading: options.loading ?? new Int32Array(1),
      onCodeRun: (record) => this.#undoChanges([record]),
    });
  }

  get current(): PluginGeneration | null {
    return this.#current;
  }

  get counts(): InstanceCounts {
    return this.#pool.counts;
  }

  status(): readonly PluginStatus[] {
    return this.#current?.status() ?? [];
  }

  async prepare(plan: PluginPlan): Promise<PluginGeneration> {
    try {
      // What brings no new instance holds no more than is held: to remove, to disable and to go back is always possible.
      if (plan.plugins.some((planned) => this.#isNew(planned))) await this.#waitForPlace();
    } catch (error) {
      this.#loader.refuse(plan.plugins);
      throw error;
    }
    // What is found from here on is the doing of those that are loaded.
    this.checkIntrinsics();
    const { directory } = plan;
    const options = directory === undefined ? this.#loadOptions : { ...this.#loadOptions, baseDirectory: directory };
    const members: GenerationMember[] = [];
    for (const planned of plan.plugins) members.push(await this.#loader.load(planned, options));
    return this.#generation(plan.generation, members);
  }

  checkIntrinsics(): void {
    if (this.#options.intrinsics === undefined) return;
    const called = this.#suspects.next([...this.#generations].flatMap((generation) => generation.figures()));
    const records = [...this.#generations].flatMap((generation) => generation.records);
    this.#undoChanges([...new Set(records.filter(({ name }) => called.has(name)))]);
  }

  async viewConfig(load: number, { plugin, view, config }: ConfigQuestion): Promise<JsonObject> {
    const { loading } = this.#options;
    const loaded = this.#pool.find(load)?.plugin;
    if (loaded?.viewConfig === undefined) throw configViewFailed(plugin, view, 'is not there');
    // Who blocks the thread in it is named.
    if (loading !== undefined) Atomics.store(loading, 0, load);
    const viewed = loaded.viewConfig(view, config);
    if (loading !== undefined) Atomics.store(loading, 0, 0);
    return viewed;
  }

  report(generation: PluginGeneration, options: { readonly hasTotals?: boolean } = {}): PluginReport {
    const { counts, staleModules } = this.#pool;
    const statuses = generation.status();
    const failed = generation.failedDescriptions;
    return {
      generation: generation.id,
      statuses,
      descriptions: Object.fromEntries(
        statuses.flatMap(({ load }) => {
          const description = this.#pool.find(load)?.description ?? failed.get(load);
          return description === undefined ? [] : [[load, description]];
        }),
      ),
      figures: generation.figures(),
      comparisons: this.#comparisons(),
      slots: generation.slots,
      ...(options.hasTotals === true ? { totals: this.#totals() } : {}),
      counts,
      draining: this.#pool.draining(),
      staleModules,
    };
  }

  async load(entries: readonly PluginEntry[]): Promise<PluginGeneration> {
    const members: GenerationMember[] = [];
    const names = new Set<string>();
    const { logger } = this.#options;
    for (const entry of entries) {
      const member = await this.#loader.load(this.#planOwn(entry, names), this.#loadOptions);
      members.push(member);
      if (member.pooled !== undefined) logger.info(`Plugin loaded successfully: ${entry.name}`, { plugin: entry.name });
      if (member.failure !== undefined) {
        logger.error(`failed to load ${messageWithName(entry.name, member.failure)}`, { plugin: entry.name });
        if (entry.required === true) throw await this.#abandon(entry, member.failure, members);
      }
    }
    lastGeneration += 1;
    const generation = this.#generation(lastGeneration, members);
    for (const { name, state } of generation.status())
      logger.info(`plugin status: ${name} - ${state}`, { plugin: name });
    this.#current = generation;
    return generation;
  }

  #planOwn(entry: PluginEntry, names: Set<string>): PlannedPlugin {
    lastOwnLoad += 1;
    const load = lastOwnLoad;
    if (!entry.enabled) return { entry, load, source: { kind: 'off' } };
    const fault = checkEntry(entry, names) ?? notInline(entry);
    names.add(entry.name);
    if (fault === undefined) return { entry, load, source: { kind: 'inline' } };
    const known = standInFor(entry, undefined);
    const source = { kind: 'failed', message: fault.message, code: fault.code } as const;
    return { entry, load, source, ...(known === undefined ? {} : { known }) };
  }

  #generation(id: number, members: readonly GenerationMember[]): PluginGeneration {
    const { areInputsFrozen, injectConcurrency, recorder, running } = this.#options;
    const firstSlotNumber = this.#nextSlot;
    this.#nextSlot += members.length;
    const generation = new LoadedGeneration(id, members, {
      firstSlotNumber,
      pool: this.#pool,
      onRetiring: (retiring) => this.#draining.add(retiring),
      onRetired: (retired) => {
        this.#draining.delete(retired);
        this.#generations.delete(retired);
        this.#past = mergePluginFigures([this.#past, retired.figures()]);
        this.#pastComparisons = mergeShadowComparisons([this.#pastComparisons, retired.comparisons()]);
      },
      ...(areInputsFrozen === undefined ? {} : { areInputsFrozen }),
      ...(recorder === undefined ? {} : { recorder }),
      ...(injectConcurrency === undefined ? {} : { injectConcurrency }),
      ...(running === undefined ? {} : { running }),
    });
    this.#generations.add(generation);
    return generation;
  }

  #totals(): readonly PluginFigures[] {
    return mergePluginFigures([this.#past, ...[...this.#generations].map((generation) => generation.figures())]);
  }

  #comparisons(): readonly ShadowComparison[] {
    const living = [...this.#generations].map((generation) => generation.comparisons());
    return mergeShadowComparisons([this.#pastComparisons, ...living]);
  }

  #undoChanges(suspects: readonly PluginRecord[]): void {
    const { intrinsics, logger, onChanged } = this.#options;
    const changes = intrinsics?.check() ?? [];
    if (changes.length === 0) return;
    const what = changes.map(({ path, isUndone }) => (isUndone ? path : `${path} (for good)`)).join(', ');
    const names = [...new Set(suspects.map(({ name }) => name))];
    const who = names.length === 0 ? 'some code' : names.length === 1 ? 'it' : `one of ${names.join(', ')}`;
    const sentence = `${who} changed ${what}, which all code shares; that was undone`;
    logger.error(names.length === 1 ? `plugin ${names[0]}: ${sentence}` : `plugins: ${sentence}`, { plugins: names });
    for (const record of suspects) {
      record.offend(sentence);
      onChanged?.(record.load);
    }
  }

  #isNew({ load, source }: PlannedPlugin): boolean {
    return source.kind !== 'off' && source.kind !== 'failed' && this.#pool.find(load) === undefined;
  }

  /** Generations that hold no replaced instance cost next to nothing and are not counted. */
  async #waitForPlace(): Promise<void> {
    const { maxDraining = 4, drainWaitMs = 30_000 } = this.#options;
    const endsAt = performance.now() + drainWaitMs;
    for (;;) {
      const holding = [...this.#draining].filter((generation) => generation.holdsReplaced);
      if (holding.length < maxDraining) return;
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0) throw tooManyDraining(holding, drainWaitMs);
      const { promise: deadline, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, leftMs);
      await Promise.race([deadline, ...holding.map((generation) => generation.retire())]);
      clearTimeout(timer);
    }
  }

  /** Lets go of what a load that cannot be completed has loaded so far. */
  async #abandon(entry: PluginEntry, cause: unknown, members: readonly GenerationMember[]): Promise<PluginError> {
    await this.#generation(0, members).retire();
    return new PluginError(entry.name, `it is required and cannot be loaded. ${messageWithName(entry.name, cause)}`, {
      code: 'BF_PLUGIN_REQUIRED_FAILED',
      cause,
    });
  }
}

/** To run a plugin less isolated than its entry says would be wrong. */
function notInline({ name, isolation = 'inline' }: PluginEntry): PluginError | undefined {
  if (isolation === 'inline') return undefined;
  return new PluginError(name, `isolation "${isolation}" needs the main thread's plugin manager`, {
    code: 'BF_PLUGIN_NOT_SERVING',
  });
}

function tooManyDraining(holding: readonly LoadedGeneration[], waitedMs: number): GatewayError {
  const requests = holding.reduce((sum, { inFlight }) => sum + inFlight, 0);
  return new GatewayError(
    `${holding.length} replaced plugin generations still have ${requests} requests under way, and none of them ended within ` +
      `${waitedMs} ms; nothing was changed. Try again when long streams have ended`,
    { code: 'BF_PLUGIN_DRAINING', statusCode: 503 },
  );
}

function messageWithName(name: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.startsWith(`plugin ${name}:`) ? message : `plugin ${name}: ${message}`;
}

/** Makes the plugin host of this thread. Nothing is loaded yet. */
export function createPluginHost(options: PluginHostOptions): PluginHost {
  return new ThreadPluginHost(options);
}
