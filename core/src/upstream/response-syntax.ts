import { ConnectionError } from './upstream-failure.ts';

export const carriageReturn = 13;
export const lineFeed = 10;
export const space = 32;
export const tab = 9;
export const colon = 58;

/** By byte: 0 = not part of a token, 1 = part of one, 2 = a capital letter, which is part of one too. */
export const tokenBytes: Uint8Array = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") tokenBytes[char.charCodeAt(0)] = 1;
for (let code = 65; code <= 90; code += 1) tokenBytes[code] = 2;

/** By byte: 1 = may be in the value of a header: all but control characters, among which only the tab may. */
export const valueBytes: Uint8Array = new Uint8Array(256).fill(1, 32);
valueBytes[tab] = 1;
valueBytes[127] = 0;

/** The answer is not valid HTTP/1.1, or larger than what is read. */
export function responseError(message: string, code: string): ConnectionError {
  return new ConnectionError(`the answer ${message}`, code);
}
