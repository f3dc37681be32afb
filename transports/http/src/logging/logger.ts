import type { PluginLog } from '@bifrost/sdk';
import { isLogged } from './log-level.ts';
import type { LogLevel } from './log-level.ts';
import { plainFields } from './plain-fields.ts';

/** A log line on its way: what it says and its facts; never a key, a prompt or a body. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Takes records that passed the threshold. */
export type LogSink = (record: LogRecord) => void;

/** Four methods, one for each level; the same shape as the log of a plugin. */
export interface Logger extends PluginLog {
  /** Whether `debug` writes anything: lets a hot path spare the making of fields. */
  readonly isDebug: boolean;
}

/** Some sinks post to another thread or write JSON, which not every value takes. */
function write(sink: LogSink, record: LogRecord): void {
  try {
    sink(record);
  } catch {
    sink({ ...record, message: String(record.message), fields: plainFields(record.fields ?? {}) });
  }
}

/** A logger above a sink. Its methods do not throw for what a line's fields hold. */
export function createLogger(level: LogLevel, sink: LogSink): Logger {
  const method = (own: LogLevel): PluginLog['info'] =>
    isLogged(own, level)
      ? (message, fields) =>
          write(sink, fields === undefined ? { level: own, message } : { level: own, message, fields })
      : () => undefined;
  return {
    isDebug: isLogged('debug', level),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
  };
}
