/*
 * Guest side of the WebAssembly ABI `bifrost-plugin/1` for C and C++: docs/plugins/wasm-abi.md describes it.
 *
 * One header, with or without a C library (clang --target=wasm32 -nostdlib, or wasm32-wasi). One source file of the plugin defines
 * BIFROST_PLUGIN_IMPLEMENTATION before it includes this, and the plugin defines one function:
 *
 *   int32_t bifrost_plugin_call(uint32_t operation, const bf_input *input);
 *
 * (With BIFROST_PLUGIN_NO_EXPORTS defined too, only the functions for text and JSON are there: for a guest of another ABI.)
 *
 * It returns 0 for "unchanged", or what bf_end or bf_fail return. All memory that these functions give lasts until the next call.
 * JSON is looked at where it lies: a bf_text of JSON is a piece of the input, and bf_member finds a piece of a piece.
 */
#ifndef BIFROST_PLUGIN_WASM_H
#define BIFROST_PLUGIN_WASM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the gateway asks for. */
enum {
  BF_DESCRIBE = 0,
  BF_INIT = 1,
  BF_CLEANUP = 2,
  BF_MARSHAL_CONFIG_FOR_STORAGE = 3,
  BF_REDACT_CONFIG = 4,
  BF_HTTP_TRANSPORT_PRE_AUTH_HOOK = 16,
  BF_HTTP_TRANSPORT_PRE_HOOK = 17,
  BF_PRE_REQUEST_HOOK = 18,
  BF_PRE_LLM_HOOK = 19,
  BF_POST_LLM_HOOK = 20,
  BF_STREAM_EVENT_HOOK = 21,
  BF_HTTP_TRANSPORT_RESPONSE_HEADERS_HOOK = 22,
  BF_HTTP_TRANSPORT_STREAM_CHUNK_HOOK = 23,
  BF_HTTP_TRANSPORT_POST_HOOK = 24,
  BF_PRE_MCP_HOOK = 25,
  BF_POST_MCP_HOOK = 26,
  BF_PRE_MCP_CONNECTION_HOOK = 27,
  BF_POST_MCP_CONNECTION_HOOK = 28,
  BF_INJECT = 29
};

enum { BF_LOG_DEBUG = 0, BF_LOG_INFO = 1, BF_LOG_WARN = 2, BF_LOG_ERROR = 3 };

/* A piece of text, not ended by a zero byte. `data` is NULL where there is none. */
typedef struct {
  const char *data;
  uint32_t length;
} bf_text;

/* The input of one call: JSON, and bytes beside it that the JSON refers to as {"$bytes": n}. */
typedef struct {
  bf_text json;
  uint32_t attachments;
  const uint8_t *frame;
} bf_input;

/* An answer that is being written. */
typedef struct {
  uint8_t *data;
  uint32_t length;
  uint32_t capacity;
  uint32_t header;
  uint32_t json_length;
  uint32_t attached;
} bf_writer;

#define BF_IMPORT(name) __attribute__((import_module("bifrost"), import_name(name)))

BF_IMPORT("log") void bf_import_log(int32_t level, const char *message, uint32_t length);
BF_IMPORT("now") double bf_now(void);
BF_IMPORT("random") void bf_random(void *buffer, uint32_t length);
BF_IMPORT("is_aborted") int32_t bf_is_aborted(void);
BF_IMPORT("state_get") int32_t bf_import_state_get(const char *key, uint32_t key_length, char *buffer, uint32_t capacity);
BF_IMPORT("state_set")
int32_t bf_import_state_set(const char *key, uint32_t key_length, const char *json, uint32_t length);
BF_IMPORT("value_get") int32_t bf_import_value_get(const char *key, uint32_t key_length, char *buffer, uint32_t capacity);
BF_IMPORT("value_set")
int32_t bf_import_value_set(const char *key, uint32_t key_length, const char *json, uint32_t length);
BF_IMPORT("shared_add") double bf_import_shared_add(const char *key, uint32_t key_length, double by);
BF_IMPORT("shared_get")
int32_t bf_import_shared_get(const char *key, uint32_t key_length, char *buffer, uint32_t capacity);
BF_IMPORT("shared_set")
int32_t bf_import_shared_set(const char *key, uint32_t key_length, const char *json, uint32_t length);
BF_IMPORT("model_info")
int32_t bf_import_model_info(const char *model, uint32_t model_length, char *buffer, uint32_t capacity);
BF_IMPORT("cost") double bf_import_cost(const char *usage, uint32_t length);
BF_IMPORT("trace_set")
int32_t bf_import_trace_set(const char *key, uint32_t key_length, const char *json, uint32_t length);
BF_IMPORT("routing_note") void bf_import_routing_note(const char *note, uint32_t length);

