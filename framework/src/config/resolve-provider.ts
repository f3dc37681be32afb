import type { KeyConfig, NetworkConfig, ProviderConfig, ProviderDefinition, ProxyConfig } from '@bifrost/core';
import { defaultConcurrency, defaultNetwork, defaultQueueSize } from '@bifrost/core/providers';
import { formatPath } from './problem.ts';
import type { ConfigProblem, PathStep } from './problem.ts';
import { unusedNetworkKeys, unusedProviderKeys } from './provider-schema.ts';
import type { ProviderFile } from './provider-schema.ts';
import { resolveKey, trimBaseUrl } from './resolve-key.ts';

/** What the resolution of one provider needs to know and where it reports to. */
export interface ProviderContext {
  readonly provider: string;
  readonly definition: ProviderDefinition;
  readonly isKeyless: boolean;
  /** 1: an empty `models` allows all; 2: it allows none. */
  readonly version: 1 | 2;
  problem(steps: readonly PathStep[], message: string): void;
  unused(steps: readonly PathStep[]): void;
}

/** Collects what the resolution of all providers has to say. */
export interface ProviderReport {
  readonly problems: ConfigProblem[];
  readonly unusedPaths: string[];
}

function resolveNetwork(file: NonNullable<ProviderFile['network_config']>): NetworkConfig {
  const seconds = (value: number | undefined, fallback: number): number =>
    value === undefined ? fallback : value * 1000;
  return {
    connectTimeoutMs: seconds(file.connect_timeout_in_seconds, defaultNetwork.connectTimeoutMs),
    firstContentTimeoutMs: seconds(file.default_request_timeout_in_seconds, defaultNetwork.firstContentTimeoutMs),
    streamIdleTimeoutMs: seconds(file.stream_idle_timeout_in_seconds, defaultNetwork.streamIdleTimeoutMs),
    totalTimeoutMs: seconds(file.request_deadline_in_seconds, defaultNetwork.totalTimeoutMs),
    maxRetries: file.max_retries ?? defaultNetwork.maxRetries,
    retryBackoffInitialMs: file.retry_backoff_initial ?? defaultNetwork.retryBackoffInitialMs,
    retryBackoffMaxMs: file.retry_backoff_max ?? defaultNetwork.retryBackoffMaxMs,
    keepAliveTimeoutMs: seconds(file.keep_alive_timeout_in_seconds, defaultNetwork.keepAliveTimeoutMs),
    maxConnectionsPerHost: file.max_conns_per_host ?? defaultNetwork.maxConnectionsPerHost,
    extraHeaders: file.extra_headers ?? {},
    isTlsVerificationOff: file.insecure_skip_verify ?? false,
    ...(file.ca_cert_pem ? { caCertificatePem: file.ca_cert_pem } : {}),
    ...(file.allow_private_network === undefined ? {} : { isPrivateNetworkAllowed: file.allow_private_network }),
    ...resolveDrain(file),
    ...resolveThroughputGuard(file),
  };
}

const defaultProbeSeconds = 5;

function resolveThroughputGuard(file: NonNullable<ProviderFile['network_config']>): Partial<NetworkConfig> {
  const guard = file.stream_throughput_guard;
  if (guard === undefined) return {};
  return {
    throughputGuard: {
      minCharactersPerSecond: guard.minimum_output_characters_per_second,
      probeWindowMs: (guard.probe_window_in_seconds ?? defaultProbeSeconds) * 1000,
      watchWindowMs: (guard.watch_window_in_seconds ?? 0) * 1000,
    },
  };
}

function resolveDrain(file: NonNullable<ProviderFile['network_config']>): Partial<NetworkConfig> {
  const { on_client_disconnect: policy, drain_timeout_in_seconds: seconds, drain_max_size_mb: megabytes } = file;
  return {
    ...(policy === undefined ? {} : { onClientDisconnect: policy }),
    ...(seconds === undefined ? {} : { drainTimeoutMs: seconds * 1000 }),
    ...(megabytes === undefined ? {} : { drainMaxBytes: megabytes * 1024 * 1024 }),
  };
}

