/* SPDX-License-Identifier: MIT */
/* Checking the fields of a job file, with the place of each fault. */
#ifndef SCHEDD_JOBFILE_JOBFILE_CHECK_H
#define SCHEDD_JOBFILE_JOBFILE_CHECK_H

#include "jobfile/jobfile.h"
#include "model/job_fields.h"

/* One file on its way into a set. */
struct jobfile_reader {
	struct jobfile *set;
	const char *file;
	const struct trigger_context *context;
	struct diagnostics *diagnostics;
	struct value defaults; /* a map, its values typed; nil: none */
};

/* Reports a place of the file. */
void jobfile_check_add(struct jobfile_reader *reader, uint32_t line, uint32_t column,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Is it one of command, shell, call, http? */
bool jobfile_check_is_action(const struct job_field *field);
/*
 * Are all keys fields that may stand in a file? Types their values on the way.
 * id NULL: the defaults. false: something was reported.
 */
bool jobfile_check_keys(struct jobfile_reader *reader, const char *id, struct value *map);
/* Can each of the defaults be read? */
bool jobfile_check_defaults(struct jobfile_reader *reader, const struct value *map);
/* Reports what is wrong with the fields of a job that has unknown ones as well. */
void jobfile_check_fields(
    struct jobfile_reader *reader, const struct value_member *job, const struct value *map);
/* Is the merged map a job? */
bool jobfile_check_job(
    struct jobfile_reader *reader, const struct value_member *job, const struct value *map);

#endif
