/* trivial.js in WebAssembly. */
#define BIFROST_PLUGIN_IMPLEMENTATION
#include "bifrost_plugin_wasm.h"

static const char description[] =
    "{\"name\":\"trivial\",\"version\":\"1.0.0\",\"api\":\"1.1\",\"hooks\":{"
    "\"preLLMHook\":{\"reads\":\"messages\"},\"httpTransportResponseHeadersHook\":{}}}";

int32_t bifrost_plugin_call(uint32_t operation, const bf_input *call) {
  (void)call;
  switch (operation) {
    case BF_DESCRIBE: return bf_answer(description);
    case BF_HTTP_TRANSPORT_RESPONSE_HEADERS_HOOK: return bf_answer("{\"headers\":{\"x-trivial\":\"yes\"}}");
    default: return 0;
  }
}