/* --- memory: lasts until the next call --- */
void *bf_alloc(uint32_t bytes);
/* A copy that lasts for ever: for configuration. */
bf_text bf_keep(bf_text text);

/* --- text --- */
bf_text bf_of(const char *zero_ended);
int bf_equal(bf_text a, bf_text b);
int bf_is(bf_text text, const char *zero_ended);
int bf_contains(bf_text text, bf_text piece);

/* --- reading JSON --- */
/* The value of a member of an object, as JSON; none where it is absent. */
bf_text bf_member(bf_text object, const char *name);
/* The value at a path of members: bf_at(json, "input.headers.x-team"). Dots in names cannot be written. */
bf_text bf_at(bf_text object, const char *path);
/* The item of an array, as JSON; none behind the last. */
bf_text bf_item(bf_text array, uint32_t index);
/* A JSON string without its quotes and escapes; none for any other value. */
bf_text bf_string(bf_text json);
/* A JSON number; `otherwise` for any other value. */
double bf_number(bf_text json, double otherwise);
/* An attachment of the input, by its number. */
bf_text bf_attachment(const bf_input *input, uint32_t number);

/* --- answering --- */
/* Begins an answer that will have this many attachments. */
bf_writer bf_begin(uint32_t attachments);
/* Writes JSON as it stands. */
void bf_put(bf_writer *writer, const char *zero_ended);
void bf_put_text(bf_writer *writer, bf_text text);
/* Writes a JSON string, with quotes and escapes. */
void bf_put_string(bf_writer *writer, bf_text text);
void bf_put_integer(bf_writer *writer, int64_t value);
/* Adds an attachment: after all JSON is written. */
void bf_attach(bf_writer *writer, bf_text bytes);
int32_t bf_end(bf_writer *writer);
/* The call failed: what its policy says happens, the message stands in the gateway's log. */
int32_t bf_fail(const char *message);
/* The whole answer in one text of JSON. */
int32_t bf_answer(const char *json);

/* --- the gateway --- */
void bf_log(int32_t level, bf_text message);
/* What this plugin has set for this request, as JSON; other plugins do not see it. */
bf_text bf_state(bf_text key);
int32_t bf_set_state(bf_text key, bf_text json);
/* A value of this request as JSON; none where nobody has set it. Other plugins see it as `plugin/key`. */
bf_text bf_value(bf_text key);
int32_t bf_set_value(bf_text key, bf_text json);
double bf_shared_add(const char *key, double by);
bf_text bf_shared(bf_text key);
int32_t bf_set_shared(bf_text key, bf_text json);

/* The plugin defines this. */
int32_t bifrost_plugin_call(uint32_t operation, const bf_input *input);

#ifdef BIFROST_PLUGIN_IMPLEMENTATION

#define BF_EXPORT(name) __attribute__((export_name(name)))
#define BF_PAGE 65536u

/* A piece of memory that `memory.grow` gave; used ones are reset at each call, or freed by the host. */
typedef struct bf_block {
  struct bf_block *next;
  uint32_t capacity;
  uint32_t used;
} bf_block;

static bf_block *bf_arena;
static bf_block *bf_kept;
static bf_block *bf_free_blocks;

static void bf_copy(void *to, const void *from, uint32_t length) {
  uint8_t *target = (uint8_t *)to;
  const uint8_t *source = (const uint8_t *)from;
  for (uint32_t at = 0; at < length; at += 1) target[at] = source[at];
}

