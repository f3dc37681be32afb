/*
 * A plugin in C: refuses requests for models that are not allowed, puts a header on every answer, stamps every text of a stream and
 * counts requests over all threads. It keeps to the standard library; in a product, use a JSON library you trust.
 */
#include "bifrost_plugin.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One for each serving thread: no locks needed. */
typedef struct plugin {
  char stamp[32];
  char denied_model[128];
} plugin;

uint32_t bifrost_plugin_abi(void) { return BIFROST_PLUGIN_ABI; }

const char *bifrost_plugin_describe(void) {
  return "{\"name\": \"native-c\", \"version\": \"1.0.0\", \"api\": \"1.1\", \"hooks\": {"
         "\"preRequestHook\": {\"reads\": \"head\"},"
         "\"preLLMHook\": {\"reads\": \"head\"},"
         "\"streamEventHook\": {},"
         "\"httpTransportResponseHeadersHook\": {},"
         "\"httpTransportPostHook\": {\"reads\": \"body\"},"
         "\"inject\": {}}}";
}

/* Puts a result, or the message of a failure, into the output: a copy that free_output releases. */
static int32_t answer(bifrost_output *output, int32_t status, const char *text) {
  output->json = strdup(text);
  return output->json == NULL ? BIFROST_FAILED : status;
}

int32_t bifrost_plugin_create(const bifrost_call *call, void **made, bifrost_output *output) {
  plugin *self = calloc(1, sizeof *self);
  if (self == NULL) return answer(output, BIFROST_FAILED, "out of memory");
  const char *config = json_member(call->json, "config");
  strcpy(self->stamp, "c1");
  if (json_member(config, "stamp") != NULL &&
      !json_text(json_member(config, "stamp"), self->stamp, sizeof self->stamp)) {
    free(self);
    return answer(output, BIFROST_BAD_CONFIG, "config.stamp: expected a string of at most 31 bytes");
  }
  if (json_member(config, "deniedModel") != NULL &&
      !json_text(json_member(config, "deniedModel"), self->denied_model, sizeof self->denied_model)) {
    free(self);
    return answer(output, BIFROST_BAD_CONFIG, "config.deniedModel: expected a string of at most 127 bytes");
  }
  char line[96];
  snprintf(line, sizeof line, "native-c with the stamp %s", self->stamp);
  call->host->log(call->host, BIFROST_INFO, line, NULL);
  *made = self;
  return BIFROST_OK;
}

/* Routing: counts the request, over all threads, and notes why it goes where it goes. */
static int32_t pre_request(const bifrost_call *call) {
  const char *reply = call->host->request(call->host, "{\"op\": \"shared.add\", \"key\": \"requests\"}");
  if (reply == NULL) return BIFROST_FAILED;
  char fields[96];
  snprintf(fields, sizeof fields, "{\"count\": %ld}", json_integer(json_member(reply, "value")));
  call->host->log(call->host, BIFROST_INFO, "a request came in", fields);
  call->host->request(call->host, "{\"op\": \"routing.note\", \"message\": \"native-c changes no route\"}");
  return BIFROST_OK;
}

/* A refusal is a result, not a failure: it has a status for the client and does not count as an error of the plugin. */
static int32_t pre_llm(const plugin *self, const bifrost_call *call, bifrost_output *output) {
  char model[128];
  const char *input = json_member(call->json, "input");
  if (self->denied_model[0] == '\0' || !json_text(json_member(input, "model"), model, sizeof model)) return BIFROST_OK;
  if (strstr(model, self->denied_model) == NULL) return BIFROST_OK;
  return answer(output, BIFROST_OK,
                "{\"error\": {\"statusCode\": 403, \"message\": \"this model is not allowed here\", \"code\": \"model_denied\","
                " \"origin\": \"plugin\", \"allowFallbacks\": false}}");
}

/* Writes the stamp before the text of every delta. The event's other members are kept as they came. */
static int32_t stream_event(const plugin *self, const bifrost_call *call, bifrost_output *output) {
  const char *event = json_member(call->json, "input");
  char type[32];
  const char *text = json_member(event, "text");
  if (text == NULL || !json_text(json_member(event, "type"), type, sizeof type) || strcmp(type, "text-delta") != 0) {
    return BIFROST_OK;
  }
  const char *end = json_end(event);
  size_t before = (size_t)(text + 1 - event); /* up to and with the opening quote */
  size_t after = (size_t)(end - (text + 1));
  size_t stamp = strlen(self->stamp);
  char *result = malloc(before + after + stamp + 6);
  if (result == NULL) return answer(output, BIFROST_FAILED, "out of memory");
  char *to = result;
  *to++ = '[';
  memcpy(to, event, before);
  to += before;
  *to++ = '[';
  memcpy(to, self->stamp, stamp); /* create has made sure that it needs no escapes */
  to += stamp;
  *to++ = ']';
  memcpy(to, text + 1, after);
  to += after;
  *to++ = ']';
  *to = '\0';
  output->json = result;
  return BIFROST_OK;
}

static int32_t response_headers(const plugin *self, bifrost_output *output) {
  char result[128];
  snprintf(result, sizeof result, "{\"headers\": {\"x-native-c\": \"%s\"}}", self->stamp);
  return answer(output, BIFROST_OK, result);
}

/* The body comes and goes beside the JSON. A line break is put behind it. */
static int32_t http_post(const bifrost_call *call, bifrost_output *output) {
  if (call->attachment_count != 1) return BIFROST_OK;
  const bifrost_bytes *body = &call->attachments[0];
  bifrost_bytes *changed = malloc(sizeof *changed + body->length + 1);
  if (changed == NULL) return answer(output, BIFROST_FAILED, "out of memory");
  uint8_t *bytes = (uint8_t *)(changed + 1);
  memcpy(bytes, body->data, body->length);
  bytes[body->length] = '\n';
  changed->data = bytes;
  changed->length = body->length + 1;
  output->attachments = changed;
  output->attachment_count = 1;
  return answer(output, BIFROST_OK, "{\"body\": {\"$bytes\": 0}}");
}

int32_t bifrost_plugin_call(void *plugin_pointer, const bifrost_call *call, bifrost_output *output) {
  const plugin *self = plugin_pointer;
  switch (call->hook) {
    case BIFROST_PRE_REQUEST: return pre_request(call);
    case BIFROST_PRE_LLM: return pre_llm(self, call, output);
    case BIFROST_STREAM_EVENT: return stream_event(self, call, output);
    case BIFROST_HTTP_TRANSPORT_RESPONSE_HEADERS: return response_headers(self, output);
    case BIFROST_HTTP_TRANSPORT_POST: return http_post(call, output);
    case BIFROST_INJECT: return BIFROST_OK;
    default: return answer(output, BIFROST_BAD_INPUT, "a hook that it did not name in describe");
  }
}

void bifrost_plugin_free_output(void *plugin_pointer, bifrost_output *output) {
  (void)plugin_pointer;
  free((void *)output->json);
  free((void *)output->attachments);
}

void bifrost_plugin_destroy(void *plugin_pointer, const bifrost_host *host) {
  (void)host;
  free(plugin_pointer);
}
