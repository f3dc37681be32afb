/* An add-on for tests: what it exports is JavaScript in EXPORTS, evaluated when it is loaded. */
#define NAPI_VERSION 8
#include <node_api.h>

#ifdef UNBOUND
int is_nowhere(void);
#endif

NAPI_MODULE_INIT() {
  napi_value script, result;
  (void)exports;
#ifdef UNBOUND
  is_nowhere();
#endif
  if (napi_create_string_utf8(env, EXPORTS, NAPI_AUTO_LENGTH, &script) != napi_ok) return NULL;
  return napi_run_script(env, script, &result) == napi_ok ? result : NULL;
}
