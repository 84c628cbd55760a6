/* SPDX-License-Identifier: MIT */
/* Maps with a fixed set of members, as {limit, delay, …}: each member read by a row of its own. */
#ifndef SCHEDD_MODEL_JOB_MEMBER_H
#define SCHEDD_MODEL_JOB_MEMBER_H

#include <schedd/error.h>
#include "base/value.h"

struct job_member {
	const char *name;
	/* Reads a value, which may be nil, into target. Errors do not name the member. */
	int (*read)(void *target, const struct value *value, struct schedd_error *err);
};

/*
 * Reads each member of a map by the row of that name; rows end with a NULL
 * name. Unknown members are errors with a suggestion.
 */
int job_member_read(const struct value *map, const struct job_member *rows, void *target,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
