import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { listProviderModels } from '@bifrost/core';
import type { KeyModels, ProviderConfig } from '@bifrost/core';
import type { ThreadConfig } from '../../supervisor/messages.ts';
import { formatError } from '../error-shape.ts';
import type { RouteEntry } from '../route-table.ts';
import { sendJson } from '../send-json.ts';
import { formatModelList } from './format-model-list.ts';
import type { KeyStatus, ModelEntry, ModelList } from './model-entry.ts';

const freshMs = 300_000;
/** A failure is asked again sooner. */
const failureFreshMs = 10_000;

interface CachedModels {
  readonly result: Promise<readonly KeyModels[]>;
  staleAt: number;
}

/** An embedded provider answers any name: one of them stands for all. */
const embeddedModel: KeyModels = { keyId: 'embedded', models: [{ id: 'hello', displayName: 'answers any name' }] };

/** Answers the routes that list models. Lists of providers are fetched when asked for, and kept a little. */
export class ModelLister {
  #providers: ReadonlyMap<string, ProviderConfig> = new Map();
  #cache = new Map<string, CachedModels>();

  configure(config: ThreadConfig): void {
    this.#providers = config.providers;
    this.#cache = new Map();
  }

  async answer(request: IncomingMessage, response: ServerResponse, route: RouteEntry): Promise<void> {
    const only = new URL(request.url ?? '/', 'http://localhost').searchParams.get('provider');
    if (only !== null && !this.#providers.has(only)) {
      const message = `provider ${JSON.stringify(only.slice(0, 100))} is not configured; configured are: ${[...this.#providers.keys()].join(', ')}`;
      const error = { statusCode: 400, code: 'BF_MODELS_PROVIDER_UNKNOWN', message } as const;
      sendJson(response, 400, JSON.parse(formatError(route.surface, error)));
      return;
    }
    const list = await this.#list(only);
    const failed = list.keyStatuses.filter(({ status }) => status !== 'success').map(({ provider }) => provider);
    const headers: Record<string, string> =
      failed.length === 0 ? {} : { 'x-bf-failed-providers': [...new Set(failed)].map(encodeURIComponent).join(', ') };
    sendJson(response, 200, formatModelList(route.surface, list), headers);
  }

  async #list(only: string | null): Promise<ModelList> {
    const names = [...this.#providers.keys()].filter((name) => only === null || only === name);
    const results = await Promise.all(names.map((name) => this.#modelsOf(name)));
    const models = new Map<string, ModelEntry>();
    const keyStatuses: KeyStatus[] = [];
    results.forEach((keys, index) => {
      const provider = names[index] ?? '';
      for (const { keyId, models: listed, error } of keys) {
        keyStatuses.push({
          provider,
          key_id: keyId,
          status: error === undefined ? 'success' : 'list_models_failed',
          ...(error === undefined ? {} : { error }),
        });
        for (const { id, ...facts } of listed) models.set(`${provider}/${id}`, { provider, model: id, ...facts });
      }
    });
    return { models: [...models.values()], keyStatuses };
  }

  #modelsOf(name: string): Promise<readonly KeyModels[]> {
    const provider = this.#providers.get(name);
    if (provider === undefined) return Promise.resolve([]);
    if (provider.definition.isEmbedded === true) return Promise.resolve([embeddedModel]);
    const now = performance.now();
    const cached = this.#cache.get(name);
    if (cached !== undefined && cached.staleAt > now) return cached.result;
    const entry: CachedModels = { result: listProviderModels(provider), staleAt: now + freshMs };
    this.#cache.set(name, entry);
    void entry.result.then((keys) => {
      if (keys.some(({ error }) => error !== undefined)) entry.staleAt = performance.now() + failureFreshMs;
    });
    return entry.result;
  }
}
