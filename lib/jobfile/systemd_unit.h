/* SPDX-License-Identifier: MIT */
/* Unit files of systemd as a list of assignments: systemd.syntax(7). */
#ifndef SCHEDD_JOBFILE_SYSTEMD_UNIT_H
#define SCHEDD_JOBFILE_SYSTEMD_UNIT_H

#include <stdint.h>
#include <schedd/error.h>
#include "base/arena.h"

struct systemd_assignment {
	const char *section; /* "Timer" */
	const char *key;     /* "OnCalendar" */
	const char *value;   /* continued lines joined by a blank; "": resets a list */
	uint32_t line;       /* of the key, from 1 */
};

struct systemd_unit {
	struct systemd_assignment *items; /* in the arena */
	uint32_t count;
};

/* SCHEDD_EINVAL names the line that is none. SCHEDD_ENOMEM. */
int systemd_unit_read(const char *text, size_t length, struct arena *arena,
    struct systemd_unit *out, struct schedd_error *err) __attribute__((warn_unused_result));

#endif
