/* SPDX-License-Identifier: MIT */
/*
 * Runs of jobs that follow the end of another job's run.
 *
 * Who is to follow is noted in the same commit as the end, and the note goes
 * with the claim of the run that follows, so that a crash in between neither
 * breaks a chain nor makes it go on twice.
 */
#ifndef SCHEDD_CORE_CHANGES_FOLLOW_H
#define SCHEDD_CORE_CHANGES_FOLLOW_H

#include "core/frame/scheduler_state.h"

struct entry;
struct run;

/* The run has ended, and its row is written next: notes who is to follow. */
void follow_note(
    struct schedd_scheduler *scheduler, struct store_slot *store, const struct run *run);
/* Starts those who follow, if the scheduler goes on; otherwise its next life does. */
void follow_run(
    struct schedd_scheduler *scheduler, struct store_slot *store, const struct run *run);

/*
 * The run ended before it could do what it was for, and its job is another node's by now, or of none
 * that lives: notes that it is to run again there, before the row of its end is written; then asks
 * for it.
 */
void follow_note_again(struct store_slot *store, const struct entry *entry, const struct run *run);
void follow_again(struct store_slot *store, struct entry *entry, const struct run *run);

/* What an earlier life noted and did not come to. NULL: nothing, or no memory. */
struct follow_notes;
struct follow_notes *follow_load(struct schedd_scheduler *scheduler, struct store_slot *store);
/* Starts what is still wanted; takes the notes. */
void follow_recover(struct follow_notes *notes);

#endif
