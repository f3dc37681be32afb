/** What a request's plugins decided: made for requests with the header `x-bf-explain: true`. Plain data. */
import type { Json } from './json.ts';

/** One step of a change, as in RFC 6902. Long texts are cut; bytes are told by their length and digest; credentials are left out. */
export interface ValueChange {
  readonly op: 'add' | 'remove' | 'replace';
  /** JSON pointer (RFC 6901) into what the hook was shown. */
  readonly path: string;
  readonly value?: Json;
}

/**
 * What became of a hook: `unchanged` and `changed` go on; `response`, `stream` and `error` ended the pass with an answer; `failed`
 * broke its contract and was passed over; `denied` broke it and the request was refused for it; `skipped` was not called.
 */
export type HookDecision = 'unchanged' | 'changed' | 'response' | 'stream' | 'error' | 'failed' | 'denied' | 'skipped';

/** One call of one hook, or several in a row of a stream that changed nothing. */
export interface ExplainedCall {
  readonly plugin: string;
  readonly hook: string;
  /** From 0, counting every try of a provider with a key; absent before the first. */
  readonly attempt?: number;
  readonly decision: HookDecision;
  /** Why it was skipped (`filter`, `disabled`, `breaker`, `policy`) or how it failed. For operators. */
  readonly reason?: string;
  /** What it changed; at most 32 steps. */
  readonly changes?: readonly ValueChange[];
  readonly calls: number;
  /** Microseconds, all calls together. */
  readonly timeUs: number;
}

/** The first 200 calls of a request, in order. */
export interface Explanation {
  readonly calls: readonly ExplainedCall[];
  /** Calls beyond the first 200. */
  readonly leftOut: number;
}
