import type { BreakerOptions } from '@bifrost/core';
import type { JsonObject, OnError } from '@bifrost/sdk';
import type { GrpcSettings, PluginEntry, RollbackSettings } from '../plugins/plugin-entry.ts';
import type { PluginFile } from './plugin-schema.ts';

const bytesOfMegabyte = 1_048_576;

type Stated<Members> = { [Name in keyof Members]?: Exclude<Members[Name], undefined> };

/** The members that have a value. */
function stated<Members extends object>(members: Members): Stated<Members> {
  // Filtering by value leaves each member's type.
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Stated<Members>;
}

function toOnError(file: PluginFile['on_error']): OnError | undefined {
  return typeof file === 'object' ? { disableAfter: file.disable_after } : file;
}

function toBreaker(file: PluginFile['breaker']): BreakerOptions | false | undefined {
  if (file === undefined || file === false) return file;
  const { failures, failure_rate: errorRate, window_ms: windowMs, cool_down_ms: coolDownMs } = file;
  return stated({ failures, errorRate, windowMs, coolDownMs });
}

function toRollback(file: PluginFile['rollback']): RollbackSettings | false | undefined {
  if (file === undefined || file === false) return file;
  return stated({ failureRate: file.failure_rate, minCalls: file.min_calls });
}

function toGrpc({ address, command, args, env, tls }: PluginFile): GrpcSettings | undefined {
  const { ca, cert, key, server_name: serverName } = tls ?? {};
  const certificates = tls === undefined ? undefined : stated({ ca, cert, key, serverName });
  const settings = stated({ address, command, args, env, tls: certificates });
  return Object.keys(settings).length === 0 ? undefined : settings;
}

/** An entry of `plugins` with the names that the code uses; `enabled` by default. */
export function toPluginEntry(file: PluginFile): PluginEntry {
  const { name, path, config, placement, order, required, isolation, instances, watch, sha256, integrity } = file;
  return {
    name,
    enabled: file.enabled ?? true,
    ...stated({
      path,
      placement,
      order,
      required,
      guard: file.guard,
      onLoadFailure: file.on_load_failure,
      isolation,
      instances,
      watch,
      integrity,
      // The file is JSON.
      config: config as JsonObject | undefined,
      sha256: sha256?.toLowerCase(),
      capabilities: file.capabilities as PluginEntry['capabilities'],
      memoryLimitBytes: file.memory_limit_mb === undefined ? undefined : file.memory_limit_mb * bytesOfMegabyte,
      cpuLimit: file.cpu_limit,
      timeoutMs: file.timeout_ms,
      onError: toOnError(file.on_error),
      breaker: toBreaker(file.breaker),
      budgetMs: file.budget_ms,
      rollback: toRollback(file.rollback),
      probationMs: file.probation_seconds === undefined ? undefined : file.probation_seconds * 1000,
      injectConcurrency: file.semaphore_size,
      injectTimeoutMs: file.inject_timeout,
      grpc: toGrpc(file),
    }),
  };
}
