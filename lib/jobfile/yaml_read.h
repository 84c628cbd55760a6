/* SPDX-License-Identifier: MIT */
/*
 * Strict YAML: text to a value with the place of every part.
 *
 * Every scalar becomes a string; whether it stood plain (without quotes) is in
 * value.plain, and what type it has is decided by who knows what it is for
 * (yaml_scalar.h), so that `no` or 1.10 never turns into something else. Keys
 * are strings and differ. Aliases, anchors, merge keys, further documents, and
 * tags but YAML_BINARY are refused.
 */
#ifndef SCHEDD_JOBFILE_YAML_READ_H
#define SCHEDD_JOBFILE_YAML_READ_H

#include "base/diagnostics.h"
#include "base/value.h"

#define YAML_BINARY "!!binary" /* before a scalar in base64: bytes that are no UTF-8 */
#define YAML_SIZE_MAX ((size_t)64 << 20) /* bytes of a file */
#define YAML_DEPTH_MAX 32                /* maps and lists in each other */
#define YAML_NODES_MAX 8000000           /* scalars, maps and lists in all */

/*
 * Reads the one document of text; an empty one is nil. file names it in the
 * diagnostics. SCHEDD_EFILE: diagnostics were added, and *out is nil or what
 * could be read. SCHEDD_ENOMEM.
 */
int yaml_read(const char *file, const char *text, size_t length, struct arena *arena,
    struct value *out, struct diagnostics *diagnostics) __attribute__((warn_unused_result));

#endif
