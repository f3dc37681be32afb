/*
 * A plugin as a Node-API add-on: its exports are those of a plugin's module, made of JavaScript values, so nothing is turned into
 * JSON. It refuses models that are not allowed, puts a header on every answer, stamps every text of a stream and counts requests.
 *
 * Every serving thread has its own JavaScript realm and initialises the add-on once for itself; static variables would be shared by
 * all of them. A handler may return any value, promises included; a thrown exception is a failure of the hook.
 */
#define NAPI_VERSION 8
#include <node_api.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 256

/* Throws what the last call left to say, if it has not thrown by itself, and gives undefined. */
static napi_value failed(napi_env env) {
  bool is_pending = false;
  napi_is_exception_pending(env, &is_pending);
  const napi_extended_error_info *info = NULL;
  napi_get_last_error_info(env, &info);
  if (!is_pending) {
    const char *message = info != NULL && info->error_message != NULL ? info->error_message : "Node-API call failed";
    napi_throw_error(env, "NATIVE_ADDON", message);
  }
  return NULL;
}

#define TRY(call) \
  do { \
    if ((call) != napi_ok) return failed(env); \
  } while (0)

/* A property as text, cut to TEXT_MAX - 1 bytes; false where it is no string. */
static bool text_of(napi_env env, napi_value object, const char *name, char *to) {
  napi_value value;
  napi_valuetype type;
  if (napi_get_named_property(env, object, name, &value) != napi_ok) return false;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_string) return false;
  return napi_get_value_string_utf8(env, value, to, TEXT_MAX, NULL) == napi_ok;
}

/* Context and input of a handler. */
static bool arguments_of(napi_env env, napi_callback_info info, napi_value values[2]) {
  size_t count = 2;
  return napi_get_cb_info(env, info, &count, values, NULL, NULL) == napi_ok && count == 2;
}

static bool config_text(napi_env env, napi_value context, const char *name, char *to) {
  napi_value config;
  return napi_get_named_property(env, context, "config", &config) == napi_ok && text_of(env, config, name, to);
}

static void stamp_of(napi_env env, napi_value context, char *to) {
  if (!config_text(env, context, "stamp", to)) strcpy(to, "addon1");
}

static napi_value text_value(napi_env env, const char *text) {
  napi_value value = NULL;
  return napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) == napi_ok ? value : NULL;
}

/* context.log.info(message) */
static napi_value log_info(napi_env env, napi_value context, const char *message) {
  napi_value log, info, text = text_value(env, message);
  TRY(napi_get_named_property(env, context, "log", &log));
  TRY(napi_get_named_property(env, log, "info", &info));
  TRY(napi_call_function(env, log, info, 1, &text, NULL));
  return NULL;
}

/* To throw here refuses the plugin: the config is wrong. */
static napi_value init(napi_env env, napi_callback_info info) {
  napi_value context[2];
  size_t count = 1;
  TRY(napi_get_cb_info(env, info, &count, context, NULL, NULL));
  napi_value config, stamp;
  napi_valuetype type;
  TRY(napi_get_named_property(env, context[0], "config", &config));
  TRY(napi_get_named_property(env, config, "stamp", &stamp));
  TRY(napi_typeof(env, stamp, &type));
  if (type != napi_undefined && type != napi_string) {
    napi_throw_type_error(env, "NATIVE_ADDON", "config.stamp: expected a string");
    return NULL;
  }
  char text[TEXT_MAX], line[TEXT_MAX + 32];
  stamp_of(env, context[0], text);
  snprintf(line, sizeof line, "native-addon with the stamp %s", text);
  return log_info(env, context[0], line);
}

/* context.shared.add('requests'): a counter over all threads */
static napi_value pre_request(napi_env env, napi_callback_info info) {
  napi_value given[2], shared, add, counted, key = text_value(env, "requests");
  if (!arguments_of(env, info, given)) return failed(env);
  TRY(napi_get_named_property(env, given[0], "shared", &shared));
  TRY(napi_get_named_property(env, shared, "add", &add));
  TRY(napi_call_function(env, shared, add, 1, &key, &counted));
  int64_t number = 0;
  TRY(napi_get_value_int64(env, counted, &number));
  char line[64];
  snprintf(line, sizeof line, "request number %lld came in", (long long)number);
  return log_info(env, given[0], line);
}

