/** Where streamed pieces stand: the API names them by output index and content or summary index, the canonical stream by one string. */
import type { JsonObject } from '@bifrost/sdk';
import { numberField } from './json-fields.ts';

/** One family of `.delta` and `.done` events. */
export interface StreamedKind {
  readonly kind: 'text' | 'refusal' | 'reasoning' | 'call';
  /** Tells parts of different kinds with the same index apart. */
  readonly letter: '' | 'r' | 's' | 'c';
  readonly indexKey?: 'content_index' | 'summary_index';
  /** Where the `.done` event has the whole text. */
  readonly doneKey: 'text' | 'refusal' | 'arguments' | 'input';
}

/** The families by the stem of their event names. */
const families: Readonly<Record<string, StreamedKind>> = {
  'response.output_text': { kind: 'text', letter: '', indexKey: 'content_index', doneKey: 'text' },
  'response.refusal': { kind: 'refusal', letter: 'r', indexKey: 'content_index', doneKey: 'refusal' },
  'response.reasoning_summary_text': { kind: 'reasoning', letter: 's', indexKey: 'summary_index', doneKey: 'text' },
  'response.reasoning_text': { kind: 'reasoning', letter: 'c', indexKey: 'content_index', doneKey: 'text' },
  'response.function_call_arguments': { kind: 'call', letter: '', doneKey: 'arguments' },
  'response.custom_tool_call_input': { kind: 'call', letter: '', doneKey: 'input' },
};

type StreamedEvent = StreamedKind & { readonly isDone: boolean };

/** By whole event name: this is asked for every event of a stream. */
const streamedEvents = new Map<string, StreamedEvent>(
  Object.entries(families).flatMap(([stem, family]) => [
    [`${stem}.delta`, { ...family, isDone: false }] as const,
    [`${stem}.done`, { ...family, isDone: true }] as const,
  ]),
);

/** A `.delta` or `.done` event of a known family. */
export function streamedKind(type: string): StreamedEvent | undefined {
  return streamedEvents.get(type);
}

/** The part of a piece of an item. */
export function partId(outputIndex: number, letter: StreamedKind['letter'], index: number | undefined): string {
  return index === undefined ? `${outputIndex}` : `${outputIndex}.${letter}${index}`;
}

/** The item that an event is about; 0 where a provider leaves the index away. */
export function outputIndexOf(event: JsonObject): number {
  return numberField(event, 'output_index') ?? 0;
}

/** The part that a streamed event is about. */
export function partOfEvent(kind: StreamedKind, event: JsonObject): string {
  const index = kind.indexKey === undefined ? undefined : (numberField(event, kind.indexKey) ?? 0);
  return partId(outputIndexOf(event), kind.letter, index);
}

/** Which letter a content part of this type has; undefined for parts that are not streamed as text. */
export function letterOfType(type: unknown): StreamedKind['letter'] | undefined {
  switch (type) {
    case 'output_text':
      return '';
    case 'refusal':
      return 'r';
    case 'summary_text':
      return 's';
    case 'reasoning_text':
      return 'c';
    default:
      return undefined;
  }
}

/** Where a content part of this type has its text. */
export function textKeyOf(letter: StreamedKind['letter']): 'text' | 'refusal' {
  return letter === 'r' ? 'refusal' : 'text';
}