static bf_block *bf_new_block(uint32_t bytes) {
  for (bf_block **place = &bf_free_blocks; *place; place = &(*place)->next) {
    bf_block *block = *place;
    if (block->capacity < bytes) continue;
    *place = block->next;
    block->used = 0;
    return block;
  }
  if (bytes > 0x7fff0000u) return 0;
  uint32_t pages = (uint32_t)((bytes + sizeof(bf_block) + BF_PAGE - 1) / BF_PAGE);
  int32_t first = (int32_t)__builtin_wasm_memory_grow(0, pages);
  if (first < 0) return 0;
  bf_block *block = (bf_block *)((uintptr_t)first * BF_PAGE);
  block->capacity = (uint32_t)(pages * BF_PAGE - sizeof(bf_block));
  block->used = 0;
  return block;
}

static void *bf_take(bf_block **list, uint32_t bytes) {
  uint32_t rounded = (bytes + 15u) & ~15u;
  bf_block *block = *list;
  if (!block || block->capacity - block->used < rounded) {
    block = bf_new_block(rounded);
    if (!block) __builtin_trap();
    block->next = *list;
    *list = block;
  }
  void *given = (uint8_t *)(block + 1) + block->used;
  block->used += rounded;
  return given;
}

void *bf_alloc(uint32_t bytes) { return bf_take(&bf_arena, bytes); }

bf_text bf_keep(bf_text text) {
  char *copy = (char *)bf_take(&bf_kept, text.length + 1);
  bf_copy(copy, text.data, text.length);
  copy[text.length] = 0;
  bf_text kept = {copy, text.length};
  return kept;
}

