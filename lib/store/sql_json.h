/* SPDX-License-Identifier: MIT */
/*
 * JSON columns on their way back. Nearly all of them are what json_write()
 * wrote of plain texts and whole numbers, and ten thousand of them stand
 * between a start and the first run: those are read in one pass without any
 * allocation but the arena's. Whatever else stands there goes to json_parse().
 */
#ifndef SCHEDD_STORE_SQL_JSON_H
#define SCHEDD_STORE_SQL_JSON_H

#include <schedd/error.h>
#include "base/value.h"

/* As json_exact_parse(). */
int sql_json_parse(const char *text, size_t length, struct arena *arena, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
