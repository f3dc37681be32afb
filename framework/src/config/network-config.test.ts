import type { ProviderConfig } from '@bifrost/core';
import { describe, expect, it } from 'vitest';
import { load, openai } from './__tests__/load-file.ts';

/** A provider whose `network_config` says this. Throws what is wrong with it. */
const withNetwork = (network_config: object): ProviderConfig =>
  load(openai({ network_config })).providers.get('openai') as ProviderConfig;

describe('network_config', () => {
  it("takes Bifrost's network settings, seconds and durations by what the key says", () => {
    const network_config = {
      base_url: 'https://proxy.example/openai/',
      default_request_timeout_in_seconds: 30,
      stream_idle_timeout_in_seconds: 60,
      request_deadline_in_seconds: 90,
      connect_timeout_in_seconds: 4,
      retry_backoff_initial: '250ms',
      retry_backoff_max: '1m1.5s',
      max_retries: 3,
      keep_alive_timeout_in_seconds: 10,
      max_conns_per_host: 7,
      extra_headers: { 'x-team': 'blue' },
      insecure_skip_verify: true,
      allow_private_network: true,
    };
    const provider = withNetwork(network_config);
    expect(provider.definition.baseUrl).toBe('https://proxy.example/openai');
    expect(provider.network).toEqual({
      connectTimeoutMs: 4000,
      firstContentTimeoutMs: 30_000,
      streamIdleTimeoutMs: 60_000,
      totalTimeoutMs: 90_000,
      maxRetries: 3,
      retryBackoffInitialMs: 250,
      retryBackoffMaxMs: 61_500,
      keepAliveTimeoutMs: 10_000,
      maxConnectionsPerHost: 7,
      extraHeaders: { 'x-team': 'blue' },
      isTlsVerificationOff: true,
      isPrivateNetworkAllowed: true,
    });
  });

  it('takes what happens to slow streams and to clients that leave, and leaves it to the provider where it says nothing', () => {
    const networkOf = (network_config: object) => withNetwork(network_config).network;
    const guard = { minimum_output_characters_per_second: 40 };
    expect(networkOf({ stream_throughput_guard: guard }).throughputGuard).toEqual({
      minCharactersPerSecond: 40,
      probeWindowMs: 5000,
      watchWindowMs: 0,
    });
    const watching = { ...guard, probe_window_in_seconds: 3, watch_window_in_seconds: 30 };
    expect(networkOf({ stream_throughput_guard: watching }).throughputGuard).toEqual({
      minCharactersPerSecond: 40,
      probeWindowMs: 3000,
      watchWindowMs: 30_000,
    });
    const drain = { on_client_disconnect: 'drain', drain_timeout_in_seconds: 5, drain_max_size_mb: 2 };
    expect(networkOf(drain)).toMatchObject({
      onClientDisconnect: 'drain',
      drainTimeoutMs: 5000,
      drainMaxBytes: 2 * 1024 * 1024,
    });
    const silent = networkOf({ max_retries: 1 });
    expect(silent).not.toHaveProperty('onClientDisconnect');
    expect(silent).not.toHaveProperty('throughputGuard');
    expect(() => withNetwork({ on_client_disconnect: 'wait' })).toThrow('on_client_disconnect');
    expect(() => withNetwork({ stream_throughput_guard: {} })).toThrow('minimum_output_characters_per_second');
  });
});
