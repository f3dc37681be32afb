/** Values of hooks as JSON that can be compared, printed and kept. */

/** JSON, with bytes as `{ "$bytes": base64 }`, streams as `{ "$stream": true }` and `undefined` as absence. */
export type Plain = null | boolean | number | string | undefined | readonly Plain[] | { readonly [key: string]: Plain };

const maxDepth = 100;

/** Never throws: what cannot be read is `{ "$unreadable": reason }`. */
export function toPlain(value: unknown, depth = 0): Plain {
  if (value === null || value === undefined) return value;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : { $number: String(value) };
  if (typeof value !== 'object') return { $unreadable: typeof value };
  if (depth > maxDepth) return { $unreadable: 'too deep' };
  try {
    if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
    if (Array.isArray(value)) return value.map((item) => toPlain(item, depth + 1));
    if (Symbol.asyncIterator in value || Symbol.iterator in value) return { $stream: true };
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, member]): [string, Plain][] =>
        member === undefined ? [] : [[key, toPlain(member, depth + 1)]],
      ),
    );
  } catch (error) {
    return { $unreadable: error instanceof Error ? error.message : 'a member throws' };
  }
}

/** A difference of two values. */
export interface Difference {
  /** `error.statusCode`; empty for the value itself. */
  readonly path: string;
  readonly before: Plain;
  readonly after: Plain;
}

function isObject(value: Plain): value is { readonly [key: string]: Plain } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where `after` differs from `before`: the deepest places, in order; at most `limit`. */
export function differences(before: Plain, after: Plain, path = '', limit = 20): readonly Difference[] {
  if (Object.is(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after)) {
    const [left, right] = [before as readonly Plain[], after as readonly Plain[]];
    const length = Math.max(left.length, right.length);
    return Array.from({ length }, (_, index) => index)
      .flatMap((index) => differences(left[index], right[index], `${path}[${index}]`, limit))
      .slice(0, limit);
  }
  if (isObject(before) && isObject(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .flatMap((key) => differences(before[key], after[key], path === '' ? key : `${path}.${key}`, limit))
      .slice(0, limit);
  }
  return [{ path, before, after }];
}
