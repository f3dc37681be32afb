/** Brings the next list of plugins into all threads: starts what runs elsewhere, has the threads prepare, then commits or aborts. */
import { GatewayError, PluginError } from '@bifrost/sdk';
import { messageOf } from '@bifrost/core';
import type { ThreadPlan } from '../plugin-plan.ts';
import { describedFailure } from '../failed-description.ts';
import type { PluginSlot } from './managed-plugin.ts';
import type { LoadFailure, PluginLoad } from './plugin-load.ts';
import type { GenerationChange, ThreadAnswer, ThreadGroup } from './thread-group.ts';

export interface SwapRequest {
  readonly slots: readonly PluginSlot[];
  /** Loads that no plan had before: their failure is what a swap may fail of. */
  readonly fresh: readonly PluginSlot[];
  /** `abort`: a fresh load that fails keeps everything as it was. `record`: it becomes an error, the others are loaded. */
  readonly onFailure: 'abort' | 'record';
  readonly isReserveKept: boolean;
  readonly directory: string;
  readonly settings?: object;
  /** Called between the two phases: where it rejects, everything is as it was. */
  readonly keep?: () => Promise<void>;
}

export interface SwapOptions {
  readonly group: ThreadGroup;
  /** Finds and checks the artefact and starts what runs elsewhere. Rejects with what is wrong. */
  readonly begin: (slot: PluginSlot, directory: string) => Promise<void>;
  readonly nextGeneration: () => number;
  /** For a thread to prepare, without the loads. */
  readonly prepareWithinMs: number;
  /** For each fresh load in a thread. */
  readonly loadWithinMs: number;
}

export interface SwapResult {
  readonly generation: number;
  readonly answers: readonly ThreadAnswer[];
}

/** The first thing that a thread says against a fresh load. */
function failureIn(answers: readonly ThreadAnswer[], load: number): LoadFailure | undefined {
  for (const { report } of answers) {
    const status = report.statuses.find((one) => one.load === load);
    if (status?.state !== 'error') continue;
    return {
      message: status.message ?? 'it cannot be loaded',
      ...(status.code === undefined ? {} : { code: status.code }),
    };
  }
  return undefined;
}

/** An error of a plugin with the sentence of a status, which may name the plugin already. */
function toPluginError(name: string, { message, code = 'BF_PLUGIN_LOAD_FAILED' }: LoadFailure): PluginError {
  const prefix = `plugin ${name}: `;
  return new PluginError(name, message.startsWith(prefix) ? message.slice(prefix.length) : message, { code });
}

export class GenerationSwap {
  readonly #options: SwapOptions;

  constructor(options: SwapOptions) {
    this.#options = options;
  }

  /** Rejects with nothing changed; the caller lets the fresh loads go then. */
  async run(request: SwapRequest): Promise<SwapResult> {
    // An entry that is off or wrong in itself has nothing that could fail any more.
    const open = new Set(request.fresh.filter(({ load }) => load.isServing));
    await this.#beginAll(request, open);
    const { group } = this.#options;
    // Prepared and given up: kept until the next try has prepared, so that what succeeded is not loaded twice.
    const givenUp: number[] = [];
    try {
      for (;;) {
        const change = this.#change(request, open);
        const abort = (error: unknown): never => {
          group.abort(change.generation);
          throw error;
        };
        const answers = await group.prepare(change).catch(abort);
        const failed = noteFailures(open, answers);
        if (failed.length === 0) {
          await request.keep?.().catch(abort);
          await group.commit(change.generation, { isReserveKept: request.isReserveKept });
          for (const { load } of request.slots) load.hasServed ||= load.isServing;
          return { generation: change.generation, answers };
        }
        givenUp.push(change.generation);
        refuseWhereNeeded(request, failed);
      }
    } finally {
      for (const generation of givenUp) group.abort(generation);
    }
  }

