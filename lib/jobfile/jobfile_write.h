/* SPDX-License-Identifier: MIT */
/*
 * Writing job files that jobfile_read() reads back as the same jobs. Texts
 * that are no UTF-8 stand in base64: !!binary in YAML, {"!!binary": …} in JSON.
 */
#ifndef SCHEDD_JOBFILE_JOBFILE_WRITE_H
#define SCHEDD_JOBFILE_JOBFILE_WRITE_H

#include "base/strbuf.h"
#include "base/value.h"

enum jobfile_form { JOBFILE_YAML, JOBFILE_JSON };

/*
 * Appends the beginning; job by job, in any number; and the end. A job is a
 * map with its id, as job.export answers it; members that cannot stand in a
 * file are left out. Check strbuf_failed() after.
 */
void jobfile_write_begin(struct strbuf *out, enum jobfile_form form, const char *owner);
/* count: jobs written before. */
void jobfile_write_job(
    struct strbuf *out, enum jobfile_form form, const struct value *job, uint64_t count);
/* count: jobs written in all. */
void jobfile_write_end(struct strbuf *out, enum jobfile_form form, uint64_t count);

#endif
