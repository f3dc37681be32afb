import type { LogRecord } from './logger.ts';

const colours: Readonly<Record<LogRecord['level'], string>> = { debug: '90', info: '32', warn: '33', error: '31' };

function formatValue(value: unknown): string {
  if (typeof value === 'string') return /^[\w./:@%+-]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? 'undefined';
}

/** `12:34:56.789 INFO  message key=value`: one line for people. Line breaks of a message are indented, not cut. */
export function formatPrettyLine(record: LogRecord, time: Date, isColoured: boolean): string {
  const clock = time.toISOString().slice(11, 23);
  const name = record.level.toUpperCase().padEnd(5);
  const level = isColoured ? `\u001b[${colours[record.level]}m${name}\u001b[0m` : name;
  const fields = Object.entries(record.fields ?? {}).map(([key, value]) => ` ${key}=${formatValue(value)}`);
  return `${clock} ${level} ${record.message.replaceAll('\n', '\n             ')}${fields.join('')}\n`;
}
