/** Items and parts of a generated stream: what events they have, and how they look when they are whole. */
import type { Json, JsonObject } from '@bifrost/sdk';
import { knownLists } from './stream-snapshots.ts';
import type { StreamState } from './stream-state.ts';

export type StreamedPartType =
  | 'output_text'
  | 'refusal'
  | 'summary_text'
  | 'reasoning_text'
  | 'function_call'
  | 'custom_tool_call'
  | 'image_generation_call';

/** An item of the output. `template` is the item as it was last said. */
export interface StreamedItem {
  readonly index: number;
  template: JsonObject;
  readonly parts: StreamedPart[];
  encrypted?: string;
  isDone: boolean;
}

/** A piece of an item that is streamed. */
export interface StreamedPart {
  readonly id: string;
  readonly type: StreamedPartType;
  readonly item: StreamedItem;
  /** Among the parts of the same list. */
  readonly index: number;
  /** The signature that went into the call's id. */
  readonly signature?: string;
  isAnnounced: boolean;
  isDone: boolean;
}

interface PartStems {
  /** The name of its events up to `.delta` and `.done`. */
  readonly stem: string;
  readonly added?: string;
  readonly done?: string;
  /** Where `.done` has the whole text. */
  readonly key: string;
}

const contentPart = { added: 'response.content_part.added', done: 'response.content_part.done' };
const stems: Readonly<Record<StreamedPartType, PartStems>> = {
  output_text: { stem: 'response.output_text', ...contentPart, key: 'text' },
  refusal: { stem: 'response.refusal', ...contentPart, key: 'refusal' },
  summary_text: {
    stem: 'response.reasoning_summary_text',
    added: 'response.reasoning_summary_part.added',
    done: 'response.reasoning_summary_part.done',
    key: 'text',
  },
  reasoning_text: { stem: 'response.reasoning_text', ...contentPart, key: 'text' },
  function_call: { stem: 'response.function_call_arguments', key: 'arguments' },
  custom_tool_call: { stem: 'response.custom_tool_call_input', key: 'input' },
  image_generation_call: { stem: 'response.image_generation_call', key: 'result' },
};

/** The event names of a part. */
export function partStems(type: StreamedPartType): PartStems {
  return stems[type];
}

/** A content part; empty without a state. */
export function partSnapshot(part: StreamedPart, state: StreamState | undefined): JsonObject {
  const text = state?.text(part.id) ?? '';
  if (part.type === 'refusal') return { type: 'refusal', refusal: text };
  if (part.type !== 'output_text') return { type: part.type, text };
  const lists = state === undefined ? { annotations: [], logprobs: [] } : knownLists(part.id, state);
  return { type: 'output_text', text, ...lists };
}

function partsOf(item: StreamedItem, state: StreamState, isWanted: (part: StreamedPart) => boolean): JsonObject[] {
  const wanted = item.parts.filter((part) => part.isAnnounced && isWanted(part));
  return wanted.map((part) => partSnapshot(part, state));
}

/** The item as it is at its end. */
export function finishedItem(item: StreamedItem, state: StreamState, status: string): JsonObject {
  const { template } = item;
  const [part] = item.parts;
  const finished: Record<string, Json | undefined> = { ...template, status };
  switch (template['type']) {
    case 'message':
      return { ...finished, content: partsOf(item, state, () => true) };
    case 'reasoning': {
      const content = partsOf(item, state, ({ type }) => type === 'reasoning_text');
      finished['summary'] = partsOf(item, state, ({ type }) => type === 'summary_text');
      if (content.length > 0 || template['content'] !== undefined) finished['content'] = content;
      if (item.encrypted !== undefined) finished['encrypted_content'] = item.encrypted;
      return finished;
    }
    case 'function_call':
      return { ...finished, arguments: part === undefined ? (template['arguments'] ?? '') : state.text(part.id) };
    case 'custom_tool_call':
      return { ...finished, input: part === undefined ? (template['input'] ?? '') : state.text(part.id) };
    case 'image_generation_call':
      return finished;
    default:
      return template;
  }
}