/* A refusal is a result, not an exception: it has a status for the client and does not count as a failure. */
static napi_value pre_llm(napi_env env, napi_callback_info info) {
  napi_value given[2], result, error, status, no;
  char denied[TEXT_MAX], model[TEXT_MAX];
  if (!arguments_of(env, info, given)) return failed(env);
  if (!config_text(env, given[0], "deniedModel", denied) || denied[0] == '\0') return NULL;
  if (!text_of(env, given[1], "model", model) || strstr(model, denied) == NULL) return NULL;
  TRY(napi_create_object(env, &result));
  TRY(napi_create_object(env, &error));
  TRY(napi_create_int32(env, 403, &status));
  TRY(napi_get_boolean(env, false, &no));
  TRY(napi_set_named_property(env, error, "statusCode", status));
  TRY(napi_set_named_property(env, error, "message", text_value(env, "this model is not allowed here")));
  TRY(napi_set_named_property(env, error, "code", text_value(env, "model_denied")));
  TRY(napi_set_named_property(env, error, "origin", text_value(env, "plugin")));
  TRY(napi_set_named_property(env, error, "allowFallbacks", no));
  TRY(napi_set_named_property(env, result, "error", error));
  return result;
}

/* A copy of the event, as inputs are read-only. */
static napi_value copy_of(napi_env env, napi_value object) {
  napi_value names, copy;
  uint32_t count = 0;
  TRY(napi_get_property_names(env, object, &names));
  TRY(napi_get_array_length(env, names, &count));
  TRY(napi_create_object(env, &copy));
  for (uint32_t at = 0; at < count; at++) {
    napi_value name, value;
    TRY(napi_get_element(env, names, at, &name));
    TRY(napi_get_property(env, object, name, &value));
    TRY(napi_set_property(env, copy, name, value));
  }
  return copy;
}

/* stamp + text, joined by JavaScript's own concat: no length is too long for it. */
static napi_value stamp_before(napi_env env, napi_value context, napi_value text) {
  napi_value start, concat, joined;
  char stamp[TEXT_MAX], bracketed[TEXT_MAX + 2];
  stamp_of(env, context, stamp);
  snprintf(bracketed, sizeof bracketed, "[%s]", stamp);
  start = text_value(env, bracketed);
  TRY(napi_get_named_property(env, start, "concat", &concat));
  TRY(napi_call_function(env, start, concat, 1, &text, &joined));
  return joined;
}

static napi_value stream_event(napi_env env, napi_callback_info info) {
  napi_value given[2], text, events;
  char type[TEXT_MAX];
  if (!arguments_of(env, info, given)) return failed(env);
  if (!text_of(env, given[1], "type", type) || strcmp(type, "text-delta") != 0) return NULL;
  TRY(napi_get_named_property(env, given[1], "text", &text));
  napi_value event = copy_of(env, given[1]);
  napi_value stamped = stamp_before(env, given[0], text);
  if (event == NULL || stamped == NULL) return NULL;
  TRY(napi_set_named_property(env, event, "text", stamped));
  TRY(napi_create_array_with_length(env, 1, &events));
  TRY(napi_set_element(env, events, 0, event));
  return events;
}

static napi_value response_headers(napi_env env, napi_callback_info info) {
  napi_value given[2], result, headers;
  char stamp[TEXT_MAX];
  if (!arguments_of(env, info, given)) return failed(env);
  stamp_of(env, given[0], stamp);
  TRY(napi_create_object(env, &result));
  TRY(napi_create_object(env, &headers));
  TRY(napi_set_named_property(env, headers, "x-native-addon", text_value(env, stamp)));
  TRY(napi_set_named_property(env, result, "headers", headers));
  return result;
}

static napi_status set_function(napi_env env, napi_value object, const char *name, napi_callback function) {
  napi_value value;
  napi_status status = napi_create_function(env, name, NAPI_AUTO_LENGTH, function, NULL, &value);
  return status == napi_ok ? napi_set_named_property(env, object, name, value) : status;
}

/* The exports are the plugin. */
NAPI_MODULE_INIT() {
  TRY(napi_set_named_property(env, exports, "name", text_value(env, "native-addon")));
  TRY(napi_set_named_property(env, exports, "version", text_value(env, "1.0.0")));
  TRY(napi_set_named_property(env, exports, "apiVersion", text_value(env, "v1")));
  TRY(set_function(env, exports, "init", init));
  TRY(set_function(env, exports, "preRequestHook", pre_request));
  TRY(set_function(env, exports, "preLLMHook", pre_llm));
  TRY(set_function(env, exports, "streamEventHook", stream_event));
  TRY(set_function(env, exports, "httpTransportResponseHeadersHook", response_headers));
  return exports;
}
