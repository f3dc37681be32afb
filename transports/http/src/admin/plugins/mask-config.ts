/** What of a plugin's `config` the API shows. */
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';
import { maskSecrets, restoreSecrets, secretMask } from '@bifrost/framework/admin';

/** Names that say that their value is a secret, for plugins without a schema. */
const secretName = /(^|[_-])(api[_-]?key|key|token|secret|password|passphrase|credentials?|authorization)$/i;
const reference = /^env\.[A-Za-z_][A-Za-z0-9_]*$/;

/** A schema that marks what the names in `value` say. */
function schemaOf(value: Json): JsonObject {
  if (Array.isArray(value)) return { prefixItems: (value as readonly Json[]).map(schemaOf) };
  if (!isJsonObject(value)) return {};
  const properties = Object.entries(value).map(([name, member]) => {
    const isSecret = typeof member === 'string' && secretName.test(name.replaceAll(/([a-z])([A-Z])/g, '$1_$2'));
    return [name, isSecret && !reference.test(member) ? { secret: true } : schemaOf(member ?? null)];
  });
  return { properties: Object.fromEntries(properties) as JsonObject };
}

/** Both: what the schema marks, and what its names say. */
function markedSchema(config: JsonObject, schema: JsonObject | undefined): JsonObject {
  return schema === undefined ? schemaOf(config) : { allOf: [schema, schemaOf(config)] };
}

/** `config` with its secrets masked. */
export function shownConfig(config: JsonObject, schema: JsonObject | undefined): JsonObject {
  return maskSecrets(config, markedSchema(config, schema));
}

/**
 * `given` with the secrets of `stored` in the place of the masks that a caller was shown and sent back. `missing`: paths of masks
 * that stand for nothing.
 */
export function restoredConfig(
  given: JsonObject,
  stored: JsonObject,
  schema: JsonObject | undefined,
): { readonly config: JsonObject; readonly missing: readonly string[] } {
  const marked = schema === undefined ? {} : schema;
  return restoreSecrets(given, stored, { allOf: [marked, schemaOf(stored), schemaOf(given)] });
}

export { secretMask };
