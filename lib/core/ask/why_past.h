/* SPDX-License-Identifier: MIT */
/*
 * What held a job at a time that is past: what is now, with all recorded
 * changes since then undone. Nothing is guessed: what was not recorded is not
 * told.
 */
#ifndef SCHEDD_CORE_ASK_WHY_PAST_H
#define SCHEDD_CORE_ASK_WHY_PAST_H

#include "core/jobs/entry.h"

struct why_past {
	struct schedd_scheduler *scheduler;
	struct arena *arena; /* holds all texts */
	const char *id;
	schedd_time at;
	bool there;                     /* was it a job then? */
	schedd_time came;               /* when it was added, if not; NONE: unknown */
	const char *paused;             /* "paused by uid 1000: upgrade"; NULL: it was not */
	const char *all_paused;         /* the scheduler: "scheduler paused by uid 0"; NULL */
	const char *group;              /* NULL: none */
	int64_t parallel;               /* the group's limit; 0: none */
	int64_t max_instances;          /* 0: unknown */
	struct schedd_trigger *trigger; /* one reference; NULL: unknown */
	schedd_time down_since, up_at;  /* the downtime in which it lies; NONE: in none */
};

/* As things are now; entry NULL: no such job. */
void why_past_init(struct why_past *past, struct schedd_scheduler *scheduler, const char *id,
    const struct entry *entry, schedd_time at, struct arena *arena);
/* Undoes what was done to the job since then: newest first, nothing older. */
void why_past_undo(struct why_past *past, const struct value *changes);
/* The same for what was done to the scheduler as a whole; after the job, whose group counts. */
void why_past_undo_scheduler(struct why_past *past, const struct value *changes);
/* Appends texts: what is known to have held it. */
void why_past_facts(const struct why_past *past, struct value *facts);
/* What a row of then says of the last fire time before then; false: nothing. */
bool why_past_row(const struct why_past *past, const struct run *run, struct value *facts);
/* Which of these rows, that came behind that of this number, made up for that fire time: said, too;
 * NULL: none. Newest first. */
const struct run *why_past_made_up(const struct why_past *past, uint32_t number, const struct run *runs,
    size_t count, struct value *facts);
/* What a row says of what was going on then. */
void why_past_going(const struct why_past *past, const struct run *run, struct value *facts);
void why_past_clear(struct why_past *past);

#endif
