import type { ErrorCatalogue } from '@bifrost/sdk';

/** Every error code that the engine makes. */
export const coreErrorCodes = {
  BF_CONFIG_PROXY_URL_MISSING: {
    status: 500,
    cause: 'A provider is configured with a proxy that has no URL.',
    remedy:
      'Give `proxy_config.url`, for example `http://proxy.example:3128`; a configuration file is checked for it at the start.',
  },
  BF_DIALECT_RESPONSE_INVALID: {
    status: 502,
    cause: 'The provider answered with success, but its body is not an answer of its dialect.',
    remedy:
      'Check that `network_config.base_url` points to the provider itself and not to a page or a proxy before it.',
  },
  BF_DIALECT_STREAM_INVALID: {
    status: 502,
    cause: "An event of the provider's stream is not what its dialect says.",
    remedy:
      'Send the request again; where it stays, the provider deviates from its dialect and needs a declared quirk.',
  },
  BF_DIALECT_TOOL_ID: {
    status: 500,
    cause: 'No tool-call id could be made that fits the pattern which the provider demands.',
    remedy: "Correct `toolCallIdPattern` of the provider's definition: letters and digits have to be able to match it.",
  },
  BF_DIALECT_UNKNOWN: {
    status: 500,
    cause: "A provider's definition names a dialect that has no codec.",
    remedy: "Use a dialect of the list in the providers' reference.",
  },
  BF_DIALECT_UNSUPPORTED: {
    status: 400,
    cause:
      "The provider's dialect cannot express a part of the request at all, and leaving it out would change its meaning.",
    remedy: 'Change the field that `param` names, or use a provider that offers it.',
  },
  BF_ENGINE_DRAINING: {
    status: 503,
    cause: 'The gateway is shutting down and takes no new request.',
    remedy: 'Send the request again; `Retry-After` says when.',
  },
  BF_ENGINE_FAILED: {
    status: 500,
    cause: 'The engine failed in a way that it does not foresee.',
    remedy: 'Look for the request id in the log, where the cause stands, and report it.',
  },
  BF_GATEWAY_REQUEST_FAILED: {
    status: 'various',
    cause: 'A program that embeds the engine asked it, and the answer is an error.',
    remedy: 'Read `statusCode`, and `data`, which is the answer as a client of the HTTP server would get it.',
  },
  BF_KEY_NONE_CONFIGURED: {
    status: 400,
    cause: 'The provider has no key.',
    remedy: 'Add one under `providers.NAME.keys`.',
  },
  BF_KEY_NONE_FOR_MODEL: {
    status: 400,
    cause: 'No enabled key of the provider may serve the model.',
    remedy: 'Add the model (or `*`) to `models` of a key and take it out of `blacklisted_models`.',
  },
  BF_KEY_PIN_UNKNOWN: {
    status: 400,
    cause: 'The request pins a key (`x-bf-api-key`, `x-bf-api-key-id`) that the provider does not have.',
    remedy: 'Use the `name` or `id` of a configured key, or leave the header out.',
  },
  BF_MODEL_UNRESOLVED: {
    status: 400,
    cause: "A model without a provider's name fits no configured provider, or several.",
    remedy: 'Write it as `provider/model`; the message lists the candidates.',
  },
  BF_MODELS_LIST_FAILED: {
    status: 'none',
    cause: 'A provider refused to list its models.',
    remedy:
      'Look at `extra_fields.key_statuses` of `GET /v1/models`, which names the key and the status, and check that key.',
  },
  BF_MODELS_LIST_INVALID: {
    status: 'none',
    cause: "A provider's list of models is too large or has an unknown shape.",
    remedy: 'Name the models under `keys[].models`; they are listed without asking the provider.',
  },
  BF_OPERATION_NOT_ALLOWED: {
    status: 400,
    cause: 'The custom provider is configured without this kind of request.',
    remedy: 'Set it to true in `custom_provider_config.allowed_requests`, or ask another provider.',
  },
  BF_OPERATION_UNSUPPORTED: {
    status: 400,
    cause:
      'The provider does not offer this operation (for example token counts), in no dialect that can be translated.',
    remedy: "Ask a provider that offers it; the providers' reference lists them.",
  },
  BF_PLUGIN_DENIED: {
    status: 'various',
    cause: 'A plugin refused the request and gave no code of its own.',
    remedy: "Read the message, which is the plugin's; the log has its name under the request id.",
  },
  BF_PLUGIN_HOOK_FAILED: {
    status: 500,
    cause: 'A hook of a plugin that guards requests failed, so the request was refused: it fails closed.',
    remedy: 'Look for the request id in the log, and repair or disable the plugin.',
  },
  BF_PLUGIN_SHARED_FULL: {
    status: 'none',
    cause: "A plugin's `shared.add` or `shared.set` met the bound of its shared state.",
    remedy: 'Remove what is not needed any more with `shared.set(key, undefined)`, or keep large state elsewhere.',
  },
  BF_PLUGIN_STREAM_FAILED: {
    status: 500,
    cause: 'A plugin answered with a stream of its own, and that stream broke off.',
    remedy: "Look for the plugin's name in the log, where the cause stands.",
  },
  BF_PLUGIN_VALUE_KEY: {
    status: 'none',
    cause: 'A plugin called `ctx.setValue` with the key of another plugin.',
    remedy: "Leave the `/` out of the key, or begin it with the plugin's own name.",
  },
  BF_PLUGIN_VALUE_WRONG: {
    status: 'none',
    cause:
      'A plugin called `ctx.setValue` or `ctx.setTraceAttribute` with what cannot be written as JSON: a cycle, a function, a big integer.',
    remedy: 'Set plain data: what other plugins are to read may have to travel to another thread or process.',
  },
  BF_PROVIDER_BASE_UNKNOWN: {
    status: 'none',
    cause: 'A custom provider is based on a provider that does not exist or that cannot be a base.',
    remedy: "Set `custom_provider_config.base_provider_type` to a provider of the providers' reference.",
  },
  BF_QUEUE_FULL: {
    status: 429,
    cause: "The provider's queue is full and `client.drop_excess_requests` is on.",
    remedy: 'Send the request again later, or raise `concurrency_and_buffer_size`.',
  },
  BF_REQUEST_BODY_UNREADABLE: {
    status: 500,
    cause: 'A large request body was put into a temporary file, and could not be read from it again.',
    remedy:
      'Look at the disk that holds the temporary files (`APP_DIR/tmp`, or that of the system) and send the request again.',
  },
  BF_REQUEST_FIELD_INVALID: {
    status: 400,
    cause: '`model`, `stream` or `fallbacks` has the wrong type or is missing.',
    remedy: 'Correct the field that `param` names.',
  },
  BF_REQUEST_HEADER_MISSING: {
    status: 400,
    cause: 'A header that the operator requires (`client.required_headers`) is missing.',
    remedy: 'Send the header that the message names.',
  },
  BF_REQUEST_INVALID: {
    status: 400,
    cause: "A field of the request is missing or has the wrong type in the client's dialect.",
    remedy: 'Correct the field that `param` or the message names.',
  },
  BF_REQUEST_INVALID_JSON: {
    status: 400,
    cause: "The request's body is not a JSON object.",
    remedy: 'Send a JSON object in UTF-8; where the message names a byte, the fault is there.',
  },
  BF_REQUEST_STATE_ELSEWHERE: {
    status: 400,
    cause:
      'The request goes to a provider of another dialect and continues what a provider of the Responses API keeps: `previous_response_id`, `conversation` or `prompt`.',
    remedy: 'Send the conversation whole (`store: false`), or send it to the provider that made what it continues.',
  },
  BF_REQUEST_TOO_DEEP: {
    status: 400,
    cause: "The request's JSON is nested too deeply.",
    remedy: 'Nest arrays and objects less deeply; the message says how deep they may be.',
  },
  BF_STREAM_EVENT_TOO_LARGE: {
    status: 502,
    cause: "One event of the provider's stream is larger than the gateway holds.",
    remedy: 'Ask for the answer without streaming.',
  },
  BF_STREAM_TRANSLATION_FAILED: {
    status: 502,
    cause: "An event of the provider's stream could not be translated, because of a defect of the gateway.",
    remedy: "Report it with the model and the request's kind; the same dialect as the provider's is not affected.",
  },
  BF_STREAM_TRUNCATED: {
    status: 502,
    cause: 'The provider ended the stream before the answer was complete.',
    remedy:
      'Send the request again; with `fallbacks` or `max_retries` that happens by itself while no content has been sent.',
  },
  BF_UPSTREAM_ADDRESS_REFUSED: {
    status: 502,
    cause:
      "The provider's server has an address in a private network, or a link-local or unspecified one. Connections through a proxy are not checked.",
    remedy:
      "Set `network_config.allow_private_network` to true for a server in your own network; link-local addresses (cloud metadata) are never called, loopback always may be. The gateway's log names the address.",
  },
  BF_UPSTREAM_ANSWER_INVALID: {
    status: 502,
    cause: 'The provider answered with success and a body that is not a JSON object.',
    remedy:
      'Check that `network_config.base_url` points to the provider itself and not to a page or a proxy before it.',
  },
  BF_UPSTREAM_ANSWER_TOO_LARGE: {
    status: 502,
    cause:
      'A whole answer that has to be translated, or that a plugin reads, is larger than the 64 MiB that the gateway holds of one.',
    remedy: 'Ask for a shorter answer or for a stream; answers that pass unchanged have no limit.',
  },
  BF_UPSTREAM_CONNECT_TIMEOUT: {
    status: 504,
    cause: 'The provider did not accept a connection in time.',
    remedy: 'Check the network, the proxy and `network_config.base_url`.',
  },
  BF_UPSTREAM_ENCODING_INVALID: {
    status: 502,
    cause: "The provider's answer is compressed and cannot be decompressed.",
    remedy: 'Send the request again; where it stays, look at the proxy between gateway and provider.',
  },
  BF_UPSTREAM_ENCODING_UNKNOWN: {
    status: 502,
    cause: "The provider's answer is in a content encoding that the gateway does not know, though it asked for none.",
    remedy: 'Look at the proxy between gateway and provider; gzip, deflate, br and zstd are understood.',
  },
  BF_UPSTREAM_REQUEST_INVALID: {
    status: 502,
    cause: 'The request to the provider could not be formed, for example because of a header with a line break.',
    remedy: "Check `extra_headers`, the key's value and the `x-bf-eh-` headers.",
  },
  BF_UPSTREAM_TIMEOUT: {
    status: 504,
    cause: 'The provider sent no content, or went silent, for longer than its clock allows.',
    remedy: 'Raise `default_request_timeout_in_seconds` (first content) or `stream_idle_timeout_in_seconds` (silence).',
  },
  BF_UPSTREAM_TRUNCATED: {
    status: 502,
    cause: 'The connection to the provider broke while it answered.',
    remedy:
      'Send the request again; with `fallbacks` or `max_retries` that happens by itself while no content has been sent.',
  },
  BF_UPSTREAM_UNREACHABLE: {
    status: 502,
    cause:
      "The provider could not be reached, or what it sent is no answer in HTTP/1.1; the message has the system's error code, " +
      '`CONNECTION_CLOSED` where it closed the connection, or `RESPONSE_HEAD_INVALID` and the like.',
    remedy: 'Check the network, DNS, TLS, the proxy and `network_config.base_url`.',
  },
  request_timed_out: {
    status: 504,
    cause: "The request's own deadline over all attempts has passed.",
    remedy:
      'Raise `network_config.request_deadline_in_seconds` of the provider that the model names, or set it to 0 for none.',
  },
  stream_throughput_below_minimum: {
    status: 503,
    cause:
      'A stream put out fewer characters than `network_config.stream_throughput_guard` of its provider wants, and no further attempt was left or its beginning had been sent.',
    remedy: 'Send the request again; where the model is that slow, lower `minimum_output_characters_per_second`.',
  },
  stream_throughput_probe_buffer_exceeded: {
    status: 503,
    cause:
      'A stream brought 1 MiB before the rate of its output was known, which `network_config.stream_throughput_guard` asks for.',
    remedy: 'Take `stream_throughput_guard` out for this provider: its events are large and say little.',
  },
  upstream_credentials_exhausted: {
    status: 502,
    cause: 'The provider refused every configured key that may serve the model (401, 402 or 403).',
    remedy: 'Check `providers.NAME.keys`: the keys, their credit and their access to the model.',
  },
} as const satisfies ErrorCatalogue;

export type CoreErrorCode = keyof typeof coreErrorCodes;
