/** Stop reasons. */
import type { FinishReason, FinishReasonKind, Json } from '@bifrost/sdk';
import type { Loss } from '../codec.ts';
import { present } from './fields.ts';

const kinds: Readonly<Record<string, FinishReasonKind>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool-calls',
  pause_turn: 'pause',
  refusal: 'refusal',
};

const words: Readonly<Record<FinishReasonKind, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  'content-filter': 'refusal',
  refusal: 'refusal',
  pause: 'pause_turn',
  error: 'end_turn',
  other: 'end_turn',
};

/** Reported where an answer that refuses, and ends like any other, gets Anthropic's stop reason for it. */
export const refusalLoss: Loss = {
  action: 'changed',
  field: 'stop_reason',
  reason: 'Anthropic says of an answer that it is a refusal',
};

function kindOf(raw: string): FinishReasonKind {
  return Object.hasOwn(kinds, raw) ? (kinds[raw] ?? 'other') : 'other';
}

/** `stop_reason` and `stop_sequence`; undefined while there is no reason. */
export function decodeStopReason(reason: Json | undefined, sequence: Json | undefined): FinishReason | undefined {
  if (typeof reason !== 'string') return undefined;
  const stopSequence = typeof sequence === 'string' ? sequence : undefined;
  return present({ kind: kindOf(reason), raw: reason, stopSequence });
}

/** The stop reason of an answer that Anthropic gave, in its own word as long as the kind is unchanged. */
export function encodeOwnStopReason(reason: FinishReason): string {
  if (reason.raw !== undefined && kindOf(reason.raw) === reason.kind) return reason.raw;
  return foreignWord(reason);
}

function foreignWord(reason: FinishReason): string {
  return reason.kind === 'stop' && reason.stopSequence !== undefined ? 'stop_sequence' : words[reason.kind];
}

/**
 * The stop reason for an answer of another dialect. What the answer holds decides between stop and tool_use: a client that
 * sees `tool_use` runs tools, one that sees `end_turn` does not.
 */
export function encodeForeignStopReason(reason: FinishReason | undefined, hasToolCall: boolean): string {
  if (!hasToolCall && reason?.raw !== undefined && Object.hasOwn(kinds, reason.raw)) return encodeOwnStopReason(reason);
  if (reason === undefined || reason.kind === 'stop' || reason.kind === 'tool-calls' || reason.kind === 'other') {
    if (hasToolCall) return 'tool_use';
    if (!hasToolCall && reason?.raw !== undefined && Object.hasOwn(kinds, reason.raw))
      return encodeOwnStopReason(reason);
    if (reason === undefined || reason.kind === 'tool-calls') return 'end_turn';
  }
  return foreignWord(reason);
}
