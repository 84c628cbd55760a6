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

struct trigger_preview {
	schedd_time from;  /* none before it */
	schedd_time until; /* none after it; SCHEDD_TIME_NONE: no limit */
	uint32_t count;    /* no more than so many */
	bool wire;         /* as trigger.next answers: times as integers, and the rule in words */
	bool anonymous;    /* the job's id is not known: say so where it matters */
};

/*
 * {"trigger":{…},"timezone":"Europe/Berlin","fire_times":[…]}, fewer than
 * count when the trigger ends. Where there is something to say also
 * "notes":[{"fire_time":…,"note":"moved"|"first_pass"|"second_pass"}] about
 * changes of the clock and "remarks":["…"] about the rule. wire adds "text" and
 * "words", and always has "remarks". Check arena_failed() after.
 */
struct value trigger_preview_value(const struct schedd_trigger *trigger,
    const struct trigger_preview *preview, struct arena *arena);
/*
 * Answers {"trigger":…,"from":…,"until":…,"n":…,"id":…,"timezone":…}, of which
 * only trigger must be there: id is what H and splay hash, timezone that of
 * triggers which name none. from and until are read in the trigger's zone; from
 * takes the place of context.now, so that an interval without start is anchored
 * there. context.strict: from and until were typed. Without n it is 5, with until alone
 * TRIGGER_PREVIEW_MAX.
 */
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
