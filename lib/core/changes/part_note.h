/* SPDX-License-Identifier: MIT */
/*
 * How the parts of a job on all nodes leave when it is removed: with their
 * history, with their runs, or neither. Each part is removed by its node, later,
 * which finds that in a text of its own in the store, "part.JOB@NODE"; that is
 * written with the removal of the whole and goes with the removal of the part.
 */
#ifndef SCHEDD_CORE_CHANGES_PART_NOTE_H
#define SCHEDD_CORE_CHANGES_PART_NOTE_H

#include "core/changes/change.h"

#define PART_NOTE_PREFIX "part."

/* For begin() of a removal, before the job is deleted: notes of its parts, or that of one goes. */
void part_note_write(struct change *change);
/* They are stored. */
void part_note_apply(struct change *change);
/* As it was loaded, or told by another node; text NULL: it is gone. */
void part_note_take(struct store_slot *slot, const char *key, const char *text);

#endif
