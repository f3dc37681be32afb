import type { RequestRun } from './run.ts';

/** Durations below this many hundredths of a millisecond (40 ms) are written once and kept: most parts are short. */
const keptDurations = 4000;
const durations: string[] = [];

/** `;dur=` with milliseconds to two decimals. */
function duration(ms: number): string {
  const hundredths = Math.round(ms * 100);
  if (hundredths >= keptDurations) return `;dur=${hundredths / 100}`;
  return (durations[hundredths] ??= `;dur=${hundredths / 100}`);
}

/**
 * Where the time went until `now`, as the value of a `Server-Timing` header (https://www.w3.org/TR/server-timing/): milliseconds in
 * disjoint parts that add up to `total`. Parts that took none of it are left out. Notes on the run what plugins had taken.
 */
export function serverTiming(run: RequestRun, now: number): string {
  const { queuedMs, retriedMs, upstreamMs, plugins } = run;
  const total = now - run.request.startedAt;
  let pluginMs = 0;
  if (plugins !== null) {
    run.timedPluginMs = plugins.spentMs ?? 0;
    pluginMs = run.timedPluginMs - run.retriedPluginMs;
  }
  const gateway = Math.max(0, total - queuedMs - retriedMs - upstreamMs - pluginMs);
  let text = '';
  if (queuedMs > 0) text = `queue${duration(queuedMs)}, `;
  if (pluginMs > 0) text += `plugins${duration(pluginMs)}, `;
  if (retriedMs > 0) text += `retry${duration(retriedMs)}, `;
  if (upstreamMs > 0) text += `upstream${duration(upstreamMs)}, `;
  return `${text}gateway${duration(gateway)}, total${duration(total)}`;
}
