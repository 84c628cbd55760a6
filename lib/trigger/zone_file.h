/* SPDX-License-Identifier: MIT */
/* One file of the tz database: is it still the same, and what does it say? */
#ifndef SCHEDD_TRIGGER_ZONE_FILE_H
#define SCHEDD_TRIGGER_ZONE_FILE_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>
#include <schedd/error.h>
#include "trigger/zone_table.h"

/* What tells a changed file without reading it. */
struct zone_stamp {
	dev_t device;             /* of the file itself, links followed */
	ino_t inode;              /* likewise */
	off_t size;               /* in bytes */
	struct timespec modified; /* with nanoseconds */
};

/* The stamp of the file as it is now; false: there is none. */
bool zone_file_stamp(const char *path, struct zone_stamp *out);
bool zone_file_stamp_same(const struct zone_stamp *a, const struct zone_stamp *b);
/*
 * Reads a TZif file. *out is to be freed with free(). SCHEDD_EINVAL names the
 * path; SCHEDD_ENOTFOUND, without a sentence, if there is no such file.
 */
int zone_file_read(const char *path, struct zone_table **out, struct zone_stamp *stamp,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Do both files exist and have the same content? */
bool zone_file_same(const char *a, const char *b);

#endif
