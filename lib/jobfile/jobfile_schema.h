/* SPDX-License-Identifier: MIT */
/* The JSON Schema (draft 2020-12) of job files, for editors: made from the table of fields. */
#ifndef SCHEDD_JOBFILE_JOBFILE_SCHEMA_H
#define SCHEDD_JOBFILE_JOBFILE_SCHEMA_H

#include <schedd/error.h>
#include "base/strbuf.h"

/* Appends the schema, indented, with a line break at its end. SCHEDD_ENOMEM. */
int jobfile_schema_write(struct strbuf *out) __attribute__((warn_unused_result));

#endif
