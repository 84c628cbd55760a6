/* SPDX-License-Identifier: MIT */
/* Values as YAML that every reader takes for the same: block style, doubtful texts quoted. */
#ifndef SCHEDD_JOBFILE_YAML_WRITE_H
#define SCHEDD_JOBFILE_YAML_WRITE_H

#include "base/strbuf.h"
#include "base/value.h"

/*
 * Appends what stands behind "key:" at that indentation (in blanks): " text\n",
 * or a line break and the lines of a map or list, indented by two more.
 */
void yaml_write_value(struct strbuf *out, const struct value *value, int indent);
/* Appends a text as a scalar on one line, quoted where it has to be. */
void yaml_write_text(struct strbuf *out, const char *text, size_t length);

#endif
