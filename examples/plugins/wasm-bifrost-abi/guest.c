/*
 * A guest of Bifrost's own WASM ABI in C. As in Bifrost's samples, its allocator hands out a fixed heap and never frees: the gateway
 * gives it a fresh instance when the heap is used up.
 *
 * Config: {"tag": "...", "deny_model": "...", "refuse": true}
 */
#define BIFROST_PLUGIN_IMPLEMENTATION
#define BIFROST_PLUGIN_NO_EXPORTS
#include "../../../sdk/wasm/bifrost_plugin_wasm.h"

#define EXPORT(name) __attribute__((export_name(name)))

static uint8_t heap[65536];
static uint32_t heap_used;
static bf_text tag = {"c", 1};
static bf_text deny_model = {"", 0};

EXPORT("malloc") void *guest_malloc(uint32_t size) {
  void *given = heap + heap_used;
  heap_used += (size + 7u) & ~7u;
  return given;
}

EXPORT("free") void guest_free(void *pointer) { (void)pointer; }

static uint64_t packed(const void *data, uint32_t length) { return (uint64_t)(uintptr_t)data << 32 | length; }

static uint64_t packed_writer(const bf_writer *writer) {
  return packed(writer->data + writer->header, writer->length - writer->header);
}

EXPORT("get_name") uint64_t get_name(void) { return packed("Bifrost C Guest", 15); }

EXPORT("init") int32_t init(const char *config_data, uint32_t length) {
  bf_text config = {config_data, length};
  if (bf_is(bf_member(config, "refuse"), "true")) return 1;
  bf_text given = bf_string(bf_member(config, "tag"));
  if (given.data) tag = bf_keep(given);
  given = bf_string(bf_member(config, "deny_model"));
  if (given.data) deny_model = bf_keep(given);
  return 0;
}

/* `object` with a member more, at its begin. */
static void put_with(bf_writer *writer, bf_text object, const char *name, bf_text text) {
  bf_put(writer, "{");
  bf_put_string(writer, bf_of(name));
  bf_put(writer, ":");
  bf_put_string(writer, text);
  if (object.length > 2) bf_put(writer, ",");
  bf_text rest = {object.data + 1, object.length - 1};
  bf_put_text(writer, object.length >= 2 ? rest : bf_of("}"));
}

static bf_writer begin_answer(bf_text input, const char *seen) {
  bf_writer answer = bf_begin(0);
  bf_put(&answer, "{\"context\":");
  put_with(&answer, bf_member(input, "context"), seen, tag);
  return answer;
}

EXPORT("http_pre_hook") uint64_t http_pre_hook(const char *data, uint32_t length) {
  bf_text input = {data, length};
  bf_text request = bf_member(input, "request");
  bf_writer answer = begin_answer(input, "from-http-pre");
  if (bf_at(request, "headers.x-deny").data) {
    /* {"error":"denied"} */
    bf_put(&answer, ",\"response\":{\"status_code\":403,\"headers\":{\"Content-Type\":\"application/json\"},"
                    "\"body\":\"eyJlcnJvciI6ImRlbmllZCJ9\"},\"has_response\":true,\"error\":\"\"}");
    return packed_writer(&answer);
  }
  bf_put(&answer, ",\"request\":{\"method\":");
  bf_put_text(&answer, bf_member(request, "method"));
  bf_put(&answer, ",\"path\":");
  bf_put_text(&answer, bf_member(request, "path"));
  bf_put(&answer, ",\"query\":");
  bf_put_text(&answer, bf_member(request, "query"));
  bf_put(&answer, ",\"body\":");
  bf_put_text(&answer, bf_member(request, "body"));
  bf_put(&answer, ",\"headers\":");
  put_with(&answer, bf_member(request, "headers"), "X-Guest", tag);
  bf_put(&answer, "},\"has_response\":false,\"error\":\"\"}");
  return packed_writer(&answer);
}

EXPORT("http_post_hook") uint64_t http_post_hook(const char *data, uint32_t length) {
  bf_text input = {data, length};
  bf_writer answer = begin_answer(input, "from-http-post");
  bf_put(&answer, ",\"error\":\"\"}");
  return packed_writer(&answer);
}

EXPORT("http_stream_chunk_hook") uint64_t http_stream_chunk_hook(const char *data, uint32_t length) {
  bf_text input = {data, length};
  bf_writer answer = begin_answer(input, "from-chunk");
  bf_put(&answer, ",\"chunk\":");
  put_with(&answer, bf_member(input, "chunk"), "stamp", tag);
  bf_put(&answer, ",\"has_chunk\":true,\"skip\":false,\"error\":\"\"}");
  return packed_writer(&answer);
}

EXPORT("pre_hook") uint64_t pre_hook(const char *data, uint32_t length) {
  bf_text input = {data, length};
  bf_text request = bf_member(input, "request");
  bf_text model = bf_string(bf_member(request, "model"));
  bf_writer answer = begin_answer(input, "from-pre");
  if (deny_model.length > 0 && bf_equal(model, deny_model)) {
    bf_put(&answer, ",\"short_circuit\":{\"error\":{\"status_code\":403,\"allow_fallbacks\":false,"
                    "\"error\":{\"message\":\"denied by the guest\",\"type\":\"denied\"}}},\"has_short_circuit\":true,\"error\":\"\"}");
    return packed_writer(&answer);
  }
  if (bf_is(model, "cached")) {
    bf_put(&answer, ",\"short_circuit\":{\"response\":{\"chat_response\":{\"id\":\"cached-1\",\"model\":\"cached\",\"choices\":"
                    "[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"from the guest\"},\"finish_reason\":\"stop\"}]}}},"
                    "\"has_short_circuit\":true,\"error\":\"\"}");
    return packed_writer(&answer);
  }
  bf_put(&answer, ",\"request\":");
  bf_put_text(&answer, request);
  bf_put(&answer, ",\"short_circuit\":null,\"has_short_circuit\":false,\"error\":\"\"}");
  return packed_writer(&answer);
}

EXPORT("post_hook") uint64_t post_hook(const char *data, uint32_t length) {
  bf_text input = {data, length};
  bf_writer answer = begin_answer(input, "from-post");
  bf_put(&answer, ",\"response\":");
  bf_put_text(&answer, bf_member(input, "response"));
  bf_put(&answer, ",\"error\":");
  bf_put_text(&answer, bf_member(input, "error"));
  bf_put(&answer, ",\"has_error\":");
  bf_put_text(&answer, bf_member(input, "has_error"));
  bf_put(&answer, ",\"hook_error\":\"\"}");
  return packed_writer(&answer);
}

EXPORT("cleanup") int32_t cleanup(void) { return 0; }
