/**
 * What one hook of one plugin costs and how often it fails. Times fall into buckets of four per octave from 0.25 us up, so a
 * percentile is exact to about 10 %; recording is a few integer operations and no allocation.
 */
const bucketCount = 128;

/** One hook's figures, as plain data. Times in milliseconds. */
export interface HookFiguresSnapshot {
  readonly calls: number;
  /** Throws, rejections and results of a wrong shape. */
  readonly errors: number;
  readonly timeouts: number;
  /** `inject` calls left out because too many were under way. */
  readonly dropped: number;
  readonly totalMs: number;
  /** Undefined before the first call. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

function bucketOf(durationMs: number): number {
  const units = Math.min(durationMs * 4000, 0x3fffffff) | 0;
  if (units < 4) return units < 0 ? 0 : units;
  const octave = 31 - Math.clz32(units);
  return (octave - 1) * 4 + ((units >> (octave - 2)) & 3);
}

/** The middle of a bucket, in milliseconds. */
function valueOf(bucket: number): number {
  if (bucket < 4) return (bucket + 0.5) / 4000;
  const octave = (bucket >> 2) + 1;
  const step = 2 ** (octave - 2);
  return ((4 + (bucket & 3) + 0.5) * step) / 4000;
}

export class HookFigures {
  calls = 0;
  errors = 0;
  timeouts = 0;
  dropped = 0;
  totalMs = 0;
  readonly #buckets = new Uint32Array(bucketCount);

  record(durationMs: number): void {
    this.calls += 1;
    this.totalMs += durationMs;
    const bucket = bucketOf(durationMs);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  /** The duration that `share` of all calls did not exceed, in milliseconds; undefined before the first call. */
  percentile(share: number): number | undefined {
    let seen = 0;
    const wanted = Math.max(1, Math.ceil(this.calls * share));
    for (let bucket = 0; bucket < bucketCount; bucket += 1) {
      seen += this.#buckets[bucket] ?? 0;
      if (seen >= wanted) return valueOf(bucket);
    }
    return undefined;
  }

  snapshot(): HookFiguresSnapshot {
    const [p50Ms, p99Ms] = [this.percentile(0.5), this.percentile(0.99)];
    return {
      calls: this.calls,
      errors: this.errors,
      timeouts: this.timeouts,
      dropped: this.dropped,
      totalMs: this.totalMs,
      ...(p50Ms === undefined ? {} : { p50Ms }),
      ...(p99Ms === undefined ? {} : { p99Ms }),
    };
  }
}
