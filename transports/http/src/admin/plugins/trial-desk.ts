/** Candidates that are tried for the places of plugins, with what the plugins had counted before. */
import { GatewayError } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';
import { candidateName } from '@bifrost/framework/plugin-manager';
import type { ManagedPlugin, PluginManager, PluginTotals } from '@bifrost/framework/plugin-manager';
import type { PluginEntry } from '@bifrost/framework/plugins';
import type { TrialRequest } from './trial-request.ts';
import type { RunningTrial } from './trial-view.ts';

/** A candidate that was staged: what becomes of it when it is promoted, and what the plugins had counted before. */
export interface StagedTrial {
  readonly request: TrialRequest;
  /** The plugin's entry as it would be written. */
  readonly wanted: JsonObject;
  /** The plugin's entry when it was staged, which all else of the candidate's comes from. */
  readonly besides: JsonObject;
  readonly startedAt: number;
  readonly totalsBefore: PluginTotals;
}

export interface TrialDeskOptions {
  readonly manager: PluginManager;
  readonly parse: (file: JsonObject) => PluginEntry;
  /** Throws GatewayError 404. */
  readonly get: (name: string) => Promise<ManagedPlugin>;
}

function noTrial(name: string): GatewayError {
  return new GatewayError(`there is no candidate for the place of plugin "${name}"`, {
    code: 'BF_ADMIN_TRIAL_UNKNOWN',
    statusCode: 404,
  });
}

export class TrialDesk {
  readonly #options: TrialDeskOptions;
  readonly #trials = new Map<string, StagedTrial>();

  constructor(options: TrialDeskOptions) {
    this.#options = options;
  }

  async stage(name: string, staged: StagedTrial): Promise<void> {
    const { manager, parse } = this.#options;
    // It stands in nobody's way when it fails, and is what was tried until somebody tries another.
    const entry = { ...parse(staged.wanted), required: false, watch: false };
    await manager.stageCandidate(entry, staged.request.trial);
    this.#trials.set(name, staged);
  }

  /** Rejects with GatewayError 404 where there is none. */
  async trial(name: string): Promise<RunningTrial> {
    const { manager, get } = this.#options;
    const plugin = await get(name);
    const { startedAt, totalsBefore } = this.stagedOf(name);
    const totals = await manager.totals();
    const candidate = this.candidateOf(name);
    if (candidate === undefined) throw noTrial(name);
    return { plugin, candidate, startedAt, totalsBefore, totals };
  }

  candidateOf(name: string): ManagedPlugin | undefined {
    return this.#options.manager.list().find((one) => one.name === candidateName(name));
  }

  find(name: string): StagedTrial | undefined {
    return this.#trials.get(name);
  }

  /** Throws GatewayError 404. */
  stagedOf(name: string): StagedTrial {
    const staged = this.#trials.get(name);
    if (staged !== undefined) return staged;
    throw noTrial(name);
  }

  forget(name: string): void {
    this.#trials.delete(name);
  }
}
