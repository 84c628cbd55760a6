/* SPDX-License-Identifier: MIT */
/* The inside of a struct zone, for those who make them. */
#ifndef SCHEDD_TRIGGER_ZONE_HANDLE_H
#define SCHEDD_TRIGGER_ZONE_HANDLE_H

#include <stdatomic.h>
#include "trigger/zone_file.h"
#include "trigger/zone_table.h"

/* A table that was replaced; readers may still be in it, so it lives on with its zone. */
struct zone_retired {
	struct zone_retired *next; /* older, or NULL */
	struct zone_table *table;  /* owned */
};

struct zone {
	_Atomic(const struct zone_table *) table; /* owned; replaced by zone_cache_refresh() */
	const char *name;                         /* owned */

	/* Guarded by the cache's mutex. */
	char *path;                   /* the file, owned; NULL: made of a POSIX string */
	struct zone_stamp stamp;      /* of the file when it was read */
	struct zone_retired *retired; /* newest first */
};

#endif
