/*
 * A guard in C with a C library: its forbidden words stand in a file, which the operator grants.
 *
 * Config: {"words": "/absolute/or/granted/path.txt", "mark": "..."}; capabilities: {"fs": {"read": ["words.txt"]}, "env": ["GUARD_MODE"]}.
 * With GUARD_MODE=watch it only reports.
 */
#define BIFROST_PLUGIN_IMPLEMENTATION
#include "../../../sdk/wasm/bifrost_plugin_wasm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 256

static char *words[MAX_WORDS];
static int word_count;
static char *mark = "";

static char *copied(bf_text text) {
  char *copy = malloc(text.length + 1);
  if (!copy) abort();
  memcpy(copy, text.data, text.length);
  copy[text.length] = 0;
  return copy;
}

static int32_t start(bf_text config) {
  bf_text path = bf_string(bf_member(config, "words"));
  bf_text wanted = bf_string(bf_member(config, "mark"));
  if (wanted.data) mark = copied(wanted);
  if (!path.data) return bf_fail("`words` must be the path of a file with one word a line");
  char *name = copied(path);
  FILE *file = fopen(name, "r");
  if (!file) {
    static char message[512];
    snprintf(message, sizeof message, "%s: %s%s", name, strerror(errno),
             errno == ENOTCAPABLE || errno == ENOENT ? " (is it granted as capabilities.fs.read?)" : "");
    free(name);
    return bf_fail(message);
  }
  free(name);
  char line[256];
  while (word_count < MAX_WORDS && fgets(line, sizeof line, file)) {
    line[strcspn(line, "\r\n")] = 0;
    if (line[0]) words[word_count++] = copied(bf_of(line));
  }
  fclose(file);
  printf("%d words, mode %s\n", word_count, getenv("GUARD_MODE") ? getenv("GUARD_MODE") : "deny");
  fflush(stdout);
  return 0;
}

static void stop(void) {
  while (word_count > 0) free(words[--word_count]);
}

static const char *forbidden_in(bf_text text) {
  for (int at = 0; at < word_count; at += 1)
    if (bf_contains(text, bf_of(words[at]))) return words[at];
  return 0;
}

static int32_t check(bf_text conversation) {
  bf_text messages = bf_member(conversation, "messages");
  const char *found = 0;
  for (uint32_t at = 0; !found; at += 1) {
    bf_text message = bf_item(messages, at);
    if (!message.data) break;
    bf_text parts = bf_member(message, "parts");
    for (uint32_t part = 0; !found && bf_item(parts, part).data; part += 1)
      found = forbidden_in(bf_string(bf_member(bf_item(parts, part), "text")));
  }
  if (!found) return 0;
  const char *mode = getenv("GUARD_MODE");
  if (mode && strcmp(mode, "watch") == 0) {
    fprintf(stderr, "would deny: %s\n", found);
    return 0;
  }
  bf_writer answer = bf_begin(0);
  bf_put(&answer, "{\"error\":{\"statusCode\":403,\"code\":\"forbidden_word\",\"origin\":\"plugin\",\"allowFallbacks\":false,\"message\":");
  bf_put_string(&answer, bf_of("The request has a forbidden word."));
  bf_put(&answer, "}}");
  return bf_end(&answer);
}

/* An event name on each chunk that has none would change the protocol: the mark goes into the JSON. */
static int32_t mark_chunk(const bf_input *input) {
  bf_text data = bf_attachment(input, 0);
  if (data.length < 2 || data.data[0] != '{' || !mark[0]) return 0;
  bf_writer answer = bf_begin(0);
  bf_writer chunk = bf_begin(0);
  bf_put(&chunk, "{\"mark\":");
  bf_put_string(&chunk, bf_of(mark));
  if (data.data[1] != '}') bf_put(&chunk, ",");
  bf_text rest = {data.data + 1, data.length - 1};
  bf_put_text(&chunk, rest);
  bf_text marked = {(const char *)chunk.data + chunk.header, chunk.length - chunk.header};
  bf_put(&answer, "{\"data\":");
  bf_put_string(&answer, marked);
  bf_put(&answer, "}");
  return bf_end(&answer);
}

int32_t bifrost_plugin_call(uint32_t operation, const bf_input *call) {
  bf_text input = bf_member(call->json, "input");
  switch (operation) {
    case BF_DESCRIBE:
      return bf_answer("{\"name\":\"wasm-c-wasi\",\"version\":\"1.0.0\",\"api\":\"1.1\",\"guard\":true,\"hooks\":{"
                       "\"preLLMHook\":{\"reads\":\"messages\"},\"httpTransportStreamChunkHook\":{\"onError\":\"continue\"}}}");
    case BF_INIT: return start(bf_member(call->json, "config"));
    case BF_CLEANUP: stop(); return 0;
    case BF_PRE_LLM_HOOK: return check(bf_member(input, "conversation"));
    case BF_HTTP_TRANSPORT_STREAM_CHUNK_HOOK: return mark_chunk(call);
    default: return 0;
  }
}
