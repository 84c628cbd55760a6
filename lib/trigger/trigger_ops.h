/* SPDX-License-Identifier: MIT */
/*
 * What the kinds of trigger share: the head of every trigger, the operations
 * of a kind, and the constructors. Only files that implement a kind, read one
 * or write one include this.
 *
 * The operations see neither bounds nor splay: trigger.c puts them around.
 * All instants given to them lie in SCHEDD_TIME_MIN..SCHEDD_TIME_MAX.
 */
#ifndef SCHEDD_TRIGGER_TRIGGER_OPS_H
#define SCHEDD_TRIGGER_TRIGGER_OPS_H

#include <stdatomic.h>
#include "trigger/cron.h"
#include "trigger/trigger.h"

/* The longest interval, jitter and splay: all of 1970..9999 would lose microseconds as a real. */
#define TRIGGER_SPAN_MAX (100000 * SCHEDD_DAY)
/* The shortest interval. */
#define TRIGGER_SPAN_MIN (SCHEDD_SECOND / 1000)

/*
 * How much searching one question may cost. Combinations take a step for each
 * child they ask; when none is left an "and" answers SCHEDD_TIME_NONE, while an
 * "or", which never searches, goes on. Nor does an "and" look beyond what is
 * wanted: an "or" wants nothing that comes after the best of its other children.
 */
struct trigger_budget {
	uint32_t steps;     /* left */
	schedd_time wanted; /* next may answer SCHEDD_TIME_NONE where it comes after that */
};

/* Some milliseconds of searching: a century ahead even for combinations of daily rules. */
#define TRIGGER_STEPS_MAX 100000
#define TRIGGER_BUDGET                                                                             \
	{                                                                                          \
		.steps = TRIGGER_STEPS_MAX, .wanted = SCHEDD_TIME_MAX                              \
	}

/* What is seldom set, out of line so that a plain trigger stays small. */
struct trigger_bounds {
	schedd_time start;  /* no fire time before it; SCHEDD_TIME_NONE: none */
	schedd_time end;    /* nor after it; SCHEDD_TIME_NONE: none */
	schedd_span jitter; /* the most that a run is delayed; 0: none */
	schedd_span splay;  /* the most that all times are moved forward; 0: none */
	schedd_span offset; /* how far this host and job are moved: 0..splay */
	/* What of that is done here: "or" leaves a splay and the bounds around it to its children.
	 */
	schedd_time first;        /* no time of the rule before it; SCHEDD_TIME_NONE: any */
	schedd_time last;         /* nor after it, nor moved to after it; SCHEDD_TIME_NONE: any */
	schedd_span moved;        /* how far its times are moved */
	struct zone_cache *zones; /* owned: only of triggers that embedders parse; else NULL */
};

/* How a run may be put off. */
struct trigger_delay {
	schedd_span jitter; /* by a draw up to that */
	schedd_time until;  /* but no further than this */
};

/* One kind of trigger. Slots that may be NULL say so. */
struct trigger_ops {
	const char *type; /* the "type" of the canonical JSON */
	bool late;        /* of a new job a time that has passed still counts */
	/* The earliest time ≥ from. */
	schedd_time (*next)(
	    const struct schedd_trigger *trigger, schedd_time from, struct trigger_budget *budget);
	/* The latest time in [from, until], from ≤ until. */
	schedd_time (*latest)(const struct schedd_trigger *trigger, schedd_time from,
	    schedd_time until, struct trigger_budget *budget);
	/* As trigger_count, from ≤ until. NULL: step with next. */
	uint64_t (*count)(const struct schedd_trigger *trigger, schedd_time from, schedd_time until,
	    uint64_t limit);
	/* NULL: never a note. */
	enum trigger_note (*note)(const struct schedd_trigger *trigger, schedd_time fire);
	/* As trigger_left_out. NULL: never. */
	bool (*left_out)(const struct schedd_trigger *trigger, schedd_time after, schedd_time fire,
	    int32_t *day);
	/* What the children that name the fire time allow. NULL: no delay, no end. */
	void (*delay)(
	    const struct schedd_trigger *trigger, schedd_time fire, struct trigger_delay *out);
	/* Puts the kind's own members into the map. NULL: those are its children. */
	void (*write)(const struct schedd_trigger *trigger, struct arena *arena, struct value *map);
	/* Plain English without bounds, beginning with a capital letter. */
	void (*words)(const struct schedd_trigger *trigger, struct strbuf *out);
	/* NULL: nothing to remark. */
	void (*remarks)(const struct schedd_trigger *trigger, struct strbuf *out);
	/* Frees what the kind owns, not the trigger itself. NULL: nothing. */
	void (*clear)(struct schedd_trigger *trigger);
};

