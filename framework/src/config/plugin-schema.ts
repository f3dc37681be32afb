import { hookNames } from '@bifrost/sdk';
import { z } from 'zod';
import { durationMs, knownObject, stringList, stringMap, wholeNumber } from './schema-parts.ts';

const share = z.number().min(0).max(1);

const capabilitiesSchema = knownObject({
  fs: knownObject({ read: stringList.optional(), write: stringList.optional() }).optional(),
  net: stringList.optional(),
  env: stringList.optional(),
  childProcess: z.boolean().optional(),
  workerThreads: z.boolean().optional(),
  native: z.boolean().optional(),
  sqlite: z.boolean().optional(),
});

const breakerSchema = knownObject({
  failures: wholeNumber(1, 1_000_000).optional(),
  failure_rate: share.optional(),
  window_ms: wholeNumber(100, 3_600_000).optional(),
  cool_down_ms: wholeNumber(1, 3_600_000).optional(),
});

const rollbackSchema = knownObject({ failure_rate: share.optional(), min_calls: wholeNumber(1, 1_000_000).optional() });

const onErrorSchema = z.union(
  [z.enum(['continue', 'deny', 'skip']), knownObject({ disable_after: wholeNumber(1, 1_000_000) })],
  { error: 'expected "continue", "deny", "skip" or { "disable_after": n }' },
);

const milliseconds = z.number().positive();
const budgetByHook = knownObject(Object.fromEntries(hookNames.map((hook) => [hook, milliseconds.optional()])));

/** One entry of `plugins`. */
export const pluginSchema = knownObject({
  name: z.string().min(1),
  enabled: z.boolean().optional(),
  path: z.string().min(1).optional(),
  config: z.record(z.string(), z.unknown()).optional(),
  placement: z.enum(['pre_builtin', 'builtin', 'post_builtin']).optional(),
  order: z.number().int().optional(),
  version: z.union([z.string(), z.number()]).optional(),
  required: z.boolean().optional(),
  guard: z.boolean().optional(),
  on_load_failure: z.enum(['deny', 'continue']).optional(),
  isolation: z.enum(['inline', 'worker', 'process', 'grpc']).optional(),
  instances: z.enum(['plugin', 'thread']).optional(),
  watch: z.boolean().optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, { error: 'expected 64 hexadecimal digits' })
    .optional(),
  integrity: z
    .string()
    .regex(/^sha256-[A-Za-z0-9+/]{43}=$/, { error: 'expected "sha256-" and the digest in base64' })
    .optional(),
  capabilities: capabilitiesSchema.optional(),
  memory_limit_mb: wholeNumber(1, 1_048_576).optional(),
  cpu_limit: z.number().min(0.05).max(1024).optional(),
  timeout_ms: wholeNumber(1, 2_147_483_647).optional(),
  on_error: onErrorSchema.optional(),
  breaker: z.union([z.literal(false), breakerSchema]).optional(),
  budget_ms: z.union([milliseconds, budgetByHook]).optional(),
  rollback: z.union([z.literal(false), rollbackSchema]).optional(),
  probation_seconds: z.number().min(0).max(86_400).optional(),
  semaphore_size: wholeNumber(1, 10_000_000).optional(),
  inject_timeout: durationMs(1).optional(),
  address: z.string().min(1).optional(),
  command: z.string().min(1).optional(),
  args: stringList.optional(),
  env: stringMap.optional(),
  tls: knownObject({
    ca: z.string().min(1).optional(),
    cert: z.string().min(1).optional(),
    key: z.string().min(1).optional(),
    server_name: z.string().min(1).optional(),
  }).optional(),
});

/** One entry as the file, or a caller of the API, writes it. */
export type PluginFile = z.output<typeof pluginSchema>;
