/** What a failed hook call leads to: words for the log, the count that may disable the plugin, the error of a denial. */
import type { ErrorInfo, PluginFailure } from '@bifrost/sdk';
import { HookResultError } from './check-value.ts';
import type { HookEntry } from './hook-entry.ts';
import type { OffReason } from './plugin-health.ts';

const hookFailedCode = 'BF_PLUGIN_HOOK_FAILED';

/** The first failures of a hook are all logged, further ones at most once in this time: a broken chunk hook fails often. */
const logIntervalMs = 1000;
const alwaysLogged = 5;

const frozenWrite = /read only|object is not extensible|Cannot (delete|redefine) property|Cannot assign to read only/;

const maxPlaceCharacters = 300;

/** Of errors that were made again from words, after a plugin in another realm. */
const notedPlaces = new WeakMap<Error, string>();

/** Says where the error was made that `thrown` stands for. */
export function notePlaceOfThrow(thrown: Error, place: string): void {
  notedPlaces.set(thrown, place);
}

/**
 * Where in a plugin's own files an error was made: `index.ts:12`. Their URLs end in `?plugin=NAME&g=N`, which the loader gives them, so
 * that a stack names them; errors of compiled code have no such line.
 */
export function placeOfThrow(thrown: Error): string | undefined {
  const noted = notedPlaces.get(thrown);
  if (noted !== undefined) return noted;
  // Found first, looked at then: the message, which may be of any length, stands in the stack too.
  const stack = String(thrown.stack);
  const at = stack.indexOf('?plugin=');
  if (at === -1) return undefined;
  const file = /[^/\s()]+$/.exec(stack.slice(Math.max(0, at - maxPlaceCharacters), at));
  const line = /^\?plugin=[^\s:)]+:(\d+)/.exec(stack.slice(at, at + maxPlaceCharacters));
  return file === null || line === null ? undefined : `${decodeURIComponent(file[0])}:${line[1]}`;
}

const maxMessageCharacters = 8192;

/** Words for something thrown, whatever it is; of bounded length, as they go to the log and the trace. */
export function messageOf(thrown: unknown): string {
  const words = wordsOf(thrown);
  return words.length <= maxMessageCharacters ? words : `${words.slice(0, maxMessageCharacters)}...`;
}

function wordsOf(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error)) return `threw ${typeof thrown === 'string' ? thrown : typeof thrown}, not an Error`;
    const hint =
      thrown instanceof TypeError && frozenWrite.test(thrown.message)
        ? ' (hook inputs are read-only: return a new value instead of changing the input)'
        : '';
    const place = placeOfThrow(thrown);
    return `${thrown.name}: ${thrown.message}${hint}${place === undefined ? '' : ` (${place})`}`;
  } catch {
    // A getter of the thrown object threw in turn.
    return 'threw a value that cannot be read';
  }
}

/** Words for a result that could not be accepted, by what looking at it has thrown. */
export function wrongResult(thrown: unknown): string {
  // Anything else was thrown by the returned object itself: a getter, a proxy, an iterator.
  const why = thrown instanceof HookResultError ? thrown.message : `a member cannot be read: ${messageOf(thrown)}`;
  return `returned a wrong value: ${why}`;
}

/**
 * The error of a request that was refused because a hook that must judge it could not: it failed, or its plugin is switched off
 * (`off`) after it failed too often. 500: the caller did nothing wrong.
 */
export function denialOf(entry: HookEntry, requestId: string, off?: OffReason): ErrorInfo {
  const { name } = entry.slot.instance;
  const why =
    off === undefined
      ? `its ${entry.hook} failed and it fails closed`
      : `it is switched off after failures (${off === 'breaker' ? 'for a while' : 'until it is loaded again'}) and it fails closed`;
  return {
    statusCode: 500,
    code: hookFailedCode,
    type: 'plugin_error',
    message:
      `The request was refused because plugin "${name}" could not judge it: ${why}. ` +
      `The gateway's log has the cause under request id ${requestId}.`,
    origin: 'plugin',
    allowFallbacks: false,
  };
}

/** Writes the failure to the plugin's log, now and then only where it fails all the time. */
function logFailure(entry: HookEntry, failure: PluginFailure, requestId: string): void {
  const now = performance.now();
  const failures = entry.figures.errors + entry.figures.timeouts;
  if (failures > alwaysLogged && now - entry.lastLoggedAt < logIntervalMs) {
    entry.unloggedFailures += 1;
    return;
  }
  entry.lastLoggedAt = now;
  const { instance } = entry.slot;
  instance.log('error', `plugin ${instance.name}: ${entry.hook} ${failure.message}`, {
    plugin: instance.name,
    hook: entry.hook,
    kind: failure.kind,
    policy: entry.policy,
    requestId,
    ...(entry.unloggedFailures === 0 ? {} : { notLogged: entry.unloggedFailures }),
  });
  entry.unloggedFailures = 0;
}

/** Counts and logs a failed call; gives what the request's trace says of it. */
export function noteFailure(
  entry: HookEntry,
  { kind, message }: Pick<PluginFailure, 'kind' | 'message'>,
  requestId: string,
): PluginFailure {
  if (kind === 'timeout') entry.figures.timeouts += 1;
  else entry.figures.errors += 1;
  const failure: PluginFailure = { plugin: entry.slot.instance.name, hook: entry.hook, kind, message };
  logFailure(entry, failure, requestId);
  countFailure(entry);
  return failure;
}

/** Counts a failed call: it may disable the plugin, or open its breaker. */
export function countFailure(entry: HookEntry): void {
  entry.failuresInARow += 1;
  const { health, instance } = entry.slot;
  health.failed(entry, performance.now());
  if (entry.disableAfter === 0 || entry.failuresInARow < entry.disableAfter || health.isDisabled) return;
  health.disable();
  instance.onDisabled?.(
    `${entry.hook} failed ${entry.failuresInARow} times in a row` +
      (instance.isGuard ? '; as it is a guard, every request that it would see is refused' : ''),
  );
}

/** At the end of a window of the hook's budget; `why` says what was above it, undefined that nothing was. */
export function countSlowWindow(entry: HookEntry, why: string | undefined, now: number): void {
  const { health, instance } = entry.slot;
  entry.slowWindowsInARow = why === undefined ? 0 : entry.slowWindowsInARow + 1;
  if (why === undefined) {
    health.wasInBudget(entry);
    return;
  }
  health.exceededBudget(entry, why, now);
  if (entry.disableAfter === 0 || entry.slowWindowsInARow < entry.disableAfter || health.isDisabled) return;
  health.disable();
  instance.onDisabled?.(`${why}; that was its window number ${entry.slowWindowsInARow} in a row`);
}

/** Counts a call that was right. */
export function countSuccess(entry: HookEntry): void {
  entry.failuresInARow = 0;
  if (entry.slot.health.isOff) entry.slot.health.succeeded(entry);
}
