import type { JsonObject, PluginLog } from '@bifrost/sdk';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields?: JsonObject;
}

/** Keeps what a plugin and its loader log: the newest thousand lines. */
export class LogLines {
  readonly lines: LogLine[] = [];
  readonly log: PluginLog;

  constructor() {
    const write = (level: LogLine['level']) => (message: string, fields?: JsonObject) => {
      this.lines.push({ level, message, ...(fields === undefined ? {} : { fields }) });
      if (this.lines.length > 1000) this.lines.splice(0, 500);
    };
    this.log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  }
}
