/*
 * The C interface between the Bifrost gateway and a plugin that is a shared library (.so, .dylib, .dll), version 1.0.
 *
 * A library exports the six functions at the end of this file, with C linkage. Any language that can do that will do: C, C++, Rust
 * (cdylib), Go (-buildmode=c-shared), Zig, ... Values cross the boundary as JSON in UTF-8, ended by a NUL byte; bodies, which need not
 * be text, go beside it as attachments. The shapes of inputs and results are those of the hooks in the TypeScript contract:
 * docs/plugins/native-plugins.md has a table, sdk/src/hook-values.ts the source.
 *
 * WHO CALLS WHAT, AND WHEN
 *   bifrost_plugin_abi        first; the library is refused if its answer does not fit
 *   bifrost_plugin_describe   once after that: name, version and hooks, without any plugin being made
 *   bifrost_plugin_create     once for each serving thread: makes a plugin from its configuration
 *   bifrost_plugin_call       for each call of a hook
 *   bifrost_plugin_destroy    once for each plugin that was made, when the last request that began with it has ended
 *   bifrost_plugin_free_output  after each create or call whose output has a pointer in it, before anything else is called with it
 * No function is called before the one above it has succeeded. A call blocks its serving thread, with all requests of that thread,
 * until it returns: do not wait for a network here.
 *
 * THREADS
 *   The gateway serves with several threads, and each has a plugin of its own: one `void *plugin` is never used by two threads at a
 *   time. But THE LIBRARY MAY BE SHARED: all functions are called from several threads at once, with different plugins. What is global or
 *   static must be constant, atomic or locked. Do not rely on globals being shared either: each thread, each reload and each
 *   configuration entry may have a copy of the library. State that must be shared is the host's: "shared.add" and so on, below.
 *   A plugin may start threads of its own. It must have ended all of them when bifrost_plugin_destroy returns, for the code they run is
 *   unmapped after that. A serving thread that is ended by force unmaps without a destroy: a library with threads of its own is linked
 *   with -Wl,-z,nodelete (and stays in memory), or its plugin runs in `process` isolation.
 *   What keeps a library from being unloaded: thread-local variables with destructors that were used (until that thread ends), unique
 *   symbols of C++ (compile with -fno-gnu-unique), and Go's runtime, whose libraries are reloaded in `process` isolation only.
 *
 * ERRORS
 *   Functions that can fail return BIFROST_OK or another bifrost_status; then `output->json` is not JSON but a message for operators, one
 *   plain sentence or more. No exception, panic or longjmp may leave a function: catch it, and return BIFROST_PANICKED. A failure is
 *   handled by the hook's `onError`; to *refuse a request* is not a failure but a result: {"error": {"statusCode": 403, ...}}.
 *
 * MEMORY
 *   What the host passes belongs to the host and is valid until the function returns. What the plugin puts into an output belongs to the
 *   plugin, must stay valid until bifrost_plugin_free_output is called for that output, and is released there. The host copies it first.
 *   The string of bifrost_plugin_describe is constant and is never freed.
 *
 * VERSIONS
 *   BIFROST_PLUGIN_ABI is major * 65536 + minor. A minor version only adds: members at the ends of structs, hooks, operations, status
 *   codes. A host takes libraries of its own major version with a minor that is not above its own. Before it uses a member that was
 *   added after 1.0, a plugin checks that the struct's `size` covers it. Plugins for 32-bit machines are not supported.
 */
#ifndef BIFROST_PLUGIN_H
#define BIFROST_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BIFROST_PLUGIN_ABI_MAJOR 1u
#define BIFROST_PLUGIN_ABI_MINOR 0u
#define BIFROST_PLUGIN_ABI (BIFROST_PLUGIN_ABI_MAJOR << 16 | BIFROST_PLUGIN_ABI_MINOR)

#if defined(_WIN32)
#define BIFROST_EXPORT __declspec(dllexport)
#else
#define BIFROST_EXPORT __attribute__((visibility("default")))
#endif

/* What a function returns. */
typedef enum bifrost_status {
  BIFROST_OK = 0,
  BIFROST_FAILED = 1,     /* it could not do its work */
  BIFROST_BAD_CONFIG = 2, /* from create: the configuration is wrong; the message names the member */
  BIFROST_BAD_INPUT = 3,  /* it does not understand what it was given */
  BIFROST_PANICKED = 4    /* an exception or panic was caught at the boundary */
} bifrost_status;

/* The hooks, by number. In `describe` they have their names: "httpTransportPreAuthHook" and so on. */
typedef enum bifrost_hook {
  BIFROST_HTTP_TRANSPORT_PRE_AUTH = 0,
  BIFROST_HTTP_TRANSPORT_PRE = 1,
  BIFROST_PRE_REQUEST = 2,
  BIFROST_PRE_LLM = 3,
  BIFROST_POST_LLM = 4,
  BIFROST_STREAM_EVENT = 5,
  BIFROST_HTTP_TRANSPORT_RESPONSE_HEADERS = 6,
  BIFROST_HTTP_TRANSPORT_STREAM_CHUNK = 7,
  BIFROST_HTTP_TRANSPORT_POST = 8,
  BIFROST_PRE_MCP = 9,
  BIFROST_POST_MCP = 10,
  BIFROST_PRE_MCP_CONNECTION = 11,
  BIFROST_POST_MCP_CONNECTION = 12,
  BIFROST_INJECT = 13,

  /*
   * Not hooks, but called as such: only where describe says "marshalConfigForStorage": true or "redactConfig": true, with NULL for the
   * plugin and without a host to log to or ask. The input is a config, the output what is stored, or shown, in its place.
   */
  BIFROST_MARSHAL_CONFIG_FOR_STORAGE = 100,
  BIFROST_REDACT_CONFIG = 101
} bifrost_hook;

