/* SPDX-License-Identifier: MIT */
/*
 * Where systemd finds a unit: its file, through links and templates, and what
 * is dropped in after it (systemd.unit(5)). SYSTEMD_UNIT_PATH is heeded.
 */
#ifndef SCHEDD_JOBFILE_SYSTEMD_FIND_H
#define SCHEDD_JOBFILE_SYSTEMD_FIND_H

#include <stdint.h>
#include <schedd/error.h>
#include "jobfile/systemd_specifier.h"

struct systemd_found {
	struct systemd_name name; /* its own, where the one asked for is an alias */
	const char **drops;       /* paths in the order they are read; in the arena */
	uint32_t drop_count;
};

/*
 * path: a file, or the bare name of a unit. near: a directory that is looked
 * into first; NULL: that of path. SCHEDD_EFILE: there is none, it is masked, or
 * a template that lacks its instance. SCHEDD_ENOMEM.
 */
int systemd_find(const char *path, const char *near, struct arena *arena, struct systemd_found *out,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
