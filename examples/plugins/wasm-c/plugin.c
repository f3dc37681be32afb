/*
 * Routes, marks and counts, in C without a C library.
 *
 * Config: {"greeting": "...", "aliases": {"fast": "mock/small"}, "stamp": "v1", "blockedTeam": "..."}
 */
#define BIFROST_PLUGIN_IMPLEMENTATION
#include "../../../sdk/wasm/bifrost_plugin_wasm.h"

static bf_text config;
static bf_text greeting;
static bf_text stamp;
static bf_text blocked_team;

static const char description[] =
    "{\"name\":\"wasm-c\",\"version\":\"1.0.0\",\"api\":\"1.1\",\"hooks\":{"
    "\"httpTransportPreHook\":{},"
    "\"preRequestHook\":{},"
    "\"httpTransportResponseHeadersHook\":{},"
    "\"httpTransportStreamChunkHook\":{},"
    "\"inject\":{}}}";

static bf_text kept_string(bf_text json, const char *otherwise) {
  bf_text text = bf_string(json);
  return text.data ? bf_keep(text) : bf_of(otherwise);
}

static int32_t start(bf_text json) {
  config = bf_keep(bf_member(json, "config"));
  greeting = kept_string(bf_member(config, "greeting"), "Hello from C");
  stamp = kept_string(bf_member(config, "stamp"), "wasm-c");
  blocked_team = kept_string(bf_member(config, "blockedTeam"), "");
  bf_text aliases = bf_member(config, "aliases");
  if (aliases.data && aliases.data[0] != '{') return bf_fail("`aliases` must be an object: {\"short\": \"provider/model\"}");
  return 0;
}

/* A team that may not use the gateway is answered here, and the provider never hears of it. */
static int32_t check_team(bf_text input) {
  bf_text team = bf_string(bf_at(input, "headers.x-team"));
  if (blocked_team.length == 0 || !bf_equal(team, blocked_team)) return 0;
  bf_writer answer = bf_begin(0);
  bf_put(&answer, "{\"response\":{\"statusCode\":403,\"headers\":{\"content-type\":\"application/json\"},\"body\":");
  bf_put_string(&answer, bf_of("{\"error\":{\"message\":\"This team is blocked.\"}}"));
  bf_put(&answer, "}}");
  return bf_end(&answer);
}

static int32_t resolve_alias(bf_text input) {
  bf_text wanted = bf_string(bf_member(input, "model"));
  bf_text aliases = bf_member(config, "aliases");
  char *name = bf_alloc(wanted.length + 1);
  for (uint32_t at = 0; at < wanted.length; at += 1) name[at] = wanted.data[at];
  name[wanted.length] = 0;
  bf_text model = bf_member(aliases, name);
  if (!model.data) return 0;
  bf_set_value(bf_of("alias"), bf_member(input, "model"));
  bf_writer answer = bf_begin(0);
  bf_put(&answer, "{\"model\":");
  bf_put_text(&answer, model);
  bf_put(&answer, "}");
  return bf_end(&answer);
}

static int32_t greet(void) {
  bf_writer answer = bf_begin(0);
  bf_put(&answer, "{\"headers\":{\"x-wasm-c\":");
  bf_put_string(&answer, greeting);
  bf_put(&answer, "}}");
  return bf_end(&answer);
}

/* Puts the stamp into each chunk that is a JSON object; `[DONE]` goes as it came. */
static int32_t stamp_chunk(const bf_input *input) {
  bf_text data = bf_attachment(input, 0);
  if (data.length < 2 || data.data[0] != '{') return 0;
  bf_writer chunk = bf_begin(0);
  bf_put(&chunk, "{\"stamp\":");
  bf_put_string(&chunk, stamp);
  if (data.data[1] != '}') bf_put(&chunk, ",");
  bf_text rest = {data.data + 1, data.length - 1};
  bf_put_text(&chunk, rest);
  bf_text stamped = {(const char *)chunk.data + chunk.header, chunk.length - chunk.header};
  bf_writer answer = bf_begin(1);
  bf_put(&answer, "{\"data\":{\"$bytes\":0}}");
  bf_attach(&answer, stamped);
  return bf_end(&answer);
}

static int32_t count(bf_text input) {
  double requests = bf_shared_add("requests", 1);
  bf_writer line = bf_begin(0);
  bf_put(&line, "request ");
  bf_put_integer(&line, (int64_t)requests);
  bf_put(&line, " ended with status ");
  bf_put_text(&line, bf_member(input, "statusCode"));
  bf_text message = {(const char *)line.data + line.header, line.length - line.header};
  bf_log(BF_LOG_INFO, message);
  return 0;
}

int32_t bifrost_plugin_call(uint32_t operation, const bf_input *call) {
  bf_text input = bf_member(call->json, "input");
  switch (operation) {
    case BF_DESCRIBE: return bf_answer(description);
    case BF_INIT: return start(call->json);
    case BF_HTTP_TRANSPORT_PRE_HOOK: return check_team(input);
    case BF_PRE_REQUEST_HOOK: return resolve_alias(input);
    case BF_HTTP_TRANSPORT_RESPONSE_HEADERS_HOOK: return greet();
    case BF_HTTP_TRANSPORT_STREAM_CHUNK_HOOK: return stamp_chunk(call);
    case BF_INJECT: return count(input);
    default: return 0;
  }
}
