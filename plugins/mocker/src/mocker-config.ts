/** The entry's `config`, with the names that Bifrost's mocker has; `bifrost-plugin.json` has the schema that checks it. */
import type { JsonObject } from '@bifrost/sdk';

/** Nanoseconds, as Go writes durations in JSON, or a text such as `150ms`. */
export type Duration = number | string;

export interface Latency {
  readonly type: 'fixed' | 'uniform';
  readonly min: Duration;
  /** Of `uniform`. @default min */
  readonly max?: Duration;
}

export interface SuccessContent {
  readonly message?: string;
  /** Wins over `message`; `{{provider}}`, `{{model}}` and the `{{faker.…}}` variables are filled in. */
  readonly message_template?: string;
  /** @default the model that was asked for */
  readonly model?: string;
  /** @default 'stop' */
  readonly finish_reason?: string;
  /** @default 10, 20 and 30 tokens */
  readonly usage?: {
    readonly prompt_tokens?: number;
    readonly completion_tokens?: number;
    readonly total_tokens?: number;
  };
  /** Put on the request's trace. */
  readonly custom_fields?: JsonObject;
}

export interface MockResponse {
  readonly type: 'success' | 'error';
  /** @default 1 */
  readonly weight?: number;
  readonly content?: SuccessContent;
  readonly error?: {
    readonly message: string;
    readonly type?: string;
    readonly code?: string;
    /** @default 500 */
    readonly status_code?: number;
  };
  readonly allow_fallbacks?: boolean;
}

export interface MockRule {
  readonly name: string;
  /** @default true */
  readonly enabled?: boolean;
  /** Higher first; ties keep the order of the list. @default 0 */
  readonly priority?: number;
  /** Share of the matching requests that the rule answers. @default 1 */
  readonly probability?: number;
  /** All that are stated must hold. */
  readonly conditions?: {
    readonly providers?: readonly string[];
    readonly models?: readonly string[];
    readonly message_regex?: string;
    readonly request_size?: { readonly min?: number; readonly max?: number };
  };
  readonly responses: readonly MockResponse[];
  /** @default global_latency */
  readonly latency?: Latency;
}

export interface MockerConfig {
  /** @default true */
  readonly enabled?: boolean;
  readonly global_latency?: Latency;
  /** Empty: one rule that answers everything. */
  readonly rules?: readonly MockRule[];
  /** @default 'passthrough' */
  readonly default_behavior?: 'passthrough' | 'success' | 'error';
}

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000 };

/** A duration in milliseconds. Throws TypeError for a text that is none. */
export function toMilliseconds(duration: Duration): number {
  if (typeof duration === 'number') return duration / 1e6;
  const match = /^(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m)$/.exec(duration);
  if (match === null) throw new TypeError(`"${duration}" is no duration: give nanoseconds, or a text such as "150ms"`);
  return Number(match[1]) * (unitMs[match[2] ?? ''] ?? 1);
}
