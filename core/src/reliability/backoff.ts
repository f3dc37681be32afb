/** Milliseconds before retry number `retry` (from 1): doubling from `initialMs`, jitter 0.8 to 1.2, never above `maxMs`. */
export function backoffMs(retry: number, initialMs: number, maxMs: number, random: number): number {
  const base = Math.min(initialMs * 2 ** (retry - 1), maxMs);
  return Math.min(base * (0.8 + 0.4 * random), maxMs);
}