/* The head of every kind. */
struct schedd_trigger {
	const struct trigger_ops *ops;
	const struct zone *zone;       /* of its wall clock, or only for display */
	struct trigger_bounds *bounds; /* owned; NULL: none set */
	atomic_uint refs;              /* who holds it */
	uint8_t events;                /* set of enum trigger_event */
	bool clock;                    /* does it ever fire by the clock? */
	bool hashed;                   /* do its times depend on the job's id? */
};

/* What calendar triggers repeat. */
struct trigger_calendar_spec {
	int32_t years, months, weeks, days; /* each ≥ 0, not all 0 */
	int32_t time;                       /* seconds since midnight, 0..86399 */
	int32_t anchor;                     /* the first date, days since 1970-01-01 */
};

/* A zeroed trigger of size bytes with one reference, which fires by the clock; NULL: no memory. */
struct schedd_trigger *trigger_alloc(
    size_t size, const struct trigger_ops *ops, const struct zone *zone);
/* Is there anything to be kept? */
bool trigger_bounds_set(const struct trigger_bounds *bounds);
/* Sets the bounds of a new trigger that has none yet; copies what is set. 0 or SCHEDD_ENOMEM. */
int trigger_bound(struct schedd_trigger *trigger, const struct trigger_bounds *bounds)
    __attribute__((warn_unused_result));
/* trigger_next and trigger_latest for combinations, which share one budget. */
schedd_time trigger_next_within(
    const struct schedd_trigger *trigger, schedd_time from, struct trigger_budget *budget);
/* Is it one of its fire times? */
bool trigger_names(const struct schedd_trigger *trigger, schedd_time fire);
schedd_time trigger_latest_within(const struct schedd_trigger *trigger, schedd_time from,
    schedd_time until, struct trigger_budget *budget);
/* How the run of a fire time may be put off; a trigger's own jitter hides its children's. */
void trigger_delay(
    const struct schedd_trigger *trigger, schedd_time fire, struct trigger_delay *out);
/* FOLD_FIRST or FOLD_SECOND where the wall reading of an instant comes twice. */
enum trigger_note trigger_fold_note(const struct zone *zone, schedd_time when);

/* The constructors: NULL means no memory. Arguments have been checked. */
struct schedd_trigger *trigger_date_new(const struct zone *zone, schedd_time run_at);
struct schedd_trigger *trigger_interval_new(
    const struct zone *zone, schedd_time anchor, schedd_span step);
struct schedd_trigger *trigger_calendar_new(
    const struct zone *zone, const struct trigger_calendar_spec *spec);
/* Takes cron, also when it fails. seed counts only where cron_has_draw. */
struct schedd_trigger *trigger_cron_new(const struct zone *zone, struct cron *cron, uint64_t seed);
/* A new trigger with the expression of another, which is kept alive by it. */
struct schedd_trigger *trigger_cron_share(struct schedd_trigger *owner);
/* event: one of enum trigger_event, or 0 for manual. */
struct schedd_trigger *trigger_event_new(const struct zone *zone, unsigned event);
/* Takes the references in children (not the list), also when it fails. all: and, else or. */
struct schedd_trigger *trigger_combine_new(
    const struct zone *zone, bool all, struct schedd_trigger *const *children, uint32_t count);

/* What a kind was made of, for readers that keep anchors and draws; false: it is another kind. */
bool trigger_interval_get(
    const struct schedd_trigger *trigger, schedd_time *anchor, schedd_span *step);
bool trigger_calendar_get(const struct schedd_trigger *trigger, struct trigger_calendar_spec *spec);
bool trigger_cron_get(
    const struct schedd_trigger *trigger, const struct cron **cron, uint64_t *seed);
/* The child at index, or NULL (also where the kind or all differs). */
const struct schedd_trigger *trigger_combine_child(
    const struct schedd_trigger *trigger, bool all, uint32_t index);

#endif
