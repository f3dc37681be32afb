import type { JsonObject, ModelInfo, PluginLog } from '@bifrost/sdk';
import type { PluginChains } from '@bifrost/core';
import { containPluginFailures, createPluginHost, guardProcess, IntrinsicsGuard } from '@bifrost/framework/plugins';
import type {
  ConfigQuestion,
  InstanceCounts,
  PluginGeneration,
  PluginHost,
  PluginHostOptions,
  PluginPlan,
  PluginReport,
} from '@bifrost/framework/plugins';

import type { PluginFacts } from './metrics/plugin-series.ts';

/** Lines about loading are the manager's, which writes them once for all threads: here they are for debugging. */
const loadingLine = /^(Plugin loaded successfully|plugin status): /;

function quietLog(log: PluginLog): PluginLog {
  return {
    ...log,
    info: (message, fields) => (loadingLine.test(message) ? log.debug(message, fields) : log.info(message, fields)),
  };
}

/** How long a change of what all code shares may stand: a look costs about 0.1 ms. */
const intrinsicsEveryMs = 250;

const nothing: InstanceCounts = { inits: 0, cleanups: 0, live: 0 };

function emptyReport(generation: number): PluginReport {
  const counted = { totals: [], comparisons: [], counts: nothing, draining: {}, staleModules: 0 };
  return { generation, statuses: [], descriptions: {}, figures: [], slots: {}, ...counted };
}

/** The plugins of one serving thread: the generation that serves, those that are prepared, and one that may be in reserve. */
export class ThreadPlugins {
  readonly #options: PluginHostOptions;
  #host: PluginHost | undefined;
  /** Undefined stands for a generation without plugins in a thread that never had any. */
  readonly #prepared = new Map<number, PluginGeneration | undefined>();
  #current: PluginGeneration | undefined;
  #reserve: PluginGeneration | undefined;
  #modelList: readonly ModelInfo[] = [];
  /** By `provider/model`. */
  #models: ReadonlyMap<string, ModelInfo> = new Map();
  #generation = 0;

  constructor(options: PluginHostOptions) {
    const getModelInfo = (provider: string, model: string): ModelInfo | undefined =>
      this.#models.get(`${provider}/${model}`);
    this.#options = { ...options, logger: quietLog(options.logger), getModelInfo };
  }

  /** What plugins are told of models from now on. */
  knowModels(models: readonly ModelInfo[]): void {
    if (models === this.#modelList) return;
    this.#modelList = models;
    this.#models = new Map(models.map((info) => [`${info.provider}/${info.model}`, info]));
  }

  /** For the thread's metrics. */
  facts(): PluginFacts {
    const { totals = [], statuses, counts } = this.report(true);
    return { totals, statuses, counts };
  }

  /** Why the gateway is not ready: plugins that do not serve and are required, or may be guards for all that is known. */
  get hindrances(): readonly string[] {
    if (this.#current === undefined || this.#current.isReady) return [];
    return this.#current
      .status()
      .filter(({ state }) => state !== 'active' && state !== 'degraded')
      .flatMap(({ name, isRequired, isKindUnknown }) => {
        if (isRequired) return [`required plugin ${name} is not active`];
        return isKindUnknown === true ? [`plugin ${name} could not be loaded, and may be a guard`] : [];
      });
  }

  /** Loads the plan's plugins beside those that serve. Rejects where the thread has no room for another generation. */
  async prepare(plan: PluginPlan): Promise<PluginReport> {
    const { generation, plugins } = plan;
    if (plugins.length === 0 && this.#host === undefined) {
      this.#prepared.set(generation, undefined);
      return emptyReport(generation);
    }
    const host = (this.#host ??= this.#createHost());
    const loaded = await host.prepare(plan);
    this.#prepared.set(generation, loaded);
    return host.report(loaded);
  }

  /** With the first plugin come the guards of the thread. */
  #createHost(): PluginHost {
    containPluginFailures();
    guardProcess();
    const intrinsics = new IntrinsicsGuard();
    intrinsics.close();
    const host = createPluginHost({ ...this.#options, intrinsics });
    setInterval(() => host.checkIntrinsics(), intrinsicsEveryMs).unref();
    return host;
  }

  /** The chains to serve on; call `retireOld` when no new request begins with those before. */
  commit(
    generation: number,
    isReserveKept: boolean,
  ): { readonly chains: PluginChains | null; readonly retireOld: () => void } {
    const next = this.#prepared.get(generation);
    this.#prepared.delete(generation);
    const leaving = isReserveKept ? [this.#reserve] : [this.#reserve, this.#current];
    this.#reserve = isReserveKept ? this.#current : undefined;
    this.#current = next;
    this.#generation = generation;
    return { chains: next?.chains ?? null, retireOld: () => leaving.forEach((old) => void old?.retire()) };
  }

  abort(generation: number): void {
    const aborted = this.#prepared.get(generation);
    this.#prepared.delete(generation);
    void aborted?.retire();
  }

  settle(): void {
    void this.#reserve?.retire();
    this.#reserve = undefined;
  }

  /** Rejects with PluginError. */
  viewConfig(load: number, question: ConfigQuestion): Promise<JsonObject> {
    return (this.#host ??= this.#createHost()).viewConfig(load, question);
  }

  report(hasTotals: boolean): PluginReport {
    if (this.#host === undefined || this.#current === undefined) return emptyReport(this.#generation);
    return this.#host.report(this.#current, { hasTotals });
  }

  /** Runs every `cleanup`, after the last request. */
  async close(): Promise<void> {
    const all = [this.#current, this.#reserve, ...this.#prepared.values()];
    for (const generation of all) await generation?.retire({ drainTimeoutMs: 5000 });
  }
}
