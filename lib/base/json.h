/* SPDX-License-Identifier: MIT */
/* JSON text to values and back (RFC 8259). Reading is jansson's; writing is a stream into a strbuf. */
#ifndef SCHEDD_BASE_JSON_H
#define SCHEDD_BASE_JSON_H

#include <schedd/error.h>
#include "base/strbuf.h"
#include "base/value.h"

/*
 * Reads exactly one JSON value of length bytes. Strings are copied into the
 * arena. Doubled keys, trailing text and nesting over 64 are errors
 * (SCHEDD_EINVAL, err->offset at the byte).
 */
int json_parse(const char *text, size_t length, struct arena *arena, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));

/* How many values json_parse() would make of it, if it is JSON; keys count too, empty containers twice. */
size_t json_elements(const char *text, size_t length);

/* Appends compact JSON. Bytes that are no UTF-8 become U+FFFD. Reals print shortest round-trip. */
void json_write(struct strbuf *out, const struct value *value);
/* As json_write, indented by two spaces for people. */
void json_write_pretty(struct strbuf *out, const struct value *value);
/* One string with its quotes. */
void json_write_string(struct strbuf *out, const char *text, size_t length);

#endif
