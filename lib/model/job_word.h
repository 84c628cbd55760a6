/* SPDX-License-Identifier: MIT */
/* Words of a fixed set, as enums are written. */
#ifndef SCHEDD_MODEL_JOB_WORD_H
#define SCHEDD_MODEL_JOB_WORD_H

#include <schedd/error.h>
#include "base/value.h"

/* The index of a string among words (NULL-terminated). SCHEDD_EINVAL lists them and suggests one.
 */
int job_word_read(const struct value *value, const char *const *words, unsigned *out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* The same of length bytes of text. */
int job_word_find(const char *text, size_t length, const char *const *words, unsigned *out,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
