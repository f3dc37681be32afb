import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ProviderConfig } from '@bifrost/core';
import type { ThreadConfig } from '../../supervisor/messages.ts';
import type { RouteEntry } from '../route-table.ts';
import { sendJson } from '../send-json.ts';
import { formatModelList } from './format-model-list.ts';
import type { KeyStatus, ModelEntry, ModelList } from './model-entry.ts';

/** Names of models that keys state themselves: `models` without the wildcard, and aliases. */
function statedModels(provider: string, { keys }: ProviderConfig): ModelEntry[] {
  const names = new Set<string>();
  for (const key of keys) {
    if (!key.isEnabled) continue;
    for (const name of [...key.models, ...Object.keys(key.aliases)]) {
      if (name !== '*' && !key.blacklistedModels.includes(name)) names.add(name);
    }
  }
  return [...names].map((model) => ({ provider, model }));
}

/** Answers the routes that list models. */
export class ModelLister {
  #providers: ReadonlyMap<string, ProviderConfig> = new Map();

  configure(config: ThreadConfig): void {
    this.#providers = config.providers;
  }

  async answer(request: IncomingMessage, response: ServerResponse, route: RouteEntry): Promise<void> {
    const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
    const list = await this.#list(query.get('provider'));
    sendJson(response, 200, formatModelList(route.surface, list));
  }

  async #list(only: string | null): Promise<ModelList> {
    const keyStatuses: KeyStatus[] = [];
    const models: ModelEntry[] = [];
    for (const [name, provider] of this.#providers) {
      if (only !== null && only !== name) continue;
      const stated = statedModels(name, provider);
      if (provider.definition.isEmbedded === true && stated.length === 0)
        stated.push({ provider: name, model: 'hello' });
      models.push(...stated);
    }
    return { models, keyStatuses };
  }
}
