/* SPDX-License-Identifier: MIT */
/*
 * Fire times to come: what `schedctl next` shows, without a daemon or by
 * trigger.next.
 */
#ifndef SCHEDD_TRIGGER_TRIGGER_PREVIEW_H
#define SCHEDD_TRIGGER_TRIGGER_PREVIEW_H

#include "trigger/trigger.h"

/* How many are given where nobody says, and how many may be asked for. */
#define TRIGGER_PREVIEW_DEFAULT 5
#define TRIGGER_PREVIEW_MAX 100000

/* So much searching at most, in steps (trigger_ops.h): seconds; and in one piece: milliseconds. */
#define TRIGGER_PREVIEW_STEPS 5000000
#define TRIGGER_PREVIEW_PIECE 1000

struct trigger_preview {
	schedd_time from;  /* none before it */
	schedd_time until; /* none after it; SCHEDD_TIME_NONE: no limit */
	uint32_t count;    /* no more than so many */
	bool wire;         /* as trigger.next answers: times as integers, and the rule in words */
	bool anonymous;    /* the job's id is not known: say so where it matters */
	/* Of a job: its next run as it is planned, with what jitter and users make of it, and the
	 * fire time in whose place it stands. SCHEDD_TIME_NONE: none is. */
	schedd_time planned, planned_for;
};

/* Finding the times in pieces. */
struct trigger_preview_walk {
	const struct schedd_trigger *trigger; /* borrowed */
	struct trigger_preview preview;
	schedd_time from; /* the next is looked for from there on */
	uint32_t found;
	uint32_t steps; /* of searching so far */
	bool given_up;  /* so many that no more are looked for */
	struct value times, notes;
};

void trigger_preview_start(struct trigger_preview_walk *walk, const struct schedd_trigger *trigger,
    const struct trigger_preview *preview);
/* One piece; what it finds is in the arena. False: that was the last. */
bool trigger_preview_more(struct trigger_preview_walk *walk, struct arena *arena);
/* The answer below, or SCHEDD_EFAILED where there was too much to search. */
int trigger_preview_end(const struct trigger_preview_walk *walk, struct arena *arena,
    struct value *out, struct schedd_error *err) __attribute__((warn_unused_result));

/*
 * {"trigger":{…},"timezone":"Europe/Berlin","fire_times":[…]}, fewer than
 * count when the trigger ends. Where there is something to say also
 * "notes":[{"fire_time":…,"note":"moved"|"first_pass"|"second_pass"}] about
 * changes of the clock, "left_out" with a "date" where a day before it has none
 * of its times, and "remarks":["…"] about the rule. wire adds "text" and
 * "words", and always has "remarks".
 */
int trigger_preview_value(const struct schedd_trigger *trigger,
    const struct trigger_preview *preview, struct arena *arena, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Answers {"trigger":…,"from":…,"until":…,"n":…,"id":…,"timezone":…}, of which
 * only trigger must be there: id is what H and splay hash, timezone that of
 * triggers which name none. from and until are read in the trigger's zone; from
 * takes the place of context.now, so that an interval without start is anchored
 * there. context.strict: from and until were typed. Without n it is 5, with until alone
 * TRIGGER_PREVIEW_MAX. trigger_preview_read() says what is asked for, with a reference to the
 * trigger.
 */
int trigger_preview_read(const struct value *request, const struct trigger_context *context,
    struct trigger_preview *out, struct schedd_trigger **trigger, struct schedd_error *err)
    __attribute__((warn_unused_result));
int trigger_preview_request(const struct value *request, const struct trigger_context *context,
    bool wire, struct arena *arena, struct value *out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * One line of `next --batch`: JSON of a request in, JSON of the answer or
 * {"error":{"code":…,"message":…,"exit":…}} out, without a newline.
 */
void trigger_preview_line(
    const char *line, size_t length, const struct trigger_context *context, struct strbuf *out);

#endif
