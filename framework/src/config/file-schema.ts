import { z } from 'zod';
import { clientSchema } from './client-schema.ts';
import { pluginSchema } from './plugin-schema.ts';
import { pluginTrustSchema } from './plugin-trust-schema.ts';
import { providerSchema } from './provider-schema.ts';
import { frameworkSchema } from './resolve-framework.ts';
import { knownObject } from './schema-parts.ts';

/** Top-level sections of a Bifrost file that are accepted, unread, and named in a log line (bifrost-core 6.2). */
export const unusedSections: readonly string[] = [
  'source_of_truth',
  'encryption_key',
  'env_label',
  'server',
  'governance',
  'mcp',
  'vector_store',
  'config_store',
  'logs_store',
  'websocket',
  'webhooks',
  'auth_config',
  'feature_flags',
  'skills_registry',
  'large_payload_optimization',
  'guardrails_config',
  'audit_logs',
  'cluster_config',
  'load_balancer_config',
  'circuit_breaker_config',
  'scim_config',
  'access_profiles',
  'alerting',
];

const unusedShape = Object.fromEntries(unusedSections.map((name) => [name, z.unknown().optional()]));

/** config.json as a whole. */
export const fileSchema = knownObject({
  $schema: z.string().optional(),
  version: z.union([z.literal(1), z.literal(2)], { error: 'expected 1 or 2' }).optional(),
  client: clientSchema.optional(),
  providers: z.record(z.string().min(1), providerSchema).optional(),
  plugins: z.array(pluginSchema).optional(),
  plugins_dir: z.string().min(1).optional(),
  plugin_trust: pluginTrustSchema.optional(),
  framework: frameworkSchema.optional(),
  ...unusedShape,
});

/** What is read of config.json, after validation. */
export interface ConfigFile {
  readonly version?: 1 | 2 | undefined;
  readonly client?: z.output<typeof clientSchema> | undefined;
  readonly providers?: Readonly<Record<string, z.output<typeof providerSchema>>> | undefined;
  readonly plugins?: readonly z.output<typeof pluginSchema>[] | undefined;
  readonly plugins_dir?: string | undefined;
  readonly framework?: z.output<typeof frameworkSchema> | undefined;
  readonly plugin_trust?: z.output<typeof pluginTrustSchema> | undefined;
}

/** JSON Schema (draft 2020-12) of config.json, for editors. */
export function toConfigJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(fileSchema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>;
}
