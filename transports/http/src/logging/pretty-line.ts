import type { LogRecord } from './logger.ts';
import { plainFields } from './plain-fields.ts';

const colours: Readonly<Record<LogRecord['level'], string>> = { debug: '90', info: '32', warn: '33', error: '31' };

const isPlain = /^[\w./:@%+-]+$/;
/** All but the line break and the tab: a terminal would do what they say. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const controls = /[\0-\x08\x0b-\x1f\x7f-\x9f]/g;

/** The text with its control characters written out. */
function visible(text: string): string {
  return text.replaceAll(controls, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function formatValue(value: unknown): string {
  if (typeof value === 'string') return isPlain.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? 'undefined';
}

function formatFields(fields: Readonly<Record<string, unknown>>): string {
  const plain = plainFields(fields);
  return Object.entries(plain)
    .map(([name, value]) => ` ${isPlain.test(name) ? name : JSON.stringify(name)}=${formatValue(value)}`)
    .join('');
}

/** `12:34:56.789 INFO  message key=value`: one line for people. Line breaks of a message are indented, not cut. */
export function formatPrettyLine(record: LogRecord, time: Date, isColoured: boolean): string {
  const clock = time.toISOString().slice(11, 23);
  const name = record.level.toUpperCase().padEnd(5);
  const level = isColoured ? `\u001b[${colours[record.level]}m${name}\u001b[0m` : name;
  const message = visible(record.message).replaceAll('\n', '\n             ');
  return `${clock} ${level} ${message}${visible(formatFields(record.fields ?? {}))}\n`;
}
