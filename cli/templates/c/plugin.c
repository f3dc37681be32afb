/* Greets every answer with a header, and refuses models that the configuration forbids. */
#define BIFROST_PLUGIN_IMPLEMENTATION
#include "bifrost_plugin_wasm.h"

static bf_text greeting;
static bf_text forbidden;

/* Name and version are the manifest's. The options of a hook: {"reads":"messages"} shows the conversation, for example. */
static const char description[] =
    "{\"hooks\":{\"preLLMHook\":{},\"httpTransportResponseHeadersHook\":{},\"inject\":{}}}";

/* `configSchema` in bifrost-plugin.json has checked the configuration before. What is kept beyond the call is copied. */
static int32_t start(bf_text json) {
  bf_text config = bf_member(json, "config");
  bf_text stated = bf_string(bf_member(config, "greeting"));
  greeting = stated.data ? bf_keep(stated) : bf_of("Hello");
  bf_text models = bf_member(config, "forbiddenModels");
  if (models.data) forbidden = bf_keep(models);
  bf_log(BF_LOG_INFO, bf_of("ready to greet"));
  return 0;
}

/* A refusal is a result: it has a status for the client, and does not count as an error of the plugin. */
static int32_t refuse(bf_text request) {
  bf_text model = bf_string(bf_member(request, "model"));
  for (uint32_t at = 0; bf_item(forbidden, at).data; at += 1) {
    if (!bf_equal(bf_string(bf_item(forbidden, at)), model)) continue;
    bf_writer answer = bf_begin(0);
    bf_put(&answer, "{\"error\":{\"statusCode\":403,\"code\":\"model_forbidden\",\"origin\":\"plugin\",\"allowFallbacks\":false,");
    bf_put(&answer, "\"message\":\"This model is forbidden here.\"}}");
    return bf_end(&answer);
  }
  return 0;
}

static int32_t greet(void) {
  bf_writer answer = bf_begin(0);
  bf_put(&answer, "{\"headers\":{\"x-__NAME__\":");
  bf_put_string(&answer, greeting);
  bf_put(&answer, "}}");
  return bf_end(&answer);
}

int32_t bifrost_plugin_call(uint32_t operation, const bf_input *call) {
  switch (operation) {
    case BF_DESCRIBE: return bf_answer(description);
    case BF_INIT: return start(call->json);
    case BF_PRE_LLM_HOOK: return refuse(bf_member(call->json, "input"));
    case BF_HTTP_TRANSPORT_RESPONSE_HEADERS_HOOK: return greet();
    case BF_INJECT: bf_log(BF_LOG_INFO, bf_of("the answer is out")); return 0;
    default: return 0;
  }
}