static uint32_t bf_u32(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void bf_set_u32(uint8_t *bytes, uint32_t value) {
  for (int at = 0; at < 4; at += 1) bytes[at] = (uint8_t)(value >> (8 * at));
}

#ifndef BIFROST_PLUGIN_NO_EXPORTS

static bf_block *bf_inputs;

static void bf_reset(void) {
  while (bf_arena) {
    bf_block *block = bf_arena;
    bf_arena = block->next;
    block->next = bf_free_blocks;
    bf_free_blocks = block;
  }
}

BF_EXPORT("bifrost_abi_1") void bifrost_abi_1(void) {}

BF_EXPORT("bifrost_alloc") void *bifrost_alloc(uint32_t size) {
  bf_block *block = bf_new_block(size);
  if (!block) return 0;
  block->next = bf_inputs;
  bf_inputs = block;
  return block + 1;
}

BF_EXPORT("bifrost_free") void bifrost_free(void *pointer, uint32_t size) {
  (void)size;
  for (bf_block **place = &bf_inputs; *place; place = &(*place)->next) {
    bf_block *block = *place;
    if (block + 1 != pointer) continue;
    *place = block->next;
    block->next = bf_free_blocks;
    bf_free_blocks = block;
    return;
  }
}

BF_EXPORT("bifrost_call") int32_t bifrost_call(uint32_t operation, const uint8_t *frame, uint32_t length) {
  (void)length;
  bf_reset();
  bf_input input;
  input.frame = frame;
  input.attachments = bf_u32(frame + 8);
  input.json.data = (const char *)frame + 12 + 4 * input.attachments;
  input.json.length = bf_u32(frame + 4);
  return bifrost_plugin_call(operation, &input);
}

#endif /* BIFROST_PLUGIN_NO_EXPORTS */

bf_text bf_attachment(const bf_input *input, uint32_t number) {
  bf_text none = {0, 0};
  if (number >= input->attachments) return none;
  const char *start = input->json.data + input->json.length;
  for (uint32_t at = 0; at < number; at += 1) start += bf_u32(input->frame + 12 + 4 * at);
  bf_text found = {start, bf_u32(input->frame + 12 + 4 * number)};
  return found;
}

/* --- text --- */

static uint32_t bf_length(const char *text) {
  uint32_t length = 0;
  while (text[length]) length += 1;
  return length;
}

bf_text bf_of(const char *zero_ended) {
  bf_text text = {zero_ended, bf_length(zero_ended)};
  return text;
}

int bf_equal(bf_text a, bf_text b) {
  if (a.length != b.length || !a.data || !b.data) return 0;
  for (uint32_t at = 0; at < a.length; at += 1)
    if (a.data[at] != b.data[at]) return 0;
  return 1;
}

int bf_is(bf_text text, const char *zero_ended) { return bf_equal(text, bf_of(zero_ended)); }

int bf_contains(bf_text text, bf_text piece) {
  if (!text.data || !piece.data || piece.length == 0) return 0;
  for (uint32_t at = 0; at + piece.length <= text.length; at += 1) {
    bf_text here = {text.data + at, piece.length};
    if (bf_equal(here, piece)) return 1;
  }
  return 0;
}

/* --- reading JSON: the gateway's own, so its form is not checked --- */

static uint32_t bf_space(bf_text json, uint32_t at) {
  while (at < json.length && (json.data[at] == ' ' || json.data[at] == '\n' || json.data[at] == '\t' || json.data[at] == '\r'))
    at += 1;
  return at;
}

/* The end of the string that begins at `at`, behind its quote. */
static uint32_t bf_string_end(bf_text json, uint32_t at) {
  for (at += 1; at < json.length && json.data[at] != '"'; at += 1)
    if (json.data[at] == '\\') at += 1;
  return at + 1;
}

/* The end of the value that begins at `at`. */
static uint32_t bf_value_end(bf_text json, uint32_t at) {
  uint32_t depth = 0;
  while (at < json.length) {
    char here = json.data[at];
    if (here == '"') {
      at = bf_string_end(json, at);
      if (depth == 0) return at;
      continue;
    }
    if (here == '{' || here == '[') depth += 1;
    else if (here == '}' || here == ']') {
      if (depth <= 1) return depth == 0 ? at : at + 1;
      depth -= 1;
    } else if (depth == 0 && (here == ',' || here == ' ' || here == '\n')) return at;
    at += 1;
  }
  return at;
}

static bf_text bf_piece(bf_text json, uint32_t start, uint32_t end) {
  bf_text piece = {json.data + start, end > json.length ? json.length - start : end - start};
  return piece;
}

static bf_text bf_member_text(bf_text object, bf_text name) {
  bf_text none = {0, 0};
  uint32_t at = bf_space(object, 0);
  if (!object.data || at >= object.length || object.data[at] != '{') return none;
  at = bf_space(object, at + 1);
  while (at < object.length && object.data[at] == '"') {
    uint32_t key_end = bf_string_end(object, at);
    bf_text key = bf_piece(object, at + 1, key_end - 1);
    uint32_t start = bf_space(object, bf_space(object, key_end) + 1);
    uint32_t end = bf_value_end(object, start);
    if (bf_equal(key, name)) return bf_piece(object, start, end);
    at = bf_space(object, end);
    if (at < object.length && object.data[at] == ',') at = bf_space(object, at + 1);
  }
  return none;
}

bf_text bf_member(bf_text object, const char *name) { return bf_member_text(object, bf_of(name)); }

bf_text bf_at(bf_text object, const char *path) {
  while (*path) {
    uint32_t length = 0;
    while (path[length] && path[length] != '.') length += 1;
    bf_text name = {path, length};
    object = bf_member_text(object, name);
    path += path[length] ? length + 1 : length;
  }
  return object;
}

bf_text bf_item(bf_text array, uint32_t index) {
  bf_text none = {0, 0};
  uint32_t at = bf_space(array, 0);
  if (!array.data || at >= array.length || array.data[at] != '[') return none;
  at = bf_space(array, at + 1);
  for (uint32_t number = 0; at < array.length && array.data[at] != ']'; number += 1) {
    uint32_t end = bf_value_end(array, at);
    if (number == index) return bf_piece(array, at, end);
    at = bf_space(array, end);
    if (at < array.length && array.data[at] == ',') at = bf_space(array, at + 1);
  }
  return none;
}

static uint32_t bf_hex(const char *digits) {
  uint32_t value = 0;
  for (int at = 0; at < 4; at += 1) {
    char digit = digits[at];
    value = value * 16 + (uint32_t)(digit <= '9' ? digit - '0' : (digit | 32) - 'a' + 10);
  }
  return value;
}

static uint32_t bf_utf8(char *to, uint32_t code) {
  if (code < 0x80) {
    to[0] = (char)code;
    return 1;
  }
  uint32_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static const uint8_t marks[] = {0, 0xc0, 0xe0, 0xf0};
  to[0] = (char)(marks[more] | code >> (6 * more));
  for (uint32_t at = 1; at <= more; at += 1) to[at] = (char)(0x80 | (code >> (6 * (more - at)) & 0x3f));
  return more + 1;
}

static char bf_escape(char escape) {
  switch (escape) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case 'b': return '\b';
    case 'f': return '\f';
    default: return escape;
  }
}

