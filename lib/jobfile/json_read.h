/* SPDX-License-Identifier: MIT */
/* JSON files: as base/json.h reads them, with the place of every part. */
#ifndef SCHEDD_JOBFILE_JSON_READ_H
#define SCHEDD_JOBFILE_JSON_READ_H

#include "base/diagnostics.h"
#include "base/value.h"

/* As yaml_read(), of JSON text: values have their types. */
int json_read(const char *file, const char *text, size_t length, struct arena *arena,
    struct value *out, struct diagnostics *diagnostics) __attribute__((warn_unused_result));

#endif
