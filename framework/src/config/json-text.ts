import type { Json } from '@bifrost/sdk';

/** Where in a text something is, counted from 1. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

export type JsonTextResult =
  | { readonly value: Json }
  | { readonly error: string; readonly position: TextPosition | undefined };

/** The line and column of an offset. */
export function positionAt(text: string, offset: number): TextPosition {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n') };
}

/** V8 names an offset, a line and column, or only the end; its excerpt of the text is left out, as it may hold a secret. */
function offsetOf(message: string, text: string): number | undefined {
  const stated = /at position (\d+)/.exec(message);
  if (stated !== null) return Number(stated[1]);
  if (/unexpected end|unterminated/i.test(message)) return text.length;
  return undefined;
}

/** Finds the first place where the text stops being JSON by the shortest prefix that V8 faults for another reason than its end. */
function locateByPrefix(text: string): number | undefined {
  let [low, high] = [0, text.length];
  const isFaulty = (length: number): boolean => {
    try {
      JSON.parse(text.slice(0, length));
      return false;
    } catch (error) {
      return error instanceof SyntaxError && !/end of JSON|Unterminated|after|Expected/i.test(error.message);
    }
  };
  if (!isFaulty(high)) return undefined;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isFaulty(middle)) high = middle;
    else low = middle + 1;
  }
  return Math.max(0, low - 1);
}

/** Reads JSON (a byte order mark is allowed); a fault comes with line and column and never with an excerpt of the text. */
export function parseJsonText(raw: string): JsonTextResult {
  const text = raw.startsWith('\uFEFF') ? raw.slice(1) : raw;
  try {
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const offset = offsetOf(message, text) ?? locateByPrefix(text);
    const position = offset === undefined ? undefined : positionAt(text, offset);
    return { error: faultAt(text, offset), position };
  }
}

function faultAt(text: string, offset: number | undefined): string {
  if (text.trim() === '') return 'the file is empty; expected a JSON object, at least {}';
  if (offset === undefined || offset >= text.length)
    return 'the text ends before the JSON does: a } or ] or " is missing';
  const character = text[offset] ?? '';
  const before = text.slice(0, offset).trimEnd().at(-1);
  if ((character === '}' || character === ']') && before === ',')
    return `a comma stands before ${character}: remove it`;
  if (character === '/') return 'JSON has no comments: remove it';
  if (character === "'") return 'JSON strings stand in double quotes ("), not in \'';
  const name = /[\s"]/.test(character) ? JSON.stringify(character) : character;
  return `unexpected ${name}: a comma, a colon or a quote may be missing before it`;
}
