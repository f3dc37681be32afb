/*
 * A guest of Bifrost's own WASM ABI that changes nothing: as Bifrost's samples do, it writes the context and the request that it was given
 * into its answer again.
 */
#define BIFROST_PLUGIN_IMPLEMENTATION
#define BIFROST_PLUGIN_NO_EXPORTS
#include "bifrost_plugin_wasm.h"

#define EXPORT(name) __attribute__((export_name(name)))

static uint8_t heap[65536];

/* One call at a time: its input is all that is kept. */
EXPORT("malloc") void *guest_malloc(uint32_t size) {
  (void)size;
  return heap;
}

EXPORT("free") void guest_free(void *pointer) { (void)pointer; }

static uint64_t packed(const void *data, uint32_t length) { return (uint64_t)(uintptr_t)data << 32 | length; }

EXPORT("get_name") uint64_t get_name(void) { return packed("trivial", 7); }

EXPORT("init") int32_t init(const char *config, uint32_t length) {
  (void)config;
  (void)length;
  return 0;
}

EXPORT("pre_hook") uint64_t pre_hook(const char *data, uint32_t length) {
  bf_text input = {data, length};
  bf_writer answer = bf_begin(0);
  bf_put(&answer, "{\"context\":");
  bf_put_text(&answer, bf_member(input, "context"));
  bf_put(&answer, ",\"request\":");
  bf_put_text(&answer, bf_member(input, "request"));
  bf_put(&answer, ",\"short_circuit\":null,\"has_short_circuit\":false,\"error\":\"\"}");
  return packed(answer.data + answer.header, answer.length - answer.header);
}

EXPORT("cleanup") int32_t cleanup(void) { return 0; }
