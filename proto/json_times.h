/* SPDX-License-Identifier: MIT */
/*
 * Answers as people's JSON: the same maps as on the wire, with instants as
 * RFC 3339 texts in UTC instead of microseconds.
 */
#ifndef SCHEDD_PROTO_JSON_TIMES_H
#define SCHEDD_PROTO_JSON_TIMES_H

#include <stdbool.h>
#include "base/strbuf.h"
#include "base/value.h"

/* Is an integer under this key of an answer an instant? */
bool json_times_key(const char *key);
/* Appends the value as compact JSON. */
void json_times_write(struct strbuf *out, const struct value *value);

#endif
