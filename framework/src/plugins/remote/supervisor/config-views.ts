import type { JsonObject, PluginError } from '@bifrost/sdk';
import { configViewFailed, configViewTimeoutMs } from '../../config-view.ts';
import type { ConfigViewName } from '../../config-view.ts';
import type { FromRunner, ToRunner } from '../control.ts';

interface Asked {
  readonly view: ConfigViewName;
  readonly resolve: (value: JsonObject) => void;
  readonly reject: (error: PluginError) => void;
  readonly timer: NodeJS.Timeout;
}

/** Questions to a plugin in a realm of its own about a config. Each is answered, or fails with the realm or after a while. */
export class ConfigViews {
  readonly #plugin: string;
  readonly #send: (message: ToRunner) => void;
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;

  constructor(plugin: string, send: (message: ToRunner) => void) {
    this.#plugin = plugin;
    this.#send = send;
  }

  ask(view: ConfigViewName, config: JsonObject): Promise<JsonObject> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      // The realm has the same deadline and better words for it; it may hang.
      const timer = setTimeout(() => this.#fail(id, 'was not answered in time'), 2 * configViewTimeoutMs);
      this.#asked.set(id, { view, resolve, reject, timer });
      this.#send({ kind: 'view', id, view, config });
    });
  }

  answer({ id, value, failure = 'failed' }: Extract<FromRunner, { readonly kind: 'viewed' }>): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    if (value === undefined) {
      this.#fail(id, failure);
      return;
    }
    clearTimeout(asked.timer);
    this.#asked.delete(id);
    asked.resolve(value);
  }

  /** The realm has gone. */
  end(): void {
    for (const id of this.#asked.keys()) this.#fail(id, 'was not answered: the plugin has ended');
  }

  #fail(id: number, why: string): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    clearTimeout(asked.timer);
    this.#asked.delete(id);
    const { view, reject } = asked;
    reject(configViewFailed(this.#plugin, view, why));
  }
}
