/** Checks an entry's `config` against the plugin's schema. */
import { settleWithin } from '@bifrost/core/plugins';
import { deepFreeze, PluginError } from '@bifrost/sdk';
import type { ConfigSchema, JsonObject } from '@bifrost/sdk';

/** A path of Standard Schema: keys, or objects with a `key`. */
function pathText(path: readonly unknown[] | undefined): string {
  let text = 'config';
  for (const step of path ?? []) {
    const key: unknown = typeof step === 'object' && step !== null && 'key' in step ? step.key : step;
    text += typeof key === 'number' ? `[${key}]` : `.${String(key)}`;
  }
  return text;
}

/**
 * The config that the plugin gets: what its schema yields (defaults filled in), or `config` as it stands; frozen.
 * Throws PluginError that lists every issue with its path.
 */
export async function validatePluginConfig(
  name: string,
  schema: ConfigSchema<unknown> | undefined,
  given: { readonly config: JsonObject | undefined; readonly timeoutMs: number },
): Promise<unknown> {
  const config = given.config ?? {};
  if (schema === undefined) return deepFreeze(structuredClone(config));
  const settled = await settleWithin(
    Promise.resolve().then(() => schema['~standard'].validate(structuredClone(config))),
    given.timeoutMs,
  );
  if (settled.kind !== 'value') {
    const why = settled.kind === 'timeout' ? `did not answer within ${given.timeoutMs} ms` : 'threw';
    throw new PluginError(name, `its configSchema ${why} instead of reporting issues`, {
      code: 'BF_PLUGIN_CONFIG_INVALID',
      ...(settled.kind === 'threw' ? { cause: settled.thrown } : {}),
    });
  }
  // Standard Schema: a result has `issues`, or else `value`.
  const result = settled.value as Awaited<ReturnType<ConfigSchema<unknown>['~standard']['validate']>>;
  if (result.issues === undefined) return deepFreeze(result.value);
  const issues = result.issues.map((issue) => `${pathText(issue.path)}: ${issue.message}`);
  throw new PluginError(name, `its config is wrong: ${issues.join('; ')}`, { code: 'BF_PLUGIN_CONFIG_INVALID' });
}
