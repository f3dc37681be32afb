import { jsonBytes, malformedJson, shortString } from './json-bytes.ts';
import type { Member } from './peek.ts';

const { quote, backslash } = jsonBytes;

/**
 * `true`, `false`, or a short string without escapes, which are most of what is peeked at, without the parser (0.4 µs); undefined for
 * all else. The scan has made sure that a short string has no control character.
 */
function plainValue(body: Buffer, { valueStart, valueEnd }: Member): string | boolean | undefined {
  const first = body[valueStart];
  // The scan has accepted the value: no other begins with these letters.
  if (first === 0x74) return true;
  if (first === 0x66) return false;
  if (first !== quote || valueEnd - valueStart > shortString) return undefined;
  for (let at = valueStart + 1; at < valueEnd - 1; at += 1) if (body[at] === backslash) return undefined;
  return body.toString('utf8', valueStart + 1, valueEnd - 1);
}

/** The parsed value of a member's last occurrence; undefined when the key is absent. Throws like `peekTopLevel`. */
export function memberValue(body: Buffer, found: readonly Member[] | undefined): unknown {
  const member = found?.[found.length - 1];
  if (member === undefined) return undefined;
  const plain = plainValue(body, member);
  return plain === undefined ? parseValue(body, member.valueStart, member) : plain;
}

/** The same of a value whose bytes were read on their own, from `offset` of the body. */
export function storedValue(bytes: Buffer, offset: number): unknown {
  return parseValue(bytes, offset, { valueStart: 0, valueEnd: bytes.length });
}

function parseValue(bytes: Buffer, offset: number, value: Pick<Member, 'valueStart' | 'valueEnd'>): unknown {
  try {
    return JSON.parse(bytes.toString('utf8', value.valueStart, value.valueEnd));
  } catch {
    // JSON.parse's own message would name another offset.
    throw malformedJson(bytes[value.valueStart], offset, 'a valid JSON value');
  }
}
