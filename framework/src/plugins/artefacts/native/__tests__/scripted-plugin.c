/*
 * A plugin for tests whose config says what it does: {"results": {"<hook number>": result}} gives the results of its hooks, and
 * {"do": ...} misbehaves. It logs what every hook is given, as one line.
 */
#include "bifrost_plugin.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SCRIPTED_ABI
#define SCRIPTED_ABI BIFROST_PLUGIN_ABI
#endif
#ifndef SCRIPTED_DESCRIPTION
#define SCRIPTED_DESCRIPTION                                                                                              \
  "{\"name\": \"scripted\", \"version\": \"0.1.0\", \"api\": \"1.1\", \"hooks\": {"                                       \
  "\"httpTransportPreAuthHook\": {}, \"httpTransportPreHook\": {\"reads\": \"body\"}, \"preRequestHook\": {},"            \
  "\"preLLMHook\": {\"reads\": \"messages\"}, \"postLLMHook\": {\"reads\": \"messages\"}, \"streamEventHook\": {},"       \
  "\"httpTransportResponseHeadersHook\": {}, \"httpTransportStreamChunkHook\": {},"                                       \
  "\"httpTransportPostHook\": {\"reads\": \"body\"}, \"preMCPHook\": {}, \"postMCPHook\": {},"                            \
  "\"preMCPConnectionHook\": {}, \"postMCPConnectionHook\": {}, \"inject\": {}}}"
#endif

typedef struct plugin {
  char *config;
  char action[32];
} plugin;

/* Shared by all plugins of the mapping. */
static _Atomic int created;
static _Atomic int outputs_held;

uint32_t bifrost_plugin_abi(void) { return SCRIPTED_ABI; }
const char *bifrost_plugin_describe(void) { return SCRIPTED_DESCRIPTION; }

static int32_t answer(bifrost_output *output, int32_t status, const char *from, size_t length) {
  char *text = malloc(length + 1);
  memcpy(text, from, length);
  text[length] = '\0';
  output->json = text;
  output->owner = text;
  outputs_held++;
  return status;
}

static int32_t say(bifrost_output *output, int32_t status, const char *text) {
  return answer(output, status, text, strlen(text));
}

int32_t bifrost_plugin_create(const bifrost_call *call, void **made, bifrost_output *output) {
  if (call->size != sizeof *call || output->size != sizeof *output || call->host->size != sizeof *call->host ||
      call->hook != 0xffffffffu || call->json_length != strlen(call->json) || output->owner != NULL) {
    return say(output, BIFROST_BAD_INPUT, "the structs are not as the header has them");
  }
  const char *config = json_member(call->json, "config");
  plugin *self = calloc(1, sizeof *self);
  json_text(json_member(config, "do"), self->action, sizeof self->action);
  if (strcmp(self->action, "refuse") == 0) {
    free(self);
    return say(output, BIFROST_BAD_CONFIG, "config.do: expected something else");
  }
  if (strcmp(self->action, "no-plugin") == 0) {
    free(self);
    return BIFROST_OK;
  }
  size_t length = (size_t)(json_end(config) - config);
  self->config = malloc(length + 1);
  memcpy(self->config, config, length);
  self->config[length] = '\0';
  created++;
  *made = self;
  return BIFROST_OK;
}

#ifdef SCRIPTED_UNBOUND
/* Of no library. */
int is_nowhere(void);
#endif

/* The body upside down, where there is one. */
static void turn_body(const bifrost_call *call, bifrost_output *output) {
  if (call->attachment_count == 0) return;
  const bifrost_bytes *body = &call->attachments[0];
  bifrost_bytes *turned = malloc(sizeof *turned + body->length);
  uint8_t *bytes = (uint8_t *)(turned + 1);
  for (size_t at = 0; at < body->length; at++) bytes[at] = body->data[body->length - 1 - at];
  *turned = (bifrost_bytes){bytes, body->length};
  output->attachments = turned;
  output->attachment_count = 1;
}

static int32_t ask_host(const bifrost_call *call, const plugin *self, bifrost_output *output) {
  const char *request = json_member(self->config, "request");
  char text[512];
  snprintf(text, sizeof text, "%.*s", (int)(json_end(request) - request), request);
  const char *reply = call->host->request(call->host, text);
  call->host->log(call->host, BIFROST_WARN, "the host said", reply);
  (void)output;
  return BIFROST_OK;
}

static int32_t act(const bifrost_call *call, const plugin *self, bifrost_output *output) {
  const char *action = self->action;
  if (strcmp(action, "fail") == 0) return say(output, BIFROST_FAILED, "it did not work out");
  if (strcmp(action, "panic") == 0) return say(output, BIFROST_PANICKED, "caught it");
  if (strcmp(action, "silent-fail") == 0) return BIFROST_FAILED;
  if (strcmp(action, "odd-status") == 0) return 77;
  if (strcmp(action, "no-json") == 0) return say(output, BIFROST_OK, "{nonsense");
  if (strcmp(action, "wrong-attachment") == 0) return say(output, BIFROST_OK, "{\"body\": {\"$bytes\": 3}}");
  if (strcmp(action, "many-attachments") == 0) {
    output->attachment_count = 1000000;
    return say(output, BIFROST_OK, "{}");
  }
  if (strcmp(action, "null-attachment") == 0) {
    static const bifrost_bytes nothing = {NULL, 5};
    output->attachments = &nothing;
    output->attachment_count = 1;
    return say(output, BIFROST_OK, "{}");
  }
#ifdef SCRIPTED_UNBOUND
  if (strcmp(action, "unbound") == 0) return is_nowhere();
#endif
  if (strcmp(action, "ask") == 0) return ask_host(call, self, output);
  if (strcmp(action, "count") == 0) {
    char text[96];
    snprintf(text, sizeof text, "{\"created\": %d, \"outputsHeld\": %d}", created, outputs_held);
    call->host->log(call->host, BIFROST_DEBUG, "counts", text);
  }
  return BIFROST_OK;
}

int32_t bifrost_plugin_call(void *plugin_pointer, const bifrost_call *call, bifrost_output *output) {
  plugin *self = plugin_pointer;
  if (call->hook == BIFROST_REDACT_CONFIG) {
    char text[256];
    snprintf(text, sizeof text, "{\"redacted\": %s}", call->json);
    return self == NULL ? say(output, BIFROST_OK, text) : BIFROST_BAD_INPUT;
  }
  if (self->action[0] != '\0') {
    int32_t status = act(call, self, output);
    if (status != BIFROST_OK || output->owner != NULL) return status;
  } else {
    call->host->log(call->host, BIFROST_INFO, "given", call->json);
  }
  char number[16];
  snprintf(number, sizeof number, "%u", call->hook);
  const char *result = json_member(json_member(self->config, "results"), number);
  if (result == NULL) return BIFROST_OK;
  turn_body(call, output);
  return answer(output, BIFROST_OK, result, (size_t)(json_end(result) - result));
}

void bifrost_plugin_free_output(void *plugin_pointer, bifrost_output *output) {
  (void)plugin_pointer;
  if (output->owner != NULL) outputs_held--;
  free(output->owner);
  if (output->attachment_count == 1 && output->attachments->data != NULL) free((void *)output->attachments);
}

void bifrost_plugin_destroy(void *plugin_pointer, const bifrost_host *host) {
  plugin *self = plugin_pointer;
  if (host->log != NULL) host->log(host, BIFROST_INFO, "destroyed", NULL);
  created--;
  free(self->config);
  free(self);
}
