import { z } from 'zod';
import { knownObject, serverUrl, stringList, unusedObject } from './schema-parts.ts';

const aliasObject = knownObject({
  model_id: z.string().min(1),
  model_name: z.string().optional(),
  model_family: z.string().optional(),
  description: z.string().optional(),
  region: z.string().optional(),
  project_id: z.string().optional(),
  use_anthropic_endpoints: z.boolean().optional(),
  api_version: z.string().optional(),
  anthropic_version: z.string().optional(),
  endpoint: z.string().optional(),
  project_number: z.string().optional(),
  force_single_region: z.boolean().optional(),
  inference_profile_arn: z.string().optional(),
  use_deployments_endpoint: z.boolean().optional(),
});

/** A server of one's own: its address stands on the key, so that several servers are balanced as keys. */
const serverKeyConfig = knownObject({ url: serverUrl, use_anthropic_endpoints: z.boolean().optional() });

const unusedKeyShape = {
  azure_key_config: unusedObject,
  bedrock_key_config: unusedObject,
  bedrock_mantle_key_config: unusedObject,
  vertex_key_config: unusedObject,
  replicate_key_config: unusedObject,
  databricks_key_config: unusedObject,
  github_copilot_key_config: unusedObject,
  use_for_batch_api: z.boolean(),
  use_anthropic_endpoints: z.boolean(),
};

export const unusedKeyKeys: readonly string[] = Object.keys(unusedKeyShape);

/** One key of a provider. */
export const keySchema = knownObject({
  id: z.string().min(1).optional(),
  name: z.string().min(1).optional(),
  value: z.string().optional(),
  models: stringList.optional(),
  blacklisted_models: stringList.optional(),
  weight: z.number().min(0).optional(),
  aliases: z.record(z.string().min(1), z.union([z.string().min(1), aliasObject])).optional(),
  enabled: z.boolean().optional(),
  description: z.string().optional(),
  status: z.string().optional(),
  vllm_key_config: knownObject({
    url: serverUrl,
    model_name: z.string().optional(),
    use_anthropic_endpoints: z.boolean().optional(),
  }).optional(),
  ollama_key_config: serverKeyConfig.optional(),
  sgl_key_config: serverKeyConfig.optional(),
  lmstudio_key_config: serverKeyConfig.optional(),
  ...z.object(unusedKeyShape).partial().shape,
});

export type KeyFile = z.output<typeof keySchema>;
