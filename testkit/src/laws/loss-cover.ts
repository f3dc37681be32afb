import type { Loss } from '@bifrost/core';
import type { Place } from './projection.ts';

/** One thing that did not come through a translation. */
export interface Difference {
  /** What it is, for people: `tool call 2, arguments: {...} -> {...}`. */
  readonly what: string;
  /** Words of which a report about this thing has one in its field path or its reason. */
  readonly words: RegExp;
  /** Where it stood in the source, so that a report of a whole part or message by its path counts too. */
  readonly places?: readonly Place[];
}

function indicesOf(field: string): readonly number[] {
  return [...field.matchAll(/\[(\d+)\]/g)].map((match) => Number(match[1]));
}

const isPrefix = (prefix: Place, of: Place): boolean =>
  prefix.length > 0 && prefix.length <= of.length && prefix.every((value, at) => value === of[at]);

/**
 * True where a report names the thing: by a word, or as a whole part or message by its path alone (`messages[2].content[1]`,
 * `content[1]` of an answer).
 */
export function isCovered(difference: Difference, losses: readonly Loss[]): boolean {
  return losses.some((loss) => {
    if (difference.words.test(loss.field)) return true;
    if (loss.reason !== undefined && difference.words.test(loss.reason)) return true;
    const isWholePart = loss.field.endsWith(']');
    if (!isWholePart) return false;
    const indices = indicesOf(loss.field);
    return (difference.places ?? []).some((place) => isPrefix(indices, place) || isPrefix(indices, place.slice(1)));
  });
}
