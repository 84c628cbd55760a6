/* SPDX-License-Identifier: MIT */
/*
 * Python's pickles as plain data. Nothing is ever called: an object becomes a
 * map of its class, the arguments it would be made with and its state.
 */
#ifndef SCHEDD_JOBFILE_PICKLE_READ_H
#define SCHEDD_JOBFILE_PICKLE_READ_H

#include <stddef.h>
#include <schedd/error.h>
#include "base/value.h"

/*
 * The same of the bytes themselves, up to 1 MiB. What JSON has no word for is
 * told apart by its mark: objects, and strings that were bytes, have plain set.
 */
int pickle_read_bytes(const void *bytes, size_t length, struct arena *arena, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Reads a pickle in base64, of protocols 2 to 5. Tuples and lists become lists,
 * bytes strings, an object {"class": "module.name", "args": […], "state": …}.
 * SCHEDD_EINVAL for whatever else stands in it.
 */
int pickle_read(const char *text, struct arena *arena, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
