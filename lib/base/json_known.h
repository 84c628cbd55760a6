/* SPDX-License-Identifier: MIT */
/* Keys that were met already: of many objects with the same ones each is kept once. */
#ifndef SCHEDD_BASE_JSON_KNOWN_H
#define SCHEDD_BASE_JSON_KNOWN_H

#include "base/json.h"

#define JSON_KNOWN 64

struct json_known {
	const char *keys[JSON_KNOWN]; /* by hash; in the arena that all is read into */
};

/* As json_parse(), into the arena that known was used with before; it begins empty. */
int json_known_parse(const char *text, size_t length, struct arena *arena, struct json_known *known,
    struct value *out, struct schedd_error *err) __attribute__((warn_unused_result));

#endif
