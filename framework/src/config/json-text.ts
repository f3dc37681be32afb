import type { Json } from '@bifrost/sdk';
import { findJsonFault, openBracket } from './find-json-fault.ts';

/** Where in a text something is, counted from 1. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

export type JsonTextResult = { readonly value: Json } | { readonly error: string; readonly position: TextPosition };

/** The line and column of an offset. */
export function positionAt(text: string, offset: number): TextPosition {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n') };
}

/** Reads JSON (a byte order mark is allowed); a fault comes with line and column and never with an excerpt of the text. */
export function parseJsonText(raw: string): JsonTextResult {
  const text = raw.startsWith('\uFEFF') ? raw.slice(1) : raw;
  try {
    return { value: JSON.parse(text) as Json };
  } catch {
    // What V8 says is not used: it quotes the text, which may hold a secret.
    if (/^\uFFFD+.?\0/.test(text)) {
      return {
        error: 'the file is in UTF-16, expected UTF-8: save it in UTF-8',
        position: { line: 1, column: 1 },
      };
    }
    const offset = findJsonFault(text);
    return { error: faultAt(text, offset), position: positionAt(text, offset) };
  }
}

function faultAt(text: string, offset: number): string {
  if (text.trim() === '') return 'the file is empty; expected a JSON object, at least {}';
  if (offset >= text.length) return 'the text ends before the JSON does: a } or ] or " is missing';
  const character = text[offset] ?? '';
  const before = text.slice(0, offset).trimEnd().at(-1);
  if ((character === '}' || character === ']') && before === ',')
    return `a comma stands before ${character}: remove it`;
  if (character === '/') return 'JSON has no comments: remove it';
  if (character === "'") return 'JSON strings stand in double quotes ("), not in \'';
  if (character === '"') return 'a string is not closed, or a comma or colon is missing before it';
  if (character === '\\') return 'a backslash begins an escape in a JSON string: write \\\\ for one, or / in a path';
  const open = character === '}' || character === ']' ? openBracket(text, offset) : undefined;
  const end = open === undefined ? '' : text[open] === '[' ? ']' : '}';
  if (open !== undefined && end !== character) {
    const { line, column } = positionAt(text, open);
    return `unexpected ${character}: the ${text[open]} of line ${line}, column ${column} is open still, a ${end} is missing before it`;
  }
  const name = character <= ' ' ? JSON.stringify(character) : character;
  return `unexpected ${name}: a comma, a colon or a quote may be missing before it`;
}
