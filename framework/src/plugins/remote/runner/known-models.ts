import type { ModelInfo } from '@bifrost/sdk';

/** Models that requests brought along are forgotten from here on, the oldest first. */
const maxModels = 20_000;

/** What a runner knows of the gateway's catalogue. */
export class KnownModels {
  readonly #models = new Map<string, ModelInfo>();

  add(info: ModelInfo): void {
    const key = `${info.provider}/${info.model}`;
    this.#models.delete(key);
    this.#models.set(key, info);
    if (this.#models.size <= maxModels) return;
    const [oldest] = this.#models.keys();
    if (oldest !== undefined) this.#models.delete(oldest);
  }

  find(provider: string, model: string): ModelInfo | undefined {
    return this.#models.get(`${provider}/${model}`);
  }
}
