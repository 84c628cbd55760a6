/* SPDX-License-Identifier: MIT */
/* Unit files of systemd as a list of assignments: systemd.syntax(7). */
#ifndef SCHEDD_JOBFILE_SYSTEMD_UNIT_H
#define SCHEDD_JOBFILE_SYSTEMD_UNIT_H

#include <stdbool.h>
#include <stdint.h>
#include <schedd/error.h>
#include "base/arena.h"

struct systemd_assignment {
	const char *section; /* "Timer" */
	const char *key;     /* "OnCalendar" */
	const char *value;   /* continued lines joined by a blank; "": resets a list */
	const char *file;    /* it stands in; as it was given */
	uint32_t line;       /* of the key, from 1 */
	bool dead;           /* a later assignment took it back, or its place */
};

/* Assignments of a unit, at most. */
#define SYSTEMD_UNIT_ITEMS_MAX 4096

/* A unit's own file and what was dropped in after it, in this order. */
struct systemd_unit {
	struct systemd_assignment *items; /* in the arena */
	uint32_t count, capacity;
};

/*
 * Appends the assignments of one file. SCHEDD_EINVAL says which line is none.
 * SCHEDD_ENOMEM.
 */
int systemd_unit_add(struct systemd_unit *unit, const char *file, const char *text, size_t length,
    struct arena *arena, struct schedd_error *err) __attribute__((warn_unused_result));

#endif