bf_text bf_string(bf_text json) {
  bf_text none = {0, 0};
  if (!json.data || json.length < 2 || json.data[0] != '"') return none;
  char *text = (char *)bf_alloc(json.length);
  uint32_t length = 0;
  for (uint32_t at = 1; at + 1 < json.length; at += 1) {
    if (json.data[at] != '\\') {
      text[length++] = json.data[at];
      continue;
    }
    at += 1;
    if (json.data[at] != 'u') {
      text[length++] = bf_escape(json.data[at]);
      continue;
    }
    uint32_t code = bf_hex(json.data + at + 1);
    at += 4;
    if (code >= 0xd800 && code < 0xdc00 && at + 6 < json.length && json.data[at + 1] == '\\') {
      code = 0x10000 + ((code - 0xd800) << 10) + (bf_hex(json.data + at + 3) - 0xdc00);
      at += 6;
    }
    length += bf_utf8(text + length, code);
  }
  bf_text found = {text, length};
  return found;
}

double bf_number(bf_text json, double otherwise) {
  uint32_t at = 0;
  if (!json.data || json.length == 0) return otherwise;
  double sign = json.data[0] == '-' ? (at = 1, -1.0) : 1.0;
  if (at >= json.length || json.data[at] < '0' || json.data[at] > '9') return otherwise;
  double value = 0;
  for (; at < json.length && json.data[at] >= '0' && json.data[at] <= '9'; at += 1) value = value * 10 + (json.data[at] - '0');
  if (at < json.length && json.data[at] == '.') {
    double scale = 0.1;
    for (at += 1; at < json.length && json.data[at] >= '0' && json.data[at] <= '9'; at += 1, scale /= 10)
      value += scale * (json.data[at] - '0');
  }
  if (at < json.length && (json.data[at] | 32) == 'e') {
    int negative = 0, exponent = 0;
    at += 1;
    if (at < json.length && (json.data[at] == '-' || json.data[at] == '+')) negative = json.data[at++] == '-';
    for (; at < json.length && exponent < 400; at += 1) exponent = exponent * 10 + (json.data[at] - '0');
    for (; exponent > 0; exponent -= 1) value = negative ? value / 10 : value * 10;
  }
  return sign * value;
}

/* --- answering --- */

static void bf_room(bf_writer *writer, uint32_t more) {
  if (writer->capacity - writer->length >= more) return;
  uint32_t capacity = writer->capacity * 2 + more;
  uint8_t *larger = (uint8_t *)bf_alloc(capacity);
  bf_copy(larger, writer->data, writer->length);
  writer->data = larger;
  writer->capacity = capacity;
}

bf_writer bf_begin(uint32_t attachments) {
  bf_writer writer = {(uint8_t *)bf_alloc(1024), 12 + 4 * attachments, 1024, 12 + 4 * attachments, 0, 0};
  bf_set_u32(writer.data, 0);
  bf_set_u32(writer.data + 8, attachments);
  for (uint32_t at = 0; at < attachments; at += 1) bf_set_u32(writer.data + 12 + 4 * at, 0);
  return writer;
}

