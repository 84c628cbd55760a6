/* SPDX-License-Identifier: MIT */
/* JSON as jansson reads it: it knows all of it, and says what is wrong. */
#ifndef SCHEDD_BASE_JSON_LIBRARY_H
#define SCHEDD_BASE_JSON_LIBRARY_H

#include <schedd/error.h>
#include "base/value.h"

#define JSON_DEPTH_MAX 64

/* As json_parse(). */
int json_library_parse(const char *text, size_t length, struct arena *arena, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
