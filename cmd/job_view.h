/* SPDX-License-Identifier: MIT */
/* One job in full for people, by the rows of job fields. */
#ifndef SCHEDD_CMD_JOB_VIEW_H
#define SCHEDD_CMD_JOB_VIEW_H

#include "base/strbuf.h"
#include "cmd/command.h"
#include "model/job_fields.h"

/* "name: value" lines of all that is set; what is at its default is dimmed. */
void job_view(struct command *command, struct strbuf *out, const struct value *job);
/* The value of a field on one line, safe for a terminal; "-" for nil. */
void job_view_field(struct command *command, struct strbuf *out, const struct job_field *field,
    const struct value *value);

#endif
