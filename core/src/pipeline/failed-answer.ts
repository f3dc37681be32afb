import type { DialectName } from '@bifrost/sdk';
import { memberValue } from '../json/member-value.ts';
import { peekTopLevel } from '../json/peek.ts';

/** A body that begins like this is an error inside a 200; `"error":null` is none. */
const errorFirst = /^\s*\{\s*"error"\s*:\s*[{"]/;
/** A word that a failed answer has outside its texts, where quotes are escaped. Every Responses answer has an `error`, mostly null. */
const words: Readonly<Record<DialectName, string>> = {
  'openai-chat': '"error"',
  'openai-completions': '"error"',
  'openai-responses': '"failed"',
  'anthropic-messages': '"error"',
  'gemini-generate-content': '"error"',
};
const answerLists = ['choices', 'candidates', 'content', 'data'];
const [quote, letterE] = [0x22, 0x65];
const keys = ['error', 'status', ...answerLists];

/** True where the beginning of a whole answer gives reason to judge all of it before any is sent. */
export function maySayFailure(dialect: DialectName, start: Buffer): boolean {
  return start.includes(words[dialect]);
}

/** True where a whole answer with a good status carries the dialect's failure: an `error`, or a response that failed. */
export function saysFailure(dialect: DialectName, body: Buffer): boolean {
  if (startsWithError(body)) return true;
  if (!body.includes(words[dialect])) return false;
  try {
    const members = peekTopLevel(body, keys).members.map((member) => memberValue(body, member));
    const [error, status, ...lists] = members;
    if (dialect === 'openai-responses') return status === 'failed';
    const hasAnswer = lists.some((list) => Array.isArray(list) && list.length > 0);
    return !hasAnswer && (typeof error === 'string' ? error !== '' : typeof error === 'object' && error !== null);
  } catch {
    return false; // no JSON object: whoever decodes it says so
  }
}

/** True where the very first member is an error: the rest need not be awaited. */
export function startsWithError(body: Buffer): boolean {
  // The first member's name begins behind the first quote: a look at one byte spares most answers the expression.
  if (body[body.indexOf(quote) + 1] !== letterE) return false;
  return errorFirst.test(body.toString('latin1', 0, Math.min(body.length, 64)));
}
