/** The text of streamed parts: which events carry it, how it is cut and put together again. */
import type { StreamEvent } from '@bifrost/sdk';

/** The events that bring a part's text, piece by piece. */
export type DeltaEvent = Extract<
  StreamEvent,
  { readonly type: 'text-delta' | 'refusal-delta' | 'reasoning-delta' | 'tool-call-delta' }
>;

export function isDelta(event: StreamEvent): event is DeltaEvent {
  const { type } = event;
  return type === 'text-delta' || type === 'tool-call-delta' || type === 'reasoning-delta' || type === 'refusal-delta';
}

export function deltaText(event: DeltaEvent): string {
  return event.type === 'tool-call-delta' ? event.argumentsDelta : event.text;
}

/** `event` with another text; what belonged to the old one alone (log probabilities) is left out. */
export function withText(event: DeltaEvent, text: string): DeltaEvent {
  if (event.type === 'tool-call-delta') return { ...event, argumentsDelta: text };
  if (event.type !== 'text-delta' || event.logprobs === undefined) return { ...event, text };
  const { logprobs: _logprobs, ...rest } = event;
  return { ...rest, text };
}

/** The part that a delta or an end event belongs to; undefined for events of no such part. */
export function partKey(event: StreamEvent): string | undefined {
  switch (event.type) {
    case 'text-delta':
    case 'text-end':
      return `text ${event.part}`;
    case 'refusal-delta':
    case 'refusal-end':
      return `refusal ${event.part}`;
    case 'reasoning-delta':
    case 'reasoning-end':
      return `reasoning ${event.part}`;
    case 'tool-call-delta':
    case 'tool-call-end':
      return `tool-call ${event.part}`;
    default:
      return undefined;
  }
}

/** `length` or one less, so that a cut there does not part the halves of a surrogate pair. */
export function wholeCharacters(text: string, length: number): number {
  if (length <= 0 || length >= text.length) return Math.max(0, Math.min(length, text.length));
  const last = text.charCodeAt(length - 1);
  return last >= 0xd800 && last <= 0xdbff ? length - 1 : length;
}

/** The end of a sentence (with closing quotes and the space after it) or of a line. */
const sentenceEnd = /[.!?\u2026]["'\u2019\u201d)\]]*\s+|[\u3002\uff01\uff1f]|\n+/g;

/** The offset after the last sentence or line that ends at or after `from`; undefined where none does. */
export function lastSentenceEnd(text: string, from: number): number | undefined {
  let end: number | undefined;
  sentenceEnd.lastIndex = from;
  for (let match = sentenceEnd.exec(text); match !== null; match = sentenceEnd.exec(text)) {
    end = match.index + match[0].length;
  }
  return end;
}
