import type { RequestRun } from './run.ts';

/** The decimals of a duration: two concatenations of cached texts cost a quarter of writing a fraction. */
const hundredths: readonly string[] = Array.from({ length: 100 }, (_, index) => `.${String(index).padStart(2, '0')}`);

function duration(ms: number): string {
  const count = Math.round(ms * 100);
  const whole = Math.trunc(count / 100);
  return whole + (hundredths[count - whole * 100] as string);
}

/**
 * Where the time went until `now`, as the value of a `Server-Timing` header (https://www.w3.org/TR/server-timing/): milliseconds in
 * disjoint parts that add up to `total`. Parts that took none of it are left out.
 */
export function serverTiming(run: RequestRun, now: number): string {
  const { queuedMs, retriedMs, upstreamMs, plugins } = run;
  const total = now - run.request.startedAt;
  const pluginMs = plugins === null ? 0 : (plugins.spentMs ?? 0) - run.retriedPluginMs;
  const gateway = Math.max(0, total - queuedMs - retriedMs - upstreamMs - pluginMs);
  let text = queuedMs > 0 ? `queue;dur=${duration(queuedMs)}, ` : '';
  if (pluginMs > 0) text += `plugins;dur=${duration(pluginMs)}, `;
  if (retriedMs > 0) text += `retry;dur=${duration(retriedMs)}, `;
  if (upstreamMs > 0) text += `upstream;dur=${duration(upstreamMs)}, `;
  return `${text}gateway;dur=${duration(gateway)}, total;dur=${duration(total)}`;
}
