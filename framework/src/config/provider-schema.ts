import { z } from 'zod';
import { keySchema } from './key-schema.ts';
import { requestTypes } from './request-types.ts';
import { durationMs, knownObject, serverUrl, stringMap, unusedObject, wholeNumber } from './schema-parts.ts';

const unusedNetworkShape = {
  enforce_http2: z.boolean(),
  beta_header_overrides: z.record(z.string(), z.boolean()),
};

const throughputGuardSchema = knownObject({
  minimum_output_characters_per_second: wholeNumber(1, 100_000),
  probe_window_in_seconds: wholeNumber(1, 60).optional(),
  watch_window_in_seconds: wholeNumber(0, 3600).optional(),
});

const networkSchema = knownObject({
  base_url: serverUrl.optional(),
  extra_headers: stringMap.optional(),
  default_request_timeout_in_seconds: wholeNumber(1, 86_400).optional(),
  max_retries: wholeNumber(0, 100).optional(),
  retry_backoff_initial: durationMs(100).optional(),
  retry_backoff_max: durationMs(100).optional(),
  insecure_skip_verify: z.boolean().optional(),
  ca_cert_pem: z.string().optional(),
  stream_idle_timeout_in_seconds: wholeNumber(5, 3600).optional(),
  request_deadline_in_seconds: wholeNumber(0, 86_400).optional(),
  connect_timeout_in_seconds: wholeNumber(1, 600).optional(),
  keep_alive_timeout_in_seconds: wholeNumber(1, 3600).optional(),
  max_conns_per_host: wholeNumber(1, 10_000).optional(),
  allow_private_network: z.boolean().optional(),
  stream_throughput_guard: throughputGuardSchema.optional(),
  on_client_disconnect: z.enum(['cancel', 'drain']).optional(),
  drain_timeout_in_seconds: wholeNumber(1, 3600).optional(),
  drain_max_size_mb: wholeNumber(1, 1024).optional(),
  ...z.object(unusedNetworkShape).partial().shape,
}).check((context) => {
  const { insecure_skip_verify: isOff, ca_cert_pem: certificate } = context.value;
  if (isOff === true && certificate !== undefined && certificate !== '') {
    context.issues.push({
      code: 'custom',
      input: context.value,
      message: 'has both insecure_skip_verify and ca_cert_pem; give one of them',
    });
  }
  const { retry_backoff_initial: initial = 500, retry_backoff_max: maximum = 5000 } = context.value;
  if (initial > maximum) {
    context.issues.push({
      code: 'custom',
      input: context.value,
      message: `has retry_backoff_initial (${initial} ms) above retry_backoff_max (${maximum} ms)`,
    });
  }
});

const proxySchema = knownObject({
  type: z.enum(['none', 'http', 'socks5', 'environment']),
  url: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  ca_cert_pem: z.string().optional(),
}).check((context) => {
  const { type, url } = context.value;
  if ((type === 'http' || type === 'socks5') && (url === undefined || !URL.canParse(url))) {
    context.issues.push({
      code: 'custom',
      input: context.value,
      path: ['url'],
      message: `a proxy of type ${type} needs a URL such as ${type === 'http' ? 'http' : 'socks5'}://proxy.example:1080`,
    });
  }
});

const allowedRequestsSchema = knownObject(
  Object.fromEntries(requestTypes.map((name) => [name, z.boolean().optional()])),
);

const customSchema = knownObject({
  base_provider_type: z.string().min(1),
  is_key_less: z.boolean().optional(),
  allowed_requests: allowedRequestsSchema.optional(),
  request_path_overrides: stringMap.optional(),
  does_not_send_done_marker: z.boolean().optional(),
  wait_for_usage: z.boolean().optional(),
});

const unusedProviderShape = {
  store_raw_request_response: z.boolean(),
  openai_config: unusedObject,
  prompt_cache: unusedObject,
  provider_request_id: unusedObject,
  metadata: stringMap,
  tags: z.array(z.string()),
  description: z.string(),
  status: z.string(),
};

/** Keys of a provider that have no effect yet; descriptive ones are not worth a remark. */
export const unusedProviderKeys: readonly string[] = [
  'store_raw_request_response',
  'openai_config',
  'prompt_cache',
  'provider_request_id',
];
export const unusedNetworkKeys: readonly string[] = Object.keys(unusedNetworkShape);

/** One entry of `providers`. Defaults are filled in by `resolveProvider`. */
export const providerSchema = knownObject({
  keys: z.array(keySchema).optional(),
  network_config: networkSchema.optional(),
  concurrency_and_buffer_size: knownObject({
    concurrency: wholeNumber(1, 1_000_000).optional(),
    buffer_size: wholeNumber(0, 10_000_000).optional(),
  }).optional(),
  proxy_config: proxySchema.optional(),
  send_back_raw_request: z.boolean().optional(),
  send_back_raw_response: z.boolean().optional(),
  custom_provider_config: customSchema.optional(),
  ...z.object(unusedProviderShape).partial().shape,
});

export type ProviderFile = z.output<typeof providerSchema>;
