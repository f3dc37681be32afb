import { writeSync } from 'node:fs';
import type { LogStyle } from './log-level.ts';
import type { LogSink } from './logger.ts';
import { withoutOwnNames } from './plain-fields.ts';
import { formatPrettyLine } from './pretty-line.ts';

export interface LogWriterOptions {
  readonly style: LogStyle;
  readonly isColoured: boolean;
  /** @default standard error */
  readonly fileDescriptor?: number;
}

/**
 * Writes records as lines: JSON by pino, or for people. Only the supervisor writes; threads post their records to it, so that
 * lines never mix.
 */
export async function createLogWriter(options: LogWriterOptions): Promise<LogSink> {
  const fileDescriptor = options.fileDescriptor ?? 2;
  if (options.style === 'pretty') {
    return (record) => writeLine(fileDescriptor, formatPrettyLine(record, new Date(), options.isColoured));
  }
  const { pino } = await import('pino');
  const logger = pino(
    {
      level: 'debug',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line: string) => writeLine(fileDescriptor, line) },
  );
  return ({ level, message, fields }) => logger[level](withoutOwnNames(fields), message);
}

/** A log that cannot be written (closed pipe, full disk) must not stop the gateway. */
function writeLine(fileDescriptor: number, line: string): void {
  try {
    writeSync(fileDescriptor, line);
  } catch {
    // EAGAIN of a full pipe, EPIPE of a closed one: the line is lost, the gateway goes on.
  }
}
