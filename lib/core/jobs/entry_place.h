/* SPDX-License-Identifier: MIT */
/* What entry.c tells entry_place.c; for others see entry.h. */
#ifndef SCHEDD_CORE_JOBS_ENTRY_PLACE_H
#define SCHEDD_CORE_JOBS_ENTRY_PLACE_H

#include "core/jobs/entry.h"

/* If it is a job on all nodes, or a node's part of one, something of it has changed. */
void entry_note_part(const struct entry *entry);
/* It counts among those of its place from now on, or (by -1) no more. */
void entry_count_place(const struct entry *entry, int by);

#endif
