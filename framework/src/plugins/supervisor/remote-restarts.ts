/** Starts plugins again that have ended by themselves: with growing pauses, and not for ever. */
import { messageOf } from '@bifrost/core';
import type { RemoteExit } from '../remote/remote-plugin.ts';
import type { PluginLoad } from './plugin-load.ts';

export interface RestartLimits {
  /** The first pause; each further one is twice as long. @default 100 */
  readonly firstDelayMs?: number;
  /** @default 10000 */
  readonly maxDelayMs?: number;
  /** So many exits within `windowMs` put the plugin into quarantine. @default 5 */
  readonly maxExits?: number;
  /** @default 60000 */
  readonly windowMs?: number;
}

export interface RestartOptions {
  readonly limits: RestartLimits;
  /** Loads the plugin anew in the place of `load`. Rejects with what kept it from that. */
  readonly restart: (load: PluginLoad) => Promise<void>;
  readonly quarantine: (name: string, reason: string) => void;
  /** What the status is to say. */
  readonly say: (name: string, remark: string) => void;
}

export class RemoteRestarts {
  readonly #options: RestartOptions;
  /** When the plugins of a name have ended, in milliseconds of `performance.now()`. */
  readonly #exits = new Map<string, number[]>();
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(options: RestartOptions) {
    this.#options = options;
  }

  exited(load: PluginLoad, { reason, hook }: RemoteExit): void {
    this.#again(load, hook === undefined ? reason : `${reason} in ${hook}`);
  }

  /** Somebody has loaded, replaced or removed it. */
  forget(name: string): void {
    this.#exits.delete(name);
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #again(load: PluginLoad, reason: string): void {
    const { limits, quarantine, say } = this.#options;
    const { firstDelayMs = 100, maxDelayMs = 10_000, maxExits = 5, windowMs = 60_000 } = limits;
    const { name } = load;
    const now = performance.now();
    const exits = [...(this.#exits.get(name) ?? []).filter((at) => now - at < windowMs), now];
    this.#exits.set(name, exits);
    clearTimeout(this.#timers.get(name));
    if (exits.length >= maxExits) {
      quarantine(name, `it ended ${exits.length} times within ${Math.ceil(windowMs / 1000)} s, last: ${reason}`);
      return;
    }
    const delayMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (exits.length - 1));
    say(name, `it ended by itself (${reason}) and is started again in ${delayMs} ms`);
    this.#timers.set(
      name,
      setTimeout(() => void this.#restart(load, reason), delayMs),
    );
  }

  async #restart(load: PluginLoad, reason: string): Promise<void> {
    // True while it starts, and of the line that says that it serves again; should it not, the failure takes its place.
    this.#options.say(load.name, `it ended by itself (${reason}) and is started again`);
    try {
      await this.#options.restart(load);
    } catch (error) {
      this.#again(load, `it could not be started again: ${messageOf(error)}`);
    }
  }
}
