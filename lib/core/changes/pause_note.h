/* SPDX-License-Identifier: MIT */
/* Who paused a job, and why. */
#ifndef SCHEDD_CORE_CHANGES_PAUSE_NOTE_H
#define SCHEDD_CORE_CHANGES_PAUSE_NOTE_H

#include "core/changes/change.h"

/* For begin(): a definition pauses the job or lets it go; who did is kept as for a pause. */
void pause_note_change(struct change *change);
/* Sets or (text NULL) takes back the note in the change's batch. */
void pause_note_put(struct change *change, const char *text);
/* "paused by uid 1000: upgrade"; owned by the caller. why may be NULL. */
char *pause_note_make(struct change *change, const char *why);
/* Why nothing ran meanwhile: "paused by uid 1000: upgrade". */
const char *pause_note_text(const struct entry *entry, char *text, size_t size);

#endif
