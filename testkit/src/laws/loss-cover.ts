import type { Loss } from '@bifrost/core';
import type { Place } from './projection.ts';

/** One thing that did not come through a translation. */
export interface Difference {
  /** What it is, for people: `tool call 2, arguments: {...} -> {...}`. */
  readonly what: string;
  /** Words of which a report about this thing has one as the last name of its path. */
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
 * True unless both sides name a place and the places differ: the message, or the part of an answer, has to be the same one. (Reports
 * count as the canonical model does: messages, then parts.)
 */
const isNear = (indices: Place, places: readonly Place[] | undefined): boolean =>
  indices.length === 0 ||
  places === undefined ||
  places.some((place) => indices[0] === place[0] || indices[0] === place[1]);

/** The last name of a path: `usage.cache_write_tokens` -> `cache_write_tokens`, `content[0].citations[1]` -> `citations`. */
const lastName = (field: string): string => field.replace(/(\[\d*\])+$/, '').replace(/^.*\./s, '');

/**
 * True where a report names the thing: by the last name of its path (a report of a citation's unknown field is none of the
 * citation), or as a whole part or message by its path alone (`messages[2].content[1]`, `content[1]` of an answer).
 */
export function isCovered(difference: Difference, losses: readonly Loss[]): boolean {
  return losses.some((loss) => {
    const indices = indicesOf(loss.field);
    if (!isNear(indices, difference.places)) return false;
    if (difference.words.test(lastName(loss.field))) return true;
    if (!loss.field.endsWith(']')) return false;
    if (loss.reason !== undefined && difference.words.test(loss.reason)) return true;
    return (difference.places ?? []).some((place) => isPrefix(indices, place) || isPrefix(indices, place.slice(1)));
  });
}
