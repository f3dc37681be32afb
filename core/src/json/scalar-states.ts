/**
 * Numbers and literals of JSON, read byte by byte: the same language as an expression would accept, for a value that may be cut
 * anywhere.
 */

/** The state before the first byte. */
export const scalarStart = 1;
/** Where no byte leads on: the value is none. */
export const scalarRefused = 0;

const [minus, zero, integer, point, fraction, exponent, exponentSign, exponentDigits, done] = [
  2, 3, 4, 5, 6, 7, 8, 9, 10,
] as const;
let stateCount = 11;
const byteCount = 128;
const next = new Uint8Array(32 * byteCount);

function lead(from: number, characters: string, to: number): void {
  for (const character of characters) next[from * byteCount + character.charCodeAt(0)] = to;
}

const digits = '0123456789';
lead(scalarStart, '-', minus);
for (const from of [scalarStart, minus]) {
  lead(from, '0', zero);
  lead(from, digits.slice(1), integer);
}
lead(integer, digits, integer);
for (const from of [zero, integer]) lead(from, '.', point);
for (const from of [point, fraction]) lead(from, digits, fraction);
for (const from of [zero, integer, fraction]) lead(from, 'eE', exponent);
lead(exponent, '+-', exponentSign);
for (const from of [exponent, exponentSign, exponentDigits]) lead(from, digits, exponentDigits);
for (const literal of ['true', 'false', 'null']) {
  let from = scalarStart;
  for (let at = 0; at < literal.length; at += 1) {
    const to = at === literal.length - 1 ? done : stateCount;
    if (to !== done) stateCount += 1;
    lead(from, literal.charAt(at), to);
    from = to;
  }
}

/** The state after one more byte; `scalarRefused` where the value cannot go on like this. */
export function nextScalarState(state: number, byte: number): number {
  return byte < byteCount ? (next[state * byteCount + byte] as number) : scalarRefused;
}

/** Whether the value may end here. */
export function isWholeScalar(state: number): boolean {
  return state === zero || state === integer || state === fraction || state === exponentDigits || state === done;
}
