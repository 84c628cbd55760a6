/* SPDX-License-Identifier: MIT */
/* The specifiers of systemd.unit(5): "%i", "%H", as this machine and the unit's name resolve them.
 */
#ifndef SCHEDD_JOBFILE_SYSTEMD_SPECIFIER_H
#define SCHEDD_JOBFILE_SYSTEMD_SPECIFIER_H

#include <stdbool.h>
#include <schedd/error.h>
#include "base/arena.h"
#include "base/strbuf.h"

/* Whose specifiers they are. */
struct systemd_name {
	const char *unit; /* "backup@home.service" */
	const char *path; /* of the unit's file; NULL: unknown */
	bool user;        /* of the manager of a user, not of the machine */
};

/* Appends what "%letter" stands for. SCHEDD_EINVAL: nothing that is known here. */
int systemd_specifier(struct strbuf *out, const struct systemd_name *name, char letter,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* The text with all its specifiers resolved, in the arena. SCHEDD_EINVAL names the one that is not.
 */
int systemd_specifier_text(const char *text, const struct systemd_name *name, struct arena *arena,
    const char **out, struct schedd_error *err) __attribute__((warn_unused_result));

#endif
