import type { LogLevel } from '@bifrost/core';
import type { PluginLog } from '@bifrost/sdk';
import { cutText, plainFields } from '../log-line.ts';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
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
    const name = levels.find((known) => known === level) ?? 'info';
    this.#logger[name](cutText(message), { ...plainFields(fields), plugin: this.#plugin });
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    const message = `plugin ${this.#plugin}: ${this.#dropped} log lines were left out: it writes more than ${linesPerSecond} in a second`;
    this.#dropped = 0;
    this.#logger.warn(message, { plugin: this.#plugin });
  }
}
