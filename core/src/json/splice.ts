import type { Member, TopLevel } from './peek.ts';

/** Replaces the bytes from `start` to `end` by `text` (UTF-8). */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Replaces the value of every occurrence of a member: which duplicate a server's parser prefers is not ours to know. */
export function replaceMember(edits: Edit[], found: readonly Member[] | undefined, text: string): void {
  if (found === undefined) return;
  for (const member of found) edits.push({ start: member.valueStart, end: member.valueEnd, text });
}

/**
 * Removes every occurrence of a member with one of its commas. `others` are members removed in the same splice: the last member
 * of an object takes the comma before it, which its removed neighbour must then leave to it.
 */
export function removeMembers(edits: Edit[], members: readonly Member[]): void {
  const sorted = members.toSorted((left, right) => left.keyStart - right.keyStart);
  for (let index = 0; index < sorted.length;) {
    // A run of neighbours is removed as one range, so that exactly one comma goes with each.
    const first = sorted[index] as Member;
    let last = first;
    index += 1;
    for (; sorted[index] !== undefined && sorted[index]?.commaBefore === last.commaAfter; index += 1) {
      last = sorted[index] as Member;
    }
    if (last.commaAfter !== -1) edits.push({ start: first.keyStart, end: nextMember(last), text: '' });
    else
      edits.push({
        start: first.commaBefore === -1 ? first.keyStart : first.commaBefore,
        end: last.valueEnd,
        text: '',
      });
  }
}

function nextMember(member: Member): number {
  return member.commaAfter + 1;
}

/** Adds a member at the end of the object; `text` is `"key":value`. `isEmpty`: the object has no member left before it. */
export function appendMember(edits: Edit[], top: TopLevel, text: string): void {
  edits.push({ start: top.objectEnd, end: top.objectEnd, text: top.isEmpty ? text : `,${text}` });
}

/**
 * The body with `edits` applied, as a list of buffers: untouched ranges are views of `body`, nothing of it is copied.
 * Edits must not overlap; order does not matter.
 */
export function spliceBody(body: Buffer, edits: readonly Edit[]): readonly Buffer[] {
  const parts: Buffer[] = [];
  let at = 0;
  for (const edit of edits.toSorted((left, right) => left.start - right.start)) {
    if (edit.start > at) parts.push(body.subarray(at, edit.start));
    if (edit.text !== '') parts.push(Buffer.from(edit.text, 'utf8'));
    at = edit.end;
  }
  if (at < body.length) parts.push(body.subarray(at));
  return parts;
}

/** The same of a body that is not at hand: the ranges that stay, and what comes between them. */
export function spliceRanges(
  length: number,
  edits: readonly Edit[],
): readonly (Buffer | { readonly start: number; readonly end: number })[] {
  const parts: (Buffer | { readonly start: number; readonly end: number })[] = [];
  let at = 0;
  for (const edit of edits.toSorted((left, right) => left.start - right.start)) {
    if (edit.start > at) parts.push({ start: at, end: edit.start });
    if (edit.text !== '') parts.push(Buffer.from(edit.text, 'utf8'));
    at = edit.end;
  }
  if (at < length) parts.push({ start: at, end: length });
  return parts;
}

/** Bytes in a list of buffers. */
export function totalBytes(parts: readonly Buffer[]): number {
  let total = 0;
  for (const part of parts) total += part.length;
  return total;
}
