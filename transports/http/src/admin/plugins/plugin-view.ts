/** A plugin as the admin API shows it: Bifrost's members, and what only this gateway knows. */
import type { JsonObject } from '@bifrost/sdk';
import type { ManagedPlugin } from '@bifrost/framework/plugin-manager';

/** Which of Bifrost's plugin interfaces the hooks make up. */
function typesOf(hooks: readonly string[]): readonly string[] {
  const kinds = [
    ['llm', /^(pre|post)(LLM|Request)Hook$|^streamEventHook$/],
    ['mcp', /MCP/],
    ['http', /^httpTransport/],
    ['observability', /^inject$/],
  ] as const;
  return kinds.filter(([, pattern]) => hooks.some((hook) => pattern.test(hook))).map(([name]) => name);
}

/** The sentences that say why it is as it is, the last change's failure last. */
function logsOf({ message, lastError }: ManagedPlugin): readonly string[] {
  return [message, lastError?.message].filter((line) => line !== undefined);
}

/**
 * `config`: what of it may be shown.
 */
export function formatPlugin(plugin: ManagedPlugin, config: JsonObject): object {
  const { name, entry, state, hooks } = plugin;
  return {
    name,
    actualName: plugin.actualName ?? name,
    enabled: entry.enabled,
    config,
    isCustom: entry.path !== undefined || entry.grpc !== undefined,
    path: entry.path ?? null,
    placement: plugin.placement,
    order: plugin.order,
    status: { name, status: state, logs: logsOf(plugin), types: typesOf(hooks) },
    version: plugin.version ?? null,
    kind: plugin.kind ?? null,
    isolation: plugin.isolation,
    hooks,
    isGuard: plugin.isGuard,
    required: plugin.isRequired,
    watch: entry.watch ?? false,
    sha256: plugin.digest ?? null,
    file: plugin.file ?? null,
    trial: plugin.trial ?? null,
    generation: plugin.generation,
    loadedAt: plugin.loadedAt === undefined ? null : new Date(plugin.loadedAt).toISOString(),
    loadMs: plugin.loadMs ?? null,
    instances: plugin.instances,
    memoryBytes: plugin.memoryBytes ?? null,
    cpuLoad: plugin.cpuLoad ?? null,
    code: plugin.code ?? null,
    lastError:
      plugin.lastError === undefined ? null : { ...plugin.lastError, at: new Date(plugin.lastError.at).toISOString() },
  };
}
