/** Longer names are not remembered. */
const maxRememberedLength = 40;
const slots = 1024;
/** By a hash of length and three characters: a name as it was sent last, and in lower case. */
const sentNames: string[] = Array.from({ length: slots }, () => '');
const lowerNames: string[] = Array.from({ length: slots }, () => '');

/**
 * The name of a header between `start` and `end` of a head, in lower case. Servers send the same names again and again: a name that is
 * remembered is one string, which costs neither a slice nor a search among V8's own names when it becomes a key (a quarter
 * of the time that a head takes).
 */
export function headerName(text: string, start: number, end: number): string {
  const length = end - start;
  if (length > maxRememberedLength) return text.slice(start, end).toLowerCase();
  const middle = text.charCodeAt(start + (length >> 1));
  const hash = (text.charCodeAt(start) * 31 + middle * 7 + text.charCodeAt(end - 1)) * 41 + length;
  const slot = hash & (slots - 1);
  const sent = sentNames[slot] as string;
  if (sent.length === length && text.startsWith(sent, start)) return lowerNames[slot] as string;
  const name = text.slice(start, end);
  const lowerName = name.toLowerCase();
  // A slice would keep the head that it is a part of. Copies do not, and a key of an object is V8's own string of that name.
  sentNames[slot] = Buffer.from(name, 'latin1').toString('latin1');
  lowerNames[slot] = Object.keys({ [lowerName]: 0 })[0] as string;
  return lowerName;
}
