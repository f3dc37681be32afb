import { jsonBytes } from './json-bytes.ts';
import { skipSpace, skipString, skipValue } from './peek.ts';

const { quote, comma, colon, closeBrace } = jsonBytes;

/** How far from the end a key is looked for byte by byte: on so short a way a call into native code costs more. */
const nearEnd = 1024;

/** Offset of the last `"key"` in the body, -1 where there is none. */
function lastQuoted(body: Buffer, key: string): number {
  const { length } = key;
  const first = key.charCodeAt(0);
  const stop = Math.max(0, body.length - nearEnd);
  for (let at = body.length - length - 2; at >= stop; at -= 1) {
    if (body[at] !== quote || body[at + 1] !== first || body[at + length + 1] !== quote) continue;
    let same = 1;
    while (same < length && body[at + 1 + same] === key.charCodeAt(same)) same += 1;
    if (same === length) return at;
  }
  return stop === 0 ? -1 : body.lastIndexOf(`"${key}"`, stop - 1);
}

/**
 * Finds a top-level member that stands near the end, searching from there: what comes before its key is not looked at. Returns
 * the range of its value, or undefined where that cannot be told without reading the whole (then `peekTopLevel` can): the key
 * is absent, or what follows it does not end in exactly one closing brace.
 */
export function peekLastMember(
  body: Buffer,
  key: string,
): { readonly start: number; readonly end: number } | undefined {
  const keyStart = lastQuoted(body, key);
  if (keyStart === -1) return undefined;
  try {
    let at = skipSpace(body, keyStart + key.length + 2);
    if (body[at] !== colon) return undefined;
    const start = skipSpace(body, at + 1);
    const end = skipValue(body, start);
    at = skipSpace(body, end);
    while (body[at] === comma) {
      at = skipSpace(body, at + 1);
      if (body[at] !== quote) return undefined;
      at = skipSpace(body, skipString(body, at));
      if (body[at] !== colon) return undefined;
      at = skipSpace(body, skipValue(body, skipSpace(body, at + 1)));
    }
    const isTopLevel = body[at] === closeBrace && skipSpace(body, at + 1) === body.length;
    return isTopLevel ? { start, end } : undefined;
  } catch {
    return undefined; // malformed, or the key's text stood elsewhere: the whole scan decides
  }
}
