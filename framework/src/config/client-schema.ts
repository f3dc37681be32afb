import { z } from 'zod';
import { minCredentialLength } from '../admin/stored-credential.ts';
import { knownObject, stringList, unusedObject, wholeNumber } from './schema-parts.ts';

/** Keys of `client` that are accepted and have no effect yet, each with its type. */
const unusedClientShape = {
  initial_pool_size: z.number(),
  enable_logging: z.boolean(),
  disable_content_logging: z.boolean(),
  retain_content_in_object_storage: z.boolean(),
  allow_per_request_content_storage_override: z.boolean(),
  log_retention_days: z.number(),
  logging_headers: stringList,
  hidden_request_types: stringList,
  disable_db_pings_in_health: z.boolean(),
  dump_errors_in_console_logs: z.boolean(),
  dual_credential_conflict_behavior: z.enum(['error', 'prefer_vk', 'prefer_idp']),
  allow_direct_keys: z.boolean(),
  whitelisted_routes: stringList,
  prometheus_labels: stringList,
  compat: unusedObject,
  enable_litellm_fallbacks: z.boolean(),
  async_job_result_ttl: z.number(),
  routing_chain_max_depth: z.number(),
  vk_rotation_cooldown: z.union([z.number(), z.string()]),
  hide_deleted_virtual_keys_in_filters: z.boolean(),
  delete_expired_virtual_keys: z.boolean(),
  webhook_config: unusedObject,
  mcp_agent_depth: z.number(),
  mcp_tool_execution_timeout: z.union([z.number(), z.string()]),
  mcp_code_mode_binding_level: z.string(),
  mcp_tool_sync_interval: z.union([z.number(), z.string()]),
  mcp_disable_auto_tool_inject: z.boolean(),
  mcp_enable_temp_token_auth: z.boolean(),
  mcp_external_client_url: z.string(),
  mcp_server_auth_mode: z.string(),
  oauth2_server_config: unusedObject,
  bifrost_mcp_allow_writes: z.boolean(),
};

export const unusedClientKeys: readonly string[] = Object.keys(unusedClientShape);

const credential = z.string().refine((text) => text.length >= minCredentialLength, {
  error: `expected at least ${minCredentialLength} characters`,
});

/** `client` of config.json. Defaults are filled in by `resolveClient`. */
export const clientSchema = knownObject({
  drop_excess_requests: z.boolean().optional(),
  max_request_body_size_mb: wholeNumber(1, 4096).optional(),
  max_request_bytes_in_flight_mb: wholeNumber(0, 1_048_576).optional(),
  allowed_origins: stringList.optional(),
  allowed_headers: stringList.optional(),
  required_headers: stringList.optional(),
  allow_per_request_raw_override: z.boolean().optional(),
  enforce_auth_on_inference: z.boolean().optional(),
  // Bifrost's older names of the same.
  enforce_governance_header: z.boolean().optional(),
  enforce_scim_auth: z.boolean().optional(),
  inference_key: credential.optional(),
  keep_alive_comment_in_seconds: wholeNumber(0, 3600).optional(),
  header_filter_config: knownObject({ allowlist: stringList.optional(), denylist: stringList.optional() }).optional(),
  ...z.object(unusedClientShape).partial().shape,
});

export type ClientFile = z.output<typeof clientSchema>;
