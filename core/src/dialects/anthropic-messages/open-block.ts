import type { Json, StreamEvent } from '@bifrost/sdk';
import { partKind } from '../../conversation/part-builder.ts';
import type { PartEvent } from '../../conversation/part-builder.ts';
import type { JsonProgress } from './json-progress.ts';

export type OpenKind = 'text' | 'thinking' | 'tool' | 'raw';

/** The content block that is open. */
export interface OpenBlock {
  readonly kind: OpenKind;
  /** The canonical part with its kind (`keyOf`); undefined for a block that only Anthropic knows. */
  readonly key: string | undefined;
  /** The provider's index, for blocks that are passed on as they are. */
  readonly ownIndex?: Json | undefined;
  readonly json?: JsonProgress;
  readonly isFreeform?: boolean;
  isSigned?: boolean;
}

/** Which kind of block the start of a part opens. */
export const openKinds: Partial<Record<StreamEvent['type'], OpenKind>> = {
  'text-start': 'text',
  'reasoning-start': 'thinking',
  'tool-call-start': 'tool',
};

/** The part of an event with its kind: parts of different kinds may share a name. */
export function keyOf(event: PartEvent): string {
  return `${partKind(event)} ${event.part}`;
}
