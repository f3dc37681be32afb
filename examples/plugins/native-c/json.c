#include "json.h"

#include <stdlib.h>
#include <string.h>

static const char *skip_space(const char *at) {
  while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') at++;
  return at;
}

static const char *string_end(const char *at) {
  for (at++; *at != '"' && *at != '\0'; at++) {
    if (*at == '\\' && at[1] != '\0') at++;
  }
  return *at == '"' ? at + 1 : at;
}

const char *json_end(const char *value) {
  if (value == NULL) return NULL;
  if (*value == '"') return string_end(value);
  if (*value != '{' && *value != '[') return value + strcspn(value, ",}] \t\r\n");
  size_t depth = 0;
  const char *at = value;
  do {
    if (*at == '\0') return at;
    if (*at == '"') {
      at = string_end(at);
      continue;
    }
    if (*at == '{' || *at == '[') depth++;
    if (*at == '}' || *at == ']') depth--;
    at++;
  } while (depth > 0);
  return at;
}

const char *json_member(const char *object, const char *name) {
  if (object == NULL) return NULL;
  const char *at = skip_space(object);
  if (*at != '{') return NULL;
  size_t length = strlen(name);
  for (at = skip_space(at + 1); *at == '"'; at = skip_space(at)) {
    const char *key = at + 1;
    const char *end = string_end(at);
    bool is_wanted = (size_t)(end - key) == length + 1 && memcmp(key, name, length) == 0;
    at = skip_space(end);
    if (*at != ':') return NULL;
    at = skip_space(at + 1);
    if (is_wanted) return at;
    at = skip_space(json_end(at));
    if (*at != ',') return NULL;
    at++;
  }
  return NULL;
}

bool json_text(const char *value, char *to, size_t size) {
  if (value == NULL || *value != '"') return false;
  const char *end = string_end(value);
  size_t length = (size_t)(end - value) - 2;
  if (length >= size || memchr(value + 1, '\\', length) != NULL) return false;
  memcpy(to, value + 1, length);
  to[length] = '\0';
  return true;
}

long json_integer(const char *value) { return value == NULL ? 0 : strtol(value, NULL, 10); }
