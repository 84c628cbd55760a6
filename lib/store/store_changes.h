/* SPDX-License-Identifier: MIT */
/* The record of changes on its way out: stored JSON lines become a list of maps. */
#ifndef SCHEDD_STORE_STORE_CHANGES_H
#define SCHEDD_STORE_STORE_CHANGES_H

#include "store/store.h"

/*
 * Appends one change: the stored map as it is, with "time" and "job" added
 * where it does not have them. A line that is no map stands under "change".
 * Check arena_failed() at the end.
 */
void store_changes_add(
    struct arena *arena, struct value *list, schedd_time when, const char *job, const char *json);

#endif
