/* SPDX-License-Identifier: MIT */
/*
 * What a plain scalar is, for those who read a file by a schema. Values that
 * are not plain strings (quoted ones, all of a JSON file) are left alone.
 */
#ifndef SCHEDD_JOBFILE_YAML_SCALAR_H
#define SCHEDD_JOBFILE_YAML_SCALAR_H

#include "base/value.h"

/* nil, or a plain "", ~ or null. */
bool yaml_scalar_is_null(const struct value *value);
/*
 * The value by YAML 1.2's core schema: null, true and false (not yes, no, on,
 * off), decimal integers and reals; everything else stays the string it was.
 * Place and elements are kept; maps and lists are not looked into.
 */
struct value yaml_scalar_core(const struct value *value);
/* As yaml_scalar_core, in place, also inside of maps and lists. */
void yaml_scalar_core_deep(struct value *value);
/* Plain nulls become nil, in place, also inside of maps and lists. */
void yaml_scalar_nulls(struct value *value);

#endif
