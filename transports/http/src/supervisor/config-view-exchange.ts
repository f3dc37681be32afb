import { configViewFailed } from '@bifrost/framework/plugin-manager';
import type { ConfigQuestion } from '@bifrost/framework/plugins';
import type { JsonObject } from '@bifrost/sdk';
import type { FromThread } from './messages.ts';
import type { ServingWorker } from './serving-worker.ts';

type Viewed = Extract<FromThread, { readonly type: 'config-viewed' }>;

/** Longer than a plugin may take. */
const waitMs = 4000;

/** Asks a thread what a plugin in it makes of a config. */
export class ConfigViewExchange {
  readonly #asked = new Map<number, (answer: Viewed) => void>();
  #lastId = 0;

  /** Rejects with PluginError, also where no thread answers. */
  ask([worker]: readonly ServingWorker[], load: number, question: ConfigQuestion): Promise<JsonObject> {
    const { plugin, view } = question;
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const finish = ({ value, failure }: Pick<Viewed, 'value' | 'failure'>): void => {
        clearTimeout(timer);
        this.#asked.delete(id);
        if (value === undefined) reject(configViewFailed(plugin, view, failure ?? 'failed'));
        else resolve(value);
      };
      const timer = setTimeout(() => finish({ failure: 'was not answered in time' }), waitMs);
      this.#asked.set(id, finish);
      if (worker === undefined) finish({ failure: 'was not asked: no thread serves' });
      else worker.post({ type: 'view-config', id, load, question });
    });
  }

  receive(answer: Viewed): void {
    this.#asked.get(answer.id)?.(answer);
  }
}
