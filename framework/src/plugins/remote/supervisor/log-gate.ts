import type { LogLevel } from '@bifrost/core';
import { isJsonObject } from '@bifrost/sdk';
import type { JsonObject, PluginLog } from '@bifrost/sdk';

const levels: readonly string[] = ['debug', 'info', 'warn', 'error'] satisfies LogLevel[];
const linesPerSecond = 1000;

/** Where a plugin's lines come in from its realm: as many as a log can bear, the rest counted. */
export class LogGate {
  readonly #logger: PluginLog;
  readonly #plugin: string;
  #second = 0;
  #lines = 0;
  #dropped = 0;

  constructor(logger: PluginLog, plugin: string) {
    this.#logger = logger;
    this.#plugin = plugin;
  }

  /** `level` and `fields` are as the realm sent them: checked here. */
  write(level: unknown, message: unknown, fields: unknown): void {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = 0;
      this.#reportDropped();
    }
    this.#lines += 1;
    if (this.#lines > linesPerSecond) {
      this.#dropped += 1;
      return;
    }
    const name = levels.includes(String(level)) ? (level as LogLevel) : 'info';
    const known: JsonObject = isJsonObject(fields as JsonObject) ? (fields as JsonObject) : {};
    this.#logger[name](String(message), { ...known, plugin: this.#plugin });
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    const message = `plugin ${this.#plugin}: ${this.#dropped} log lines were left out: it writes more than ${linesPerSecond} in a second`;
    this.#dropped = 0;
    this.#logger.warn(message, { plugin: this.#plugin });
  }
}
