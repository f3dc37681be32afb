import type { PluginChains } from '../plugins/chain.ts';
import type { ClientConfig } from '../config.ts';
import { ProviderRuntime } from './provider-runtime.ts';
import { mockProviderConfig } from '../providers/mock/config.ts';
import { resolveModel } from './resolve-model.ts';
import type { Target } from './resolve-model.ts';
import type { EngineSnapshot } from './seam.ts';

/** Targets that are remembered; a caller may name any number of models. */
const maxRememberedTargets = 1000;

/** A configuration snapshot at work. Requests hold it from their start to their end. */
export class SnapshotRuntime {
  readonly version: number;
  readonly client: ClientConfig;
  readonly plugins: PluginChains | null;
  readonly providers: ReadonlyMap<string, ProviderRuntime>;
  /** The caller's headers that may pass without the `x-bf-eh-` prefix, and those that never pass; lower case. */
  readonly allowedHeaders: ReadonlySet<string>;
  readonly deniedHeaders: ReadonlySet<string>;
  /** Requests on this snapshot. */
  users = 0;
  onIdle: (() => void) | null = null;
  /** By default provider of the route, then by the model as it was named. */
  readonly #targets = new Map<string | undefined, Map<string, Target>>();

  constructor(snapshot: EngineSnapshot, previous: SnapshotRuntime | undefined) {
    this.version = snapshot.version;
    this.client = snapshot.client;
    this.plugins = snapshot.plugins;
    const providers = new Map<string, ProviderRuntime>();
    for (const [name, config] of snapshot.providers) {
      providers.set(name, new ProviderRuntime(config, previous?.providers.get(name)));
    }
    const mock = mockProviderConfig.definition.name;
    if (!providers.has(mock)) {
      providers.set(mock, new ProviderRuntime(mockProviderConfig, previous?.providers.get(mock)));
    }
    this.providers = providers;
    this.allowedHeaders = new Set(snapshot.client.headerAllowlist.map((name) => name.toLowerCase()));
    this.deniedHeaders = new Set(snapshot.client.headerDenylist.map((name) => name.toLowerCase()));
  }

  /** See `resolveModel`; what was found is remembered. Throws InvalidRequestError. */
  targetOf(model: string, defaultProvider: string | undefined): Target {
    let remembered = this.#targets.get(defaultProvider);
    if (remembered === undefined) this.#targets.set(defaultProvider, (remembered = new Map()));
    let target = remembered.get(model);
    if (target === undefined) {
      target = resolveModel(model, this.providers, defaultProvider);
      if (remembered.size >= maxRememberedTargets) remembered.clear();
      remembered.set(model, target);
    }
    return target;
  }

  release(): void {
    this.users -= 1;
    if (this.users === 0) this.onIdle?.();
  }

  /** Closes the connections that `next` has not taken over. */
  async closeUnless(next: SnapshotRuntime | undefined): Promise<void> {
    const closing = [...this.providers.values()].filter((one) => !one.sharesConnections(next?.providers.get(one.name)));
    await Promise.allSettled(closing.map((one) => one.close()));
  }
}
