/** What the manager says of a plugin: the state of its instances in all threads as one, with its history. */
import type { PluginEntry, PluginState, PluginStatus } from '../plugin-entry.ts';
import type { PlannedTrial } from '../plugin-plan.ts';
import type { PluginLoad } from './plugin-load.ts';
import type { RemoteUsage } from './remote-load.ts';
import type { ThreadAnswer } from './thread-group.ts';

/** What has happened to a plugin of this name, over its loads. */
export interface PluginNotes {
  /** Why the last change to it was not made; it serves on as before. */
  lastError?: { readonly message: string; readonly code?: string; readonly at: number };
  /** Why it is not as it was asked for: rolled back, away, restarted. */
  remark?: string;
}

export interface ManagedPlugin extends PluginStatus {
  readonly entry: PluginEntry;
  /** Of the artefact. */
  readonly kind?: string;
  /** Present on a candidate for another plugin's place. */
  readonly trial?: PlannedTrial;
  /** SHA-256 of the artefact. */
  readonly digest?: string;
  /** Where its path led when it was last loaded: links on the way are as the path has them, while `file` may be what they lead to. */
  readonly foundAt?: string;
  /** Instances that serve, and those that only requests under way hold. */
  readonly instances: { readonly serving: number; readonly draining: number };
  /** Why the last change to it was not made. */
  readonly lastError?: { readonly message: string; readonly code?: string; readonly at: number };
  /** Bytes of its own thread or process, where it has one. */
  readonly memoryBytes?: number;
  /** Processors that it has used on average over the last seconds. */
  readonly cpuLoad?: number;
}

/** One place in the committed plan. */
export interface PluginSlot {
  readonly entry: PluginEntry;
  readonly load: PluginLoad;
  /** It is a candidate for the place of another plugin. */
  readonly trial?: PlannedTrial;
}

interface Seen {
  readonly thread: number;
  readonly status: PluginStatus;
}

function seenIn(load: number, answers: readonly ThreadAnswer[]): readonly Seen[] {
  return answers.flatMap(({ thread, report }) => {
    const status = report.statuses.find((one) => one.load === load);
    return status === undefined ? [] : [{ thread, status }];
  });
}

const gravity: readonly PluginState[] = ['error', 'disabled', 'loading', 'degraded', 'draining', 'active'];

/** The state of one load over all threads: active where it is active in all, degraded where it is not so in some. */
function mergeStates(
  seen: readonly Seen[],
  { isAway, unseen }: { readonly isAway: boolean; readonly unseen: PluginState },
): { readonly state: PluginState; readonly message?: string } {
  if (isAway) return { state: 'error' };
  const [worst] = seen.toSorted((a, b) => gravity.indexOf(a.status.state) - gravity.indexOf(b.status.state));
  if (worst === undefined) return { state: unseen };
  const { state, message } = worst.status;
  const isAlike = seen.every(({ status }) => status.state === state);
  const text = message === undefined ? {} : { message };
  if (isAlike || state === 'degraded') return { state, ...text };
  return { state: 'degraded', message: `${state} in serving thread ${worst.thread}: ${message ?? 'no reason given'}` };
}

export interface StatusSources {
  readonly notes: PluginNotes | undefined;
  readonly answers: readonly ThreadAnswer[];
  readonly generation: number;
  readonly usage: RemoteUsage | undefined;
}

/** One plugin as the API shows it. */
export function describeManaged({ entry, load, trial }: PluginSlot, sources: StatusSources): ManagedPlugin {
  const { notes, answers, generation, usage } = sources;
  const seen = seenIn(load.load, answers);
  const { failure, failureSentence, artefact, loadedAt, known: description } = load;
  const base: PluginStatus = seen[0]?.status ?? blankStatus(entry, load.load);
  const merged =
    failureSentence === undefined
      ? mergeStates(seen, { isAway: load.isAway, unseen: base.state })
      : { state: 'error' as const, message: failureSentence };
  const message = notes?.remark === undefined ? merged.message : join(notes.remark, merged.message);
  const { message: _message, code: _code, ...facts } = base;
  const code = failure === undefined ? base.code : failure.code;
  const draining = answers.reduce((sum, { report }) => sum + (report.draining[entry.name] ?? 0), 0);
  return {
    ...facts,
    ...merged,
    isGuard: description?.isGuard ?? base.isGuard,
    entry,
    generation,
    instances: { serving: seen.filter(({ status }) => isLive(status.state)).length, draining },
    ...(message === undefined ? {} : { message }),
    ...(code === undefined || merged.state !== 'error' ? {} : { code }),
    ...(trial === undefined ? {} : { trial }),
    ...(loadedAt === undefined ? {} : { loadedAt }),
    ...(artefact === undefined
      ? {}
      : { kind: artefact.kind, file: facts.file ?? artefact.file, foundAt: artefact.file }),
    ...(artefact?.digest === undefined ? {} : { digest: artefact.digest }),
    ...(notes?.lastError === undefined ? {} : { lastError: notes.lastError }),
    ...usage,
  };
}

function join(first: string, second: string | undefined): string {
  return second === undefined || second === first ? first : `${first}; ${second}`;
}

function isLive(state: PluginState): boolean {
  return state === 'active' || state === 'degraded';
}

function blankStatus(entry: PluginEntry, load: number): PluginStatus {
  const { name, enabled, path, placement, order, required, isolation } = entry;
  return {
    name,
    state: enabled ? 'loading' : 'disabled',
    hooks: [],
    isGuard: false,
    isRequired: required === true,
    placement: placement ?? 'post_builtin',
    order: order ?? 0,
    isolation: isolation ?? 'inline',
    generation: 0,
    load,
    ...(path === undefined ? {} : { path }),
  };
}