typedef enum bifrost_log_level {
  BIFROST_DEBUG = 0,
  BIFROST_INFO = 1,
  BIFROST_WARN = 2,
  BIFROST_ERROR = 3
} bifrost_log_level;

/* Bytes that are not text: a body. */
typedef struct bifrost_bytes {
  const uint8_t *data;
  size_t length;
} bifrost_bytes;

/*
 * What the gateway does for a plugin. Its functions may be called ONLY WHILE a function of the plugin runs that was given this pointer,
 * and ONLY ON THE THREAD that it runs on: a call from another thread ends the whole process. What a plugin's own threads have to say
 * they leave in a queue for the next call. In Go: not from another goroutine.
 */
typedef struct bifrost_host {
  uint32_t size; /* of this struct, as the host knows it */
  uint32_t abi;  /* the host's BIFROST_PLUGIN_ABI */

  /* Writes a log line, with the plugin's name and the request's id. `fields` is a JSON object, or NULL. */
  void (*log)(const struct bifrost_host *host, int32_t level, const char *message, const char *fields);

  /*
   * Asks the host. The request is {"op": ..., ...}, the answer {"value": ...} (without "value" where there is none) or
   * {"error": {"code": ..., "message": ...}}; it is valid until the next request or until the plugin's function returns.
   * NULL when the thread is being ended: return at once.
   *   {"op": "state.get", "key"}, {"op": "state.set", "key", "value"?}   this plugin's values of this request
   *   {"op": "value.get", "key"}, {"op": "value.set", "key", "value"}    values that other plugins read as "name/key"
   *   {"op": "shared.add", "key", "by"?}                                 an atomic counter over all threads; gives its new value
   *   {"op": "shared.get", "key"}, {"op": "shared.set", "key", "value"?} values over all threads and reloads
   *   {"op": "model.info", "provider"?, "model"?}, {"op": "cost", "usage"}   limits and prices; cost in nano-dollars
   *   {"op": "trace.set", "key", "value"}, {"op": "routing.note", "message"} what the request's trace says
   * In create and destroy only the "shared" ones.
   */
  const char *(*request)(const struct bifrost_host *host, const char *json);
} bifrost_host;

/* The input of create and of a hook. */
typedef struct bifrost_call {
  uint32_t size; /* of this struct, as the host knows it */
  uint32_t hook; /* a bifrost_hook; 0xffffffff in create */
  const bifrost_host *host;
  /*
   * create: {"name": the entry's name, "config": {...}}.
   * A hook: {"facts": {"requestId", "requestType", "method", "path", "isStream", ...}, "input": what the hook is given}.
   * A body in the input, and the "data" of a stream's chunk, is {"$bytes": n}: attachment number n.
   */
  const char *json;
  size_t json_length; /* without the NUL */
  const bifrost_bytes *attachments;
  size_t attachment_count;
} bifrost_call;

/* The output of create and of a hook. The host sets `size` and zeroes the rest. */
typedef struct bifrost_output {
  uint32_t size; /* of this struct, as the host knows it */
  uint32_t reserved;
  /*
   * BIFROST_OK: the hook's result as JSON, ended by a NUL; NULL for "unchanged" (and from create). Otherwise the message.
   * A body (or "data") in the result is a string, or {"$bytes": n} for attachment number n.
   */
  const char *json;
  const bifrost_bytes *attachments;
  size_t attachment_count;
  void *owner; /* for the plugin: what free_output needs to know */
} bifrost_output;

/* cgo writes prototypes of its own, without const: define BIFROST_TYPES_ONLY before the header is included there. */
#ifndef BIFROST_TYPES_ONLY

/* BIFROST_PLUGIN_ABI of this header, as the library was compiled with it. */
BIFROST_EXPORT uint32_t bifrost_plugin_abi(void);

/*
 * A constant string: {"name": "...", "version": "1.2.3", "api": "1.1", "guard"?: true,
 *   "hooks": {"preRequestHook": {}, "preLLMHook": {"reads": "messages", "timeoutMs"?, "filter"?, "onError"?, ...}}}.
 * A hook that is not named here is never called. Called without a plugin; must not depend on create.
 */
BIFROST_EXPORT const char *bifrost_plugin_describe(void);

/* Makes a plugin and puts it into *plugin. After a failure *plugin is not used and destroy is not called. */
BIFROST_EXPORT int32_t bifrost_plugin_create(const bifrost_call *call, void **plugin, bifrost_output *output);

/* Runs the hook `call->hook`. */
BIFROST_EXPORT int32_t bifrost_plugin_call(void *plugin, const bifrost_call *call, bifrost_output *output);

/* Releases what an output points to. `plugin` is NULL for the output of a create that failed. */
BIFROST_EXPORT void bifrost_plugin_free_output(void *plugin, bifrost_output *output);

/* Releases the plugin and ends its threads. */
BIFROST_EXPORT void bifrost_plugin_destroy(void *plugin, const bifrost_host *host);

#endif

#ifdef __cplusplus
}
#endif

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(void *) == 8 && sizeof(bifrost_host) == 24 && sizeof(bifrost_call) == 48 && sizeof(bifrost_output) == 40,
               "the layout that the host relies on");
#endif

#endif
