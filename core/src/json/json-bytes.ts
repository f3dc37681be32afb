import { InvalidRequestError } from '@bifrost/sdk';

/** Deeper nesting is refused: no request of any dialect comes near it, and parsers behind us may recurse. */
export const maxNesting = 4096;
/** So far into a string every byte is looked at; what lies behind is searched for its quote. */
export const shortString = 48;

/**
 * Whoever scans bytes takes these into constants of its own: a binding of another module is looked up at every use, which costs a
 * request of 0.4 KB 0.4 us.
 */
export const jsonBytes = {
  quote: 0x22,
  backslash: 0x5c,
  comma: 0x2c,
  colon: 0x3a,
  openBrace: 0x7b,
  closeBrace: 0x7d,
  openBracket: 0x5b,
  closeBracket: 0x5d,
} as const;

/** Byte classes outside strings: 0 refused, 1 part of a number or literal, 2 white space, 3 quote, 4 opens, 5 closes, 6 comma or colon. */
export const byteClasses: Uint8Array = new Uint8Array(256);
for (const character of '+-.0123456789Eaeflnrstu') byteClasses[character.charCodeAt(0)] = 1;
for (const character of ' \t\r\n') byteClasses[character.charCodeAt(0)] = 2;
byteClasses[jsonBytes.quote] = 3;
byteClasses[jsonBytes.openBrace] = byteClasses[jsonBytes.openBracket] = 4;
byteClasses[jsonBytes.closeBrace] = byteClasses[jsonBytes.closeBracket] = 5;
byteClasses[jsonBytes.comma] = byteClasses[jsonBytes.colon] = 6;

function describe(byte: number | undefined): string {
  if (byte === undefined) return 'the end of the body';
  if (byte > 0x20 && byte < 0x7f) return `"${String.fromCharCode(byte)}"`;
  return `byte 0x${byte.toString(16).padStart(2, '0')}`;
}

/** What is wrong with a body: `byte` was found at `offset`; undefined is its end. */
export function malformedJson(byte: number | undefined, offset: number, expected: string): InvalidRequestError {
  return new InvalidRequestError(
    `the body is not valid JSON: found ${describe(byte)} at byte offset ${offset}, expected ${expected}`,
    { code: 'BF_REQUEST_INVALID_JSON' },
  );
}

/** The refusal of a body that opens one level too many at `offset`. */
export function nestsTooDeep(offset: number): InvalidRequestError {
  return new InvalidRequestError(`the body nests deeper than ${maxNesting} levels at byte offset ${offset}`, {
    code: 'BF_REQUEST_TOO_DEEP',
  });
}