function resolveProxy(file: ProviderFile['proxy_config']): ProxyConfig {
  if (file === undefined) return { type: 'none' };
  return {
    type: file.type,
    ...(file.url ? { url: file.url } : {}),
    ...(file.username ? { username: file.username } : {}),
    ...(file.password ? { password: file.password } : {}),
    ...(file.ca_cert_pem ? { caCertificatePem: file.ca_cert_pem } : {}),
  };
}

function resolveKeys(file: ProviderFile, context: ProviderContext): readonly KeyConfig[] {
  const keys = (file.keys ?? []).map((key, index) =>
    resolveKey(key, index, {
      ...context,
      problem: (steps, message) => context.problem(['keys', index, ...steps], message),
    }),
  );
  keys.forEach(({ name }, index) => {
    const first = keys.findIndex((key) => key.name === name);
    if (first < index) context.problem(['keys', index, 'name'], `is the name of keys[${first}] too; names must differ`);
  });
  // A provider that needs no key gets its one empty key from the engine.
  if (keys.length > 0 || context.isKeyless) return keys;
  context.problem(['keys'], 'is missing or empty; expected at least one key, e.g. [{"value": "env.MY_KEY"}]');
  return [];
}

function reportUnused(file: ProviderFile, context: ProviderContext): void {
  for (const key of unusedProviderKeys) if (file[key as keyof ProviderFile] !== undefined) context.unused([key]);
  const network = file.network_config ?? {};
  for (const key of unusedNetworkKeys) {
    if (network[key as keyof typeof network] !== undefined) context.unused(['network_config', key]);
  }
  if (file.custom_provider_config?.wait_for_usage !== undefined)
    context.unused(['custom_provider_config', 'wait_for_usage']);
}

/** Opens the context of one provider on a common report. */
export function createProviderContext(
  report: ProviderReport,
  facts: Pick<ProviderContext, 'provider' | 'definition' | 'isKeyless' | 'version'>,
): ProviderContext {
  const path = (steps: readonly PathStep[]): string => formatPath(['providers', facts.provider, ...steps]);
  return {
    ...facts,
    problem: (steps, message) => report.problems.push({ path: path(steps), message }),
    unused: (steps) => report.unusedPaths.push(path(steps)),
  };
}

/** One entry of `providers` with its defaults. */
export function resolveProvider(file: ProviderFile, context: ProviderContext): ProviderConfig {
  const { definition } = context;
  const network = file.network_config ?? {};
  const surfacePaths = definition.surfaces.map(({ path }) => path);
  const custom = file.custom_provider_config;
  reportUnused(file, context);
  return {
    definition: {
      ...definition,
      name: context.provider,
      ...(context.isKeyless ? { isKeyless: true } : {}),
      ...(network.base_url === undefined ? {} : { baseUrl: trimBaseUrl(network.base_url, surfacePaths) }),
    },
    keys: resolveKeys(file, context),
    network: resolveNetwork(network),
    proxy: resolveProxy(file.proxy_config),
    concurrency: file.concurrency_and_buffer_size?.concurrency ?? defaultConcurrency,
    queueSize: file.concurrency_and_buffer_size?.buffer_size ?? defaultQueueSize,
    isRawRequestSentBack: file.send_back_raw_request ?? false,
    isRawResponseSentBack: file.send_back_raw_response ?? false,
    ...(custom?.allowed_requests === undefined
      ? {}
      : {
          allowedRequests: Object.entries(custom.allowed_requests)
            .filter(([, isAllowed]) => isAllowed)
            .map(([name]) => name),
        }),
    ...(custom?.request_path_overrides === undefined ? {} : { requestPathOverrides: custom.request_path_overrides }),
  };
}
