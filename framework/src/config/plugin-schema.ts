import { z } from 'zod';
import { knownObject } from './schema-parts.ts';

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
  isolation: z.enum(['inline', 'worker', 'process', 'grpc']).optional(),
});

export type PluginFile = z.output<typeof pluginSchema>;