  async #beginAll(request: SwapRequest, open: Set<PluginSlot>): Promise<void> {
    const { begin } = this.#options;
    const failed: PluginSlot[] = [];
    await Promise.all(
      [...open].map(async (slot) => {
        try {
          await begin(slot, request.directory);
        } catch (error) {
          slot.load.fail(toFailure(error));
          slot.load.description ??= describedFailure(error);
          failed.push(slot);
        }
      }),
    );
    for (const slot of failed) open.delete(slot);
    refuseWhereNeeded(request, failed);
  }

  #change({ slots, fresh, onFailure, directory, settings }: SwapRequest, open: Set<PluginSlot>): GenerationChange {
    const { nextGeneration, prepareWithinMs, loadWithinMs } = this.#options;
    const generation = nextGeneration();
    return {
      generation,
      planFor: (thread) => planFor(thread, { generation, slots, directory }),
      deadlineMs: prepareWithinMs + fresh.length * loadWithinMs,
      // At the start nobody is served yet, and threads that load beside each other are ready sooner.
      ...(onFailure === 'abort' && [...open].some(isInline)
        ? { isRightIn: (answers) => isRightIn(open, answers) }
        : {}),
      ...(settings === undefined ? {} : { settings }),
    };
  }
}

function isInline({ entry }: PluginSlot): boolean {
  return (entry.isolation ?? 'inline') === 'inline';
}

function isRightIn(open: ReadonlySet<PluginSlot>, answers: readonly ThreadAnswer[]): boolean {
  return [...open].every(({ load }) => load.failure === undefined && failureIn(answers, load.load) === undefined);
}

/** Takes what has failed out of `open`: in some thread, or while a thread loaded it. */
function noteFailures(open: Set<PluginSlot>, answers: readonly ThreadAnswer[]): readonly PluginSlot[] {
  const failed: PluginSlot[] = [];
  for (const slot of open) {
    const { load } = slot;
    load.description ??= answers[0]?.report.descriptions[load.load];
    const failure = load.failure ?? failureIn(answers, load.load);
    if (failure === undefined) continue;
    load.fail(failure);
    failed.push(slot);
    open.delete(slot);
  }
  return failed;
}

async function planFor(
  thread: number,
  { generation, slots, directory }: Pick<SwapRequest, 'slots' | 'directory'> & { readonly generation: number },
): Promise<ThreadPlan> {
  const plugins = await Promise.all(
    slots.map(async ({ load, entry, trial }) => {
      const planned = await load.planFor(thread, entry);
      return trial === undefined ? planned : { ...planned, trial };
    }),
  );
  const transfer = plugins.flatMap(({ source }) =>
    source.kind === 'remote' && source.channel?.kind === 'port' ? [source.channel.port] : [],
  );
  return { plan: { generation, directory, plugins }, transfer };
}

function toFailure(error: unknown): LoadFailure {
  const code = GatewayError.isInstance(error) ? error.code : undefined;
  const message = error instanceof Error ? error.message : messageOf(error);
  return { message, ...(code === undefined ? {} : { code }) };
}

function failureOf(load: PluginLoad): LoadFailure {
  return load.failure ?? { message: 'it cannot be loaded' };
}

/** Throws where a failure is not to be recorded: the change was asked for as a whole, or the plugin is required. */
function refuseWhereNeeded({ onFailure }: SwapRequest, failed: readonly PluginSlot[]): void {
  const required = failed.find(({ entry }) => entry.required === true);
  if (required !== undefined && onFailure === 'record') {
    const { entry, load } = required;
    const cause = toPluginError(entry.name, failureOf(load));
    throw new PluginError(entry.name, `it is required and cannot be loaded. ${cause.message}`, {
      code: 'BF_PLUGIN_REQUIRED_FAILED',
      cause,
    });
  }
  const [first] = failed;
  if (onFailure === 'abort' && first !== undefined) throw toPluginError(first.entry.name, failureOf(first.load));
}
