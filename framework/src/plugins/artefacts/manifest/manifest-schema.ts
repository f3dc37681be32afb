/** The shape of a manifest, as far as one file can be judged alone. */
import { hookNames, isApiSupported } from '@bifrost/sdk';
import { z } from 'zod';
import { knownObject, stringList, wholeNumber } from '../../../config/schema-parts.ts';
import { pluginNamePattern } from '../../plugin-entry.ts';

const globs = z.union([z.string(), stringList]);

const filterSchema = knownObject({
  path: globs.optional(),
  provider: globs.optional(),
  model: globs.optional(),
  isStream: z.boolean().optional(),
  header: z.string().optional(),
  sampling: z.number().min(0).max(1).optional(),
});

const positive = z.number().positive();

const hookSchema = knownObject({
  reads: z.enum(['head', 'messages', 'body']).optional(),
  order: z.enum(['pre', 'post']).optional(),
  filter: filterSchema.optional(),
  timeoutMs: positive.max(2_147_483_647).optional(),
  onError: z
    .union([z.enum(['continue', 'deny', 'skip']), knownObject({ disableAfter: wholeNumber(1, 1_000_000) })], {
      error: 'expected "continue", "deny", "skip" or { "disableAfter": n }',
    })
    .optional(),
  chunks: z
    .union(
      [
        z.enum(['each', 'sentence', 'tool-call', 'end']),
        knownObject({ afterMs: positive.optional(), afterBytes: positive.optional() }),
      ],
      { error: 'expected "each", "sentence", "tool-call", "end" or { "afterMs", "afterBytes" }' },
    )
    .optional(),
  holdBack: knownObject({ characters: positive, maxBytes: positive.optional() }).optional(),
});

const capabilitiesSchema = knownObject({
  fs: knownObject({ read: stringList.optional(), write: stringList.optional() }).optional(),
  net: stringList.optional(),
  env: stringList.optional(),
  childProcess: z.boolean().optional(),
  workerThreads: z.boolean().optional(),
  native: z.boolean().optional(),
  sqlite: z.boolean().optional(),
});

/** A file below the manifest's folder: no way out of it. */
function isInside(path: string): boolean {
  const isRooted = path.startsWith('/') || /^[A-Za-z]:/.test(path) || path.includes('\\') || path.includes('\0');
  return !isRooted && !path.split('/').includes('..');
}

const platform = z.string().regex(/^(?:\*|[a-z0-9]+)-(?:\*|[a-z0-9]+)(?:-(?:\*|glibc|musl))?$/, {
  error: 'expected "os-arch" or "os-arch-libc" in Node\'s names, such as "linux-x64", "linux-*-musl" or "darwin-arm64"',
});

function digest(error: string): z.ZodType<string> {
  return z.string().regex(/^sha256-[A-Za-z0-9+/]{43}=$/, { error });
}

/** `bifrost-plugin.json`, or the `bifrost` member of package.json. */
export const manifestSchema = knownObject({
  $schema: z.string().optional(),
  name: z.string().regex(pluginNamePattern, {
    error: 'expected letters, digits, ".", "_" and "-", at most 64, beginning with a letter or digit',
  }),
  version: z.string().regex(/^\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?$/, {
    error: 'expected a semantic version such as "1.2.0"',
  }),
  api: z.string().refine((range) => isApiSupported(range) !== undefined, {
    error: 'expected a version or range of the plugin API such as "1", "1.1" or ">=1.0 <2"',
  }),
  main: z.string().min(1).refine(isInside, {
    error: 'expected a path below the manifest\'s folder, without ".." and with "/" between its parts',
  }),
  kind: z.enum(['module', 'wasm', 'native', 'node-addon', 'grpc']).optional(),
  description: z.string().optional(),
  license: z.string().optional(),
  homepage: z.string().optional(),
  platforms: z.array(platform).optional(),
  configSchema: z.record(z.string(), z.unknown()).optional(),
  capabilities: capabilitiesSchema.optional(),
  integrity: digest('expected "sha256-" and the digest of `main` in base64').optional(),
  files: z
    .record(
      z
        .string()
        .refine(isInside, { error: 'expected a path below the manifest\'s folder, with "/" between its parts' }),
      digest('expected "sha256-" and the digest of the file in base64'),
    )
    .optional(),
  signature: knownObject({ keyId: z.string().min(1), ed25519: z.string().min(1) }).optional(),
  guard: z.boolean().optional(),
  hooks: knownObject(Object.fromEntries(hookNames.map((name) => [name, hookSchema.optional()]))).optional(),
  build: knownObject({
    time: z.string().optional(),
    commit: z.string().optional(),
    tool: z.string().optional(),
  }).optional(),
});
