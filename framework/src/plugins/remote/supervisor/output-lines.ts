import type { Readable } from 'node:stream';

const maxCharacters = 8192;

/** Cuts what a plugin writes to a standard stream into lines; a line without end is cut, so that nothing is gathered without bound. */
export function readOutputLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onLine(line.slice(0, maxCharacters));
    if (rest.length < maxCharacters) return;
    onLine(rest.slice(0, maxCharacters));
    rest = '';
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest.slice(0, maxCharacters));
    rest = '';
  });
  stream.on('error', () => undefined); // the realm has gone
}
