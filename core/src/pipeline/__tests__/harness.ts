import type { RequestTrace } from '@bifrost/sdk';
import type { ClientConfig, KeyConfig, NetworkConfig, ProviderConfig } from '../../config.ts';
import type { PluginChains } from '../../plugins/chain.ts';
import { providerDefinitions } from '../../providers/definitions.ts';
import type { ProviderDefinition } from '../../providers/provider.ts';
import { createEngine } from '../engine.ts';
import type { EngineOptions } from '../engine.ts';
import type { Engine, InboundRequest, InboundRoute } from '../seam.ts';
import { FakeSink } from './fake-sink.ts';

export const network: NetworkConfig = {
  connectTimeoutMs: 10_000,
  firstContentTimeoutMs: 600_000,
  streamIdleTimeoutMs: 120_000,
  totalTimeoutMs: 0,
  maxRetries: 0,
  retryBackoffInitialMs: 1,
  retryBackoffMaxMs: 5,
  keepAliveTimeoutMs: 30_000,
  maxConnectionsPerHost: 64,
  extraHeaders: {},
  isTlsVerificationOff: false,
};

export const client: ClientConfig = {
  dropExcessRequests: false,
  maxRequestBodyBytes: 100 * 1024 * 1024,
  requiredHeaders: [],
  allowedOrigins: [],
  headerAllowlist: [],
  headerDenylist: [],
  isPerRequestRawOverrideAllowed: false,
  keepAliveCommentSeconds: 15,
};

export function key(name: string, changes: Partial<KeyConfig> = {}): KeyConfig {
  return {
    id: `id-${name}`,
    name,
    value: `secret-${name}`,
    models: ['*'],
    blacklistedModels: [],
    weight: 1,
    aliases: {},
    isEnabled: true,
    ...changes,
  };
}

interface ProviderChanges extends Partial<Omit<ProviderConfig, 'network' | 'definition'>> {
  readonly network?: Partial<NetworkConfig>;
  readonly definition?: Partial<ProviderDefinition>;
}

/** A provider by its built-in definition, at `url`. */
export function provider(name: string, url: string, changes: ProviderChanges = {}): ProviderConfig {
  const definition = providerDefinitions.get(name) as ProviderDefinition;
  return {
    keys: [key('k1')],
    proxy: { type: 'none' },
    concurrency: 1000,
    queueSize: 5000,
    isRawRequestSentBack: false,
    isRawResponseSentBack: false,
    ...changes,
    definition: { ...definition, baseUrl: url, ...changes.definition },
    network: { ...network, ...changes.network },
  };
}

export const routes = {
  chat: { operation: 'conversation', dialect: 'openai-chat', requestType: 'chat_completion', isDropIn: false },
  openai: {
    operation: 'conversation',
    dialect: 'openai-chat',
    requestType: 'chat_completion',
    isDropIn: true,
    defaultProvider: 'openai',
  },
  responses: { operation: 'conversation', dialect: 'openai-responses', requestType: 'responses', isDropIn: false },
  anthropic: {
    operation: 'conversation',
    dialect: 'anthropic-messages',
    requestType: 'responses',
    isDropIn: true,
    defaultProvider: 'anthropic',
  },
  gemini: {
    operation: 'conversation',
    dialect: 'gemini-generate-content',
    requestType: 'responses',
    isDropIn: true,
    defaultProvider: 'gemini',
  },
} as const satisfies Record<string, InboundRoute>;

interface GatewayOptions extends EngineOptions {
  readonly providers: readonly ProviderConfig[];
  readonly client?: Partial<ClientConfig>;
  readonly plugins?: PluginChains;
}

/** An engine with fake clients. */
export class TestGateway implements AsyncDisposable {
  readonly engine: Engine;
  readonly traces: RequestTrace[] = [];
  #count = 0;

  constructor(options: GatewayOptions) {
    this.engine = createEngine({ onTrace: (trace) => this.traces.push(trace), ...options });
    this.configure(options);
  }

  configure(options: GatewayOptions): void {
    this.engine.configure({
      version: 1,
      providers: new Map(options.providers.map((one) => [one.definition.name, one])),
      client: { ...client, ...options.client },
      plugins: options.plugins ?? null,
    });
  }

  /** Sends a request and waits for its end. */
  async post(route: InboundRoute, body: unknown, more: Partial<InboundRequest> = {}): Promise<FakeSink> {
    const { sink, done } = this.open(route, body, more);
    await done;
    return sink;
  }

  /** Sends a request; `done` is its end. */
  open(
    route: InboundRoute,
    body: unknown,
    more: Partial<InboundRequest> = {},
    sink: FakeSink = new FakeSink(),
  ): { readonly sink: FakeSink; readonly done: Promise<void> } {
    this.#count += 1;
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const request: InboundRequest = {
      requestId: `request-${this.#count}`,
      route,
      method: 'POST',
      path: '/v1/chat/completions',
      query: '',
      headers: {},
      body: bytes,
      startedAt: performance.now(),
      ...more,
    };
    return { sink, done: this.engine.handle(request, sink) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.close();
  }
}
