import type { Json } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';

const show = (value: Json | undefined): string => {
  const text = JSON.stringify(value) ?? 'absent';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};

export interface JsonComparison {
  /** @default 5 */
  readonly limit?: number;
  /** Members that only `after` has do not count. @default false */
  readonly isMoreAllowed?: boolean;
}

/** Where two JSON values differ, as `path: before -> after`; at most `limit` lines. Key order does not count. */
export function jsonDifferences(
  before: Json | undefined,
  after: Json | undefined,
  { limit = 5, isMoreAllowed = false }: JsonComparison = {},
): readonly string[] {
  const found: string[] = [];
  const compare = (left: Json | undefined, right: Json | undefined, path: string): void => {
    if (found.length >= limit || left === right || (isMoreAllowed && left === undefined)) return;
    if (Array.isArray(left) && Array.isArray(right)) {
      const length = Math.max(left.length, right.length);
      for (let at = 0; at < length; at++) compare(left[at] as Json, right[at] as Json, `${path}[${at}]`);
    } else if (left !== undefined && right !== undefined && isJsonObject(left) && isJsonObject(right)) {
      const keys = isMoreAllowed ? Object.keys(left) : new Set([...Object.keys(left), ...Object.keys(right)]);
      for (const key of keys) {
        compare(left[key], right[key], path === '' ? key : `${path}.${key}`);
      }
    } else found.push(`${path === '' ? '(root)' : path}: ${show(left)} -> ${show(right)}`);
  };
  compare(before, after, '');
  return found;
}