void bf_put_text(bf_writer *writer, bf_text text) {
  bf_room(writer, text.length);
  bf_copy(writer->data + writer->length, text.data, text.length);
  writer->length += text.length;
}

void bf_put(bf_writer *writer, const char *zero_ended) { bf_put_text(writer, bf_of(zero_ended)); }

void bf_put_string(bf_writer *writer, bf_text text) {
  static const char digits[] = "0123456789abcdef";
  bf_room(writer, text.length * 6 + 2);
  uint8_t *to = writer->data;
  uint32_t at = writer->length;
  to[at++] = '"';
  for (uint32_t index = 0; index < text.length; index += 1) {
    uint8_t here = (uint8_t)text.data[index];
    if (here == '"' || here == '\\') {
      to[at++] = '\\';
      to[at++] = here;
    } else if (here < 0x20) {
      to[at++] = '\\';
      to[at++] = 'u';
      to[at++] = '0';
      to[at++] = '0';
      to[at++] = (uint8_t)digits[here >> 4];
      to[at++] = (uint8_t)digits[here & 15];
    } else to[at++] = here;
  }
  to[at++] = '"';
  writer->length = at;
}

void bf_put_integer(bf_writer *writer, int64_t value) {
  char digits[20];
  uint32_t at = 20;
  uint64_t rest = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
  do digits[--at] = (char)('0' + rest % 10);
  while ((rest /= 10) > 0);
  if (value < 0) bf_put(writer, "-");
  bf_text text = {digits + at, 20 - at};
  bf_put_text(writer, text);
}

void bf_attach(bf_writer *writer, bf_text bytes) {
  if (writer->attached == 0) writer->json_length = writer->length - writer->header;
  bf_put_text(writer, bytes);
  bf_set_u32(writer->data + 12 + 4 * writer->attached, bytes.length);
  writer->attached += 1;
}

int32_t bf_end(bf_writer *writer) {
  if (writer->attached == 0) writer->json_length = writer->length - writer->header;
  bf_set_u32(writer->data + 4, writer->json_length);
  return (int32_t)(uintptr_t)writer->data;
}

int32_t bf_fail(const char *message) {
  bf_writer writer = bf_begin(0);
  bf_put(&writer, message);
  bf_set_u32(writer.data, 1);
  return bf_end(&writer);
}

int32_t bf_answer(const char *json) {
  bf_writer writer = bf_begin(0);
  bf_put(&writer, json);
  return bf_end(&writer);
}

/* --- the gateway --- */

void bf_log(int32_t level, bf_text message) { bf_import_log(level, message.data, message.length); }

typedef int32_t (*bf_getter)(const char *, uint32_t, char *, uint32_t);

static bf_text bf_get(bf_getter getter, bf_text key) {
  bf_text found = {0, 0};
  char *buffer = (char *)bf_alloc(256);
  int32_t length = getter(key.data, key.length, buffer, 256);
  if (length < 0) return found;
  if (length > 256) {
    buffer = (char *)bf_alloc((uint32_t)length);
    getter(key.data, key.length, buffer, (uint32_t)length);
  }
  found.data = buffer;
  found.length = (uint32_t)length;
  return found;
}

bf_text bf_state(bf_text key) { return bf_get(bf_import_state_get, key); }
int32_t bf_set_state(bf_text key, bf_text json) {
  return bf_import_state_set(key.data, key.length, json.data, json.length);
}
bf_text bf_value(bf_text key) { return bf_get(bf_import_value_get, key); }
int32_t bf_set_value(bf_text key, bf_text json) {
  return bf_import_value_set(key.data, key.length, json.data, json.length);
}
double bf_shared_add(const char *key, double by) { return bf_import_shared_add(key, bf_length(key), by); }
bf_text bf_shared(bf_text key) { return bf_get(bf_import_shared_get, key); }
int32_t bf_set_shared(bf_text key, bf_text json) {
  return bf_import_shared_set(key.data, key.length, json.data, json.length);
}

#endif /* BIFROST_PLUGIN_IMPLEMENTATION */

#ifdef __cplusplus
}
#endif

#endif /* BIFROST_PLUGIN_WASM_H */
