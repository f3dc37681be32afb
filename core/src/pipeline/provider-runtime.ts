import type { DialectName } from '@bifrost/sdk';
import type { KeyConfig, ProviderConfig } from '../config.ts';
import { defaultDrain } from '../config-defaults.ts';
import { callAddress } from './call-address.ts';
import type { DrainLimits } from './drain.ts';
import type { Surface } from '../providers/provider.ts';
import { ProviderGate } from '../reliability/gate.ts';
import { eligibleKeys } from '../reliability/key-selection.ts';
import { RetryBudget } from '../reliability/retry-budget.ts';
import { parseAddress } from '../upstream/address.ts';
import type { UpstreamAddress } from '../upstream/address.ts';
import type { UpstreamTransport } from '../upstream/call.ts';
import type { RequestHeaders } from '../upstream/request-headers.ts';
import { createTransport } from '../upstream/transport.ts';

/** Models whose keys are remembered; a caller may name any number of models. */
const maxRememberedModels = 1000;

/** Connections of one provider, closed when the last snapshot that uses them has gone. */
interface Connections {
  readonly fingerprint: string;
  readonly transport: UpstreamTransport;
}

/**
 * One configured provider at work: its connections, its queue, its retry budget. Made anew for every snapshot; what still fits
 * (connections of the same network settings, the queue, the budget) is taken over from the one before.
 */
export class ProviderRuntime {
  readonly name: string;
  readonly config: ProviderConfig;
  readonly gate: ProviderGate;
  readonly budget: RetryBudget;
  /** How far an answer is read on whose client has gone; null: its call is ended. */
  readonly drain: DrainLimits | null;
  /** The outbound headers of each key for a caller that adds none, for whole answers and for streams. */
  readonly wholeHeaders = new Map<KeyConfig, RequestHeaders>();
  readonly streamHeaders = new Map<KeyConfig, RequestHeaders>();
  readonly #connections: Connections | undefined;
  readonly #addresses = new Map<string, UpstreamAddress>();
  /** By the surface's path, then by base URL. */
  readonly #surfaceAddresses = new Map<string, Map<string, UpstreamAddress>>();
  readonly #eligible = new Map<string, readonly KeyConfig[]>();

  constructor(config: ProviderConfig, previous: ProviderRuntime | undefined) {
    this.name = config.definition.name;
    this.config = config;
    this.gate = previous?.gate ?? new ProviderGate(config.concurrency, config.queueSize);
    this.gate.resize(config.concurrency, config.queueSize);
    this.budget = previous?.budget ?? new RetryBudget();
    this.drain = drainLimits(config);
    if (config.definition.isEmbedded === true) return;
    const fingerprint = JSON.stringify([config.network, config.proxy]);
    const earlier = previous === undefined ? undefined : previous.#connections;
    this.#connections =
      earlier?.fingerprint === fingerprint
        ? earlier
        : { fingerprint, transport: createTransport(config.network, config.proxy) };
  }

  get transport(): UpstreamTransport {
    if (this.#connections === undefined) throw new TypeError(`${this.name} answers in process and has no connections`);
    return this.#connections.transport;
  }

  /** True when both use the same connections. */
  sharesConnections(other: ProviderRuntime | undefined): boolean {
    return other !== undefined && this.#connections !== undefined && this.#connections === other.#connections;
  }

  /** Closes the connections once the calls under way have ended. */
  async close(): Promise<void> {
    await this.#connections?.transport.close();
  }

  /** The keys that may serve `model`; throws like `eligibleKeys`. */
  keysFor(model: string): readonly KeyConfig[] {
    let keys = this.#eligible.get(model);
    if (keys === undefined) {
      keys = eligibleKeys(this.config, model);
      if (this.#eligible.size >= maxRememberedModels) this.#eligible.clear();
      this.#eligible.set(model, keys);
    }
    return keys;
  }

  /** Where a base URL (the provider's or a key's own) leads. */
  address(baseUrl: string): UpstreamAddress {
    let address = this.#addresses.get(baseUrl);
    if (address === undefined) {
      address = parseAddress(baseUrl);
      this.#addresses.set(baseUrl, address);
    }
    return address;
  }

  /** Where calls of a surface go whose path is the same for every request. */
  surfaceAddress(baseUrl: string, path: string): UpstreamAddress {
    let ofPath = this.#surfaceAddresses.get(path);
    if (ofPath === undefined) this.#surfaceAddresses.set(path, (ofPath = new Map()));
    let address = ofPath.get(baseUrl);
    if (address === undefined) {
      address = callAddress(this.address(baseUrl), path, '');
      ofPath.set(baseUrl, address);
    }
    return address;
  }

  /** The provider's own way to speak `dialect`, if it has one. */
  surfaceOf(dialect: DialectName): Surface | undefined {
    for (const surface of this.config.definition.surfaces) if (surface.dialect === dialect) return surface;
    return undefined;
  }
}

function drainLimits({ definition, network }: ProviderConfig): DrainLimits | null {
  if ((network.onClientDisconnect ?? definition.onClientDisconnect) !== 'drain') return null;
  return {
    maxMs: network.drainTimeoutMs ?? defaultDrain.maxMs,
    maxBytes: network.drainMaxBytes ?? defaultDrain.maxBytes,
  };
}
