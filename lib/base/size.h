/* SPDX-License-Identifier: MIT */
/* Amounts of bytes as people write them: 4096, 64K, 10M, 1.5GiB. */
#ifndef SCHEDD_BASE_SIZE_H
#define SCHEDD_BASE_SIZE_H

#include <stdint.h>
#include <schedd/error.h>
#include "base/value.h"

/*
 * Reads the whole text: a number and one of B K M G T, also as KB or KiB, in
 * any case; each is 1024 of the one before. A fraction must come to whole
 * bytes. Never negative. SCHEDD_EINVAL with a sentence.
 */
int size_parse(const char *text, int64_t *out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* A number of bytes, or any text size_parse takes. */
int size_from_value(const struct value *value, int64_t *out, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
