/*
 * Just enough JSON to find a member in text that the gateway has written, which is always well-formed. Values are pointers to
 * their first character inside the text; NULL stands for one that is not there and is accepted everywhere.
 */
#ifndef NATIVE_C_JSON_H
#define NATIVE_C_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* The value of member `name` of the object at `object`. */
const char *json_member(const char *object, const char *name);

/* The character after the value. */
const char *json_end(const char *value);

/*
 * Copies a string to `to` (`size` bytes, its NUL included). False for what is no string, is longer, or has an escape in it: so what
 * was copied can be written into JSON again as it is.
 */
bool json_text(const char *value, char *to, size_t size);

/* A number, cut to an integer; 0 for anything else. */
long json_integer(const char *value);

#endif
