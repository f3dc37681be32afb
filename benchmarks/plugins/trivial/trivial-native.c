/* trivial.js as a shared library. */
#include "bifrost_plugin.h"

static int self;

uint32_t bifrost_plugin_abi(void) { return BIFROST_PLUGIN_ABI; }

const char *bifrost_plugin_describe(void) {
  return "{\"name\": \"trivial\", \"version\": \"1.0.0\", \"api\": \"1.1\", \"hooks\": {"
         "\"preLLMHook\": {\"reads\": \"messages\"}, \"httpTransportResponseHeadersHook\": {}}}";
}

int32_t bifrost_plugin_create(const bifrost_call *call, void **made, bifrost_output *output) {
  (void)call;
  (void)output;
  *made = &self;
  return BIFROST_OK;
}

int32_t bifrost_plugin_call(void *plugin, const bifrost_call *call, bifrost_output *output) {
  (void)plugin;
  if (call->hook == BIFROST_HTTP_TRANSPORT_RESPONSE_HEADERS) output->json = "{\"headers\":{\"x-trivial\":\"yes\"}}";
  return BIFROST_OK;
}

void bifrost_plugin_free_output(void *plugin, bifrost_output *output) {
  (void)plugin;
  (void)output;
}

void bifrost_plugin_destroy(void *plugin, const bifrost_host *host) {
  (void)plugin;
  (void)host;
}
