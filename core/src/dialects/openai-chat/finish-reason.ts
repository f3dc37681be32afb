import type { FinishReason, FinishReasonKind } from '@bifrost/sdk';

/** Words of this dialect, and those that servers of it are known to send in their place. */
const kinds: Readonly<Record<string, FinishReasonKind>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool-calls',
  function_call: 'tool-calls',
  content_filter: 'content-filter',
  eos: 'stop',
  eos_token: 'stop',
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_length: 'length',
  tool_use: 'tool-calls',
  safety: 'content-filter',
  error: 'error',
};

const official: ReadonlySet<string> = new Set(['stop', 'length', 'tool_calls', 'function_call', 'content_filter']);

const words: Readonly<Record<FinishReasonKind, string>> = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
  refusal: 'content_filter',
  pause: 'stop',
  error: 'stop',
  other: 'stop',
};

/** `tool_calls` -> `{ kind: 'tool-calls', raw: 'tool_calls' }`. */
export function mapFinishReason(raw: string): FinishReason {
  return { kind: kinds[raw] ?? 'other', raw };
}

/** True for a reason that the API's description lists; others are remembered as residue. */
export function isOfficialFinishReason(raw: string): boolean {
  return official.has(raw);
}

/** The word for a finish reason: the provider's own where it is one of this dialect and still says the same. */
export function formatFinishReason(reason: FinishReason): string {
  const raw = reason.raw;
  if (raw !== undefined && official.has(raw) && kinds[raw] === reason.kind) return raw;
  return words[reason.kind];
}

/** True where the dialect has no word for the reason and `formatFinishReason` had to choose the nearest. */
export function isFinishReasonChanged(reason: FinishReason): boolean {
  return reason.kind === 'pause' || reason.kind === 'error' || reason.kind === 'other';
}
