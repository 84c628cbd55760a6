/* SPDX-License-Identifier: MIT */
/*
 * JSON that gives back the very bytes: a string that is no UTF-8 stands as
 * {"!!binary": "…"}, in base64. (A map of that one key, which is none of ours,
 * gets one '!' more, so that every value comes back.) For what is kept or
 * handed on; people and other programs are shown json_write()'s.
 */
#ifndef SCHEDD_BASE_JSON_EXACT_H
#define SCHEDD_BASE_JSON_EXACT_H

#include "base/json.h"

#define JSON_EXACT_KEY "!!binary"

/* Would json_write() lose some of it? */
bool json_exact_needed(const struct value *value);
/*
 * The value as json_write() can write it: itself, or a copy in the arena with
 * such strings changed. SCHEDD_EINVAL: a key is no UTF-8. SCHEDD_ENOMEM.
 */
int json_exact_wrap(const struct value *value, struct arena *arena, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* The other way, in place. SCHEDD_EINVAL: what stands there is no base64. */
int json_exact_unwrap(struct value *value, struct arena *arena, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Appends compact JSON; keys that are no UTF-8 become U+FFFD. */
void json_exact_write(struct strbuf *out, const struct value *value);
/* As json_parse(). */
int json_exact_parse(const char *text, size_t length, struct arena *arena, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
