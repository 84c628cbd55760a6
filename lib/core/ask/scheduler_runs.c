/* SPDX-License-Identifier: MIT */
/* Looking at runs: those going on first, then the stores' history. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/changes/job_move.h"
#include "core/frame/store_origin.h"
#include "core/frame/store_slot.h"
#include "core/runs/run_live.h"
#include "model/job_choice.h"
#include "model/job_fields.h"

#define RUNS_STRIDE 16 /* rows between two looks at the clock */

/* What one store answered. */
struct runs_part {
	struct scheduler_run_walk *question;
	struct store_slot *store; /* NULL: it has no more, and was not asked */
	const char *from;         /* the cursor it was asked with; NULL: from the newest */
	struct run *runs;         /* newest first; owned */
	bool origin;              /* its jobs were moved away: without it the rest is told */
	size_t count, taken;      /* rows there are, rows that went into the answer */
	const char *cursor;       /* behind all of them, in arena; NULL: there are no more */
};

/* A run that went on when it was asked for. */
struct runs_live {
	schedd_time scheduled_at;
	struct value value;
};

/* A question to all stores, whose answers are merged with what goes on. */
struct scheduler_run_walk {
	struct schedd_scheduler *scheduler;
	scheduler_runs_ready_fn ready; /* gets it when all stores have answered */
	void *context;                 /* of that */
	struct arena arena;
	struct arena row;              /* of one row at a time */
	uint64_t told;                 /* rows that were handed over */
	struct store_run_query query; /* texts borrowed: only jobs is used after asking, copied */
	struct value missing;         /* list of stores that may have more, and could not be asked */
	struct runs_live *live;       /* that go on, newest first; in arena; first page only */
	uint32_t live_count, live_taken;
	uint64_t limit;
	struct strmap seen; /* ids of rows that were told, where there are several stores */
	bool single;      /* one run is asked for: with its attempts and its result */
	bool continued;   /* a page behind the first one */
	uint32_t waiting; /* stores that have not answered, and one while asking */
	struct runs_part parts[SCHEDULER_STORES_MAX];
	uint32_t part_count;
	int rc;
	struct schedd_error err;
	struct schedd_error without; /* why another job's store is missing; code 0: none is */
};

static struct value scheduler_runs_value(
    const struct scheduler_run_walk *question, const struct run *run, struct arena *arena)
{
	struct value value = run_to_value(run, arena);

	value_put(arena, &value, "account",
	    job_id_account_value(run->job ? run->job : "", arena));
	if (!question->single)
		return value;
	value_put(arena, &value, "attempts", run_attempts(run, arena));
	run_put_result(run, arena, &value);
	return value;
}

static bool scheduler_runs_match(const struct run_live *live, const struct store_run_query *query,
    const struct job_choice *jobs)
{
	const struct run *run = run_live_run(live);

	/* A durable store has its row, whose place among the others stays. */
	if (run_live_store(live)->durable)
		return false;
	if (run_live_stage(live) == RUN_LIVE_CLAIMING || run_live_stage(live) == RUN_LIVE_ENDED || run_live_is_left(live))
		return false;
	if (query->states && !(query->states & (1u << run->state)))
		return false;
	if (query->number && run->number != query->number)
		return false;
	if (query->until != SCHEDD_TIME_NONE && run->scheduled_at > query->until)
		return false;
	return job_choice_has(jobs, run_live_job(live)->id);
}

static void scheduler_runs_set(struct value *map, const char *key, struct value value)
{
	for (uint32_t i = 0; i < map->map.count; i++)
		if (strcmp(map->map.members[i].key, key) == 0)
			map->map.members[i].value = value;
}

static struct value scheduler_runs_live_value(
    const struct scheduler_run_walk *question, const struct run_live *live, struct arena *arena)
{
	struct value value = scheduler_runs_value(question, run_live_run(live), arena);
	char text[256];

	/* As much as there is by now. */
	if (run_live_output(live))
		scheduler_runs_set(
		    &value, "output_bytes", value_int((int64_t)output_written(run_live_output(live))));
	if (run_live_waits_for(live, text, sizeof(text))) {
		scheduler_runs_set(&value, "reason",
		    value_string(arena, arena_printf(arena, "waits for %s", text)));
		value_put(arena, &value, "waits_for", value_string(arena, text));
	}
	return value;
}

static int runs_live_newer(const void *a, const void *b)
{
	const struct run *left = run_live_run(*(const struct run_live *const *)a);
	const struct run *right = run_live_run(*(const struct run_live *const *)b);

	if (left->scheduled_at != right->scheduled_at)
		return left->scheduled_at < right->scheduled_at ? 1 : -1;
	return (left->number < right->number) - (left->number > right->number);
}

/* Values of the newest alone: there may be many more. */
static void scheduler_runs_live(struct scheduler_run_walk *question, const struct store_run_query *query)
{
	const struct schedd_scheduler *scheduler = question->scheduler;
	const struct run_live **found = calloc(run_live_count(scheduler) + 1, sizeof(const void *));
	struct job_choice jobs;
	uint32_t count = 0;

	job_choice_init(&jobs, query->jobs, &question->arena);
	for (const struct run_live *live = run_live_first(scheduler); found && live; live = run_live_next(live))
		if (scheduler_runs_match(live, query, &jobs))
			found[count++] = live;
	if (count > 1)
		qsort(found, count, sizeof(const void *), runs_live_newer);
	if (count > question->limit)
		count = (uint32_t)question->limit;
	question->live = arena_alloc(&question->arena, (count + 1) * sizeof(question->live[0]));
	for (uint32_t i = 0; question->live && i < count; i++)
		question->live[question->live_count++] = (struct runs_live){
		    run_live_run(found[i])->scheduled_at, scheduler_runs_live_value(question, found[i], &question->arena)};
	if (!found)
		question->rc = schedd_error_nomem(&question->err);
	free((void *)found);
}

static const struct run_live *scheduler_runs_known(
    const struct scheduler_run_walk *question, const struct run *run)
{
	const struct run_live *live = run_live_find(question->scheduler, run->job, run->number);

	return live && !run_live_is_left(live) ? live : NULL;
}

/* The part whose next row is the newest; NULL: all rows were taken. */
static struct runs_part *runs_newest(struct scheduler_run_walk *question)
{
	struct runs_part *newest = NULL;

	for (uint32_t i = 0; i < question->part_count; i++) {
		struct runs_part *part = &question->parts[i];

		if (part->taken < part->count &&
		    (!newest || part->runs[part->taken].scheduled_at >
				    newest->runs[newest->taken].scheduled_at))
			newest = part;
	}
	return newest;
}

/* The next one that goes on, if it is newer than that part's next row; NULL: it is not. */
static const struct runs_live *runs_live_next(
    struct scheduler_run_walk *question, const struct runs_part *part)
{
	const struct runs_live *live = &question->live[question->live_taken];

	if (question->live_taken == question->live_count)
		return NULL;
	if (part && live->scheduled_at < part->runs[part->taken].scheduled_at)
		return NULL;
	question->live_taken++;
	return live;
}

/*
 * The value of a row; nil: it is told otherwise. Rows of runs that go on are older than what is known of them. A page is a
 * stretch of rows by their places in the store, so that a run stands in one page
 * whether it goes on, ends, or begins between two questions.
 */
static struct value runs_merge_row(struct scheduler_run_walk *question, const struct run *run)
{
	const struct run_live *live = scheduler_runs_known(question, run);

	if (!live)
		return scheduler_runs_value(question, run, &question->row);
	if (question->continued || run_live_store(live)->durable)
		return scheduler_runs_live_value(question, live, &question->row);
	return value_nil();
}

static const char *runs_seen_key(const void *item)
{
	return item;
}

/* Of a job that moves, a run may be in two stores for a moment. */
static bool runs_doubled(
    struct scheduler_run_walk *question, const struct runs_part *part, const struct run *run)
{
	char *id;

	if (question->part_count < 2)
		return false;
	if (part->store &&
	    job_move_has_open(question->scheduler, part->store, run->job, run->number))
		return true;
	id = arena_printf(&question->arena, "%s/%u", run->job, run->number);
	if (id && strmap_get(&question->seen, id))
		return true;
	if (id && strmap_put(&question->seen, id))
		question->arena.failed = true;
	return arena_failed(&question->arena);
}

/* One step: a row that is told, or passed over (nil). False: there are no more. */
static bool runs_merge_one(struct scheduler_run_walk *question, struct value *out)
{
	struct runs_part *part = runs_newest(question);
	const struct runs_live *live = runs_live_next(question, part);

	*out = value_nil();
	if (live)
		*out = live->value;
	else if (!part)
		return false;
	else if (!runs_doubled(question, part, &part->runs[part->taken]))
		*out = runs_merge_row(question, &part->runs[part->taken++]);
	else
		part->taken++;
	return true;
}

/* Where the next question goes on in that store: "-": nowhere, "": at the newest. */
static const char *runs_part_next(struct scheduler_run_walk *question, const struct runs_part *part)
{
	char cursor[STORE_CURSOR_MAX];

	if (!part->store || (part->taken == part->count && !part->cursor))
		return "-";
	if (part->taken == part->count)
		return part->cursor;
	if (part->taken == 0)
		return part->from ? part->from : "";
	question->query.after = NULL;
	store_run_cursor(
	    part->store->store, &question->query, &part->runs[part->taken - 1], cursor);
	return arena_strdup(&question->arena, cursor);
}

/* The places in all stores, joined by commas; nil: there is nothing more anywhere. */
static struct value runs_next(struct scheduler_run_walk *question)
{
	struct strbuf text = STRBUF_EMPTY;
	struct value next;
	bool more = false;

	for (uint32_t i = 0; i < question->part_count; i++) {
		const char *part = runs_part_next(question, &question->parts[i]);

		more = more || (part && strcmp(part, "-") != 0);
		strbuf_printf(&text, "%s%s", i ? "," : "", part ? part : "-");
	}
	next = value_string_take(&question->arena, &text);
	return more ? next : value_nil();
}

void scheduler_run_walk_free(struct scheduler_run_walk *walk)
{
	if (!walk)
		return;
	for (uint32_t i = 0; i < walk->part_count; i++) {
		for (size_t k = 0; k < walk->parts[i].count; k++)
			run_clear(&walk->parts[i].runs[k]);
		free(walk->parts[i].runs);
	}
	strmap_clear(&walk->seen);
	arena_clear(&walk->row);
	arena_clear(&walk->arena);
	free(walk);
}

/* The end of a walk that went well, or what was wrong. */
static int runs_ended(struct scheduler_run_walk *walk, struct schedd_error *err)
{
	/* Nothing at all is no answer where some may be there. */
	if (walk->without.code && !walk->continued && !walk->told) {
		if (err)
			*err = walk->without;
		return walk->without.code;
	}
	return arena_failed(&walk->arena) ? schedd_error_nomem(err) : 0;
}

/* A store may have been removed between two pieces: nothing more comes from there. */
static void runs_check_stores(struct scheduler_run_walk *walk)
{
	for (uint32_t i = 0; i < walk->part_count; i++) {
		struct runs_part *part = &walk->parts[i];
		uint32_t at = 0;

		while (at < walk->scheduler->store_count && walk->scheduler->stores[at] != part->store)
			at++;
		if (at == walk->scheduler->store_count)
			part->store = NULL;
	}
}

int scheduler_run_walk_more(struct scheduler_run_walk *walk, schedd_span most,
    scheduler_run_fn call, void *context, struct schedd_error *err)
{
	int64_t end = most == SCHEDD_SPAN_NONE ? INT64_MAX : scheduler_mono(walk->scheduler).us + most;
	struct value row;

	runs_check_stores(walk);
	for (uint32_t steps = 1; walk->told < walk->limit; steps++) {
		if (steps % RUNS_STRIDE == 0 && end != INT64_MAX && scheduler_mono(walk->scheduler).us >= end)
			return 1;
		if (!runs_merge_one(walk, &row))
			break;
		if (arena_failed(&walk->row))
			return schedd_error_nomem(err);
		if (row.type == VALUE_NIL)
			continue;
		walk->told++;
		call(&row, &walk->row, context);
		if (arena_failed(&walk->row))
			return schedd_error_nomem(err);
		arena_reset(&walk->row);
	}
	return runs_ended(walk, err);
}

struct value scheduler_run_walk_rest(struct scheduler_run_walk *walk)
{
	struct value map = value_map();

	value_put(&walk->arena, &map, "next", runs_next(walk));
	if (walk->missing.array.count)
		value_put(&walk->arena, &map, "missing", walk->missing);
	return arena_failed(&walk->arena) ? value_nil() : map;
}

static void runs_settle(struct scheduler_run_walk *question)
{
	if (--question->waiting > 0)
		return;
	if (question->rc) {
		question->ready(question->rc, &question->err, NULL, question->context);
		scheduler_run_walk_free(question);
	} else {
		question->ready(0, NULL, question, question->context);
	}
}

/* Is the store one of several, and away? Then the others' runs are told, and which are missing. */
static bool runs_goes_without(
    const struct scheduler_run_walk *question, const struct runs_part *part, int rc)
{
	return part->origin ||
	       (question->part_count > 1 && rc != SCHEDD_EINVAL && rc != SCHEDD_ENOMEM);
}

static void runs_miss(
    struct scheduler_run_walk *question, struct runs_part *part, const struct schedd_error *err)
{
	value_append(&question->arena, &question->missing,
	    value_string(&question->arena, part->store->name));
	if (!part->origin)
		question->without = *err;
	part->store = NULL;
}

static void runs_answered(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct runs_part *part = context;
	struct scheduler_run_walk *question = part->question;

	if (rc && runs_goes_without(question, part, rc)) {
		runs_miss(question, part, err);
	} else if (rc) {
		question->rc = rc;
		question->err = *err;
	}
	part->runs = count ? calloc(count, sizeof(part->runs[0])) : NULL;
	for (; part->runs && part->count < count; part->count++)
		if (run_copy(&part->runs[part->count], &runs[part->count]) != 0)
			break;
	for (size_t i = 0; i < part->count; i++)
		part->runs[i].serial = runs[i].serial;
	if (part->count < count && !question->rc)
		question->rc = schedd_error_nomem(&question->err);
	part->cursor = cursor ? arena_strdup(&question->arena, cursor) : NULL;
	runs_settle(question);
}

/* The only store a question about one existing job needs; NULL: all are asked. */
static struct store_slot *scheduler_runs_store(
    struct schedd_scheduler *scheduler, const struct store_run_query *query)
{
	const struct entry *entry;

	if (scheduler->store_count == 1)
		return scheduler->stores[0];
	if (!query->jobs || !query->jobs[0] || query->jobs[1])
		return NULL;
	entry = entry_get(scheduler, query->jobs[0]);
	return entry ? entry->store : NULL;
}

/* One part for each store asked; the places in them come from the cursor. */
static int runs_divide(struct scheduler_run_walk *question, struct store_slot *one, const char *after)
{
	struct schedd_scheduler *scheduler = question->scheduler;
	const struct store_slot *leaves = NULL;

	question->query.here = !one;
	/* One that is asked for alone may be on its way. */
	if (one && question->query.jobs && question->query.jobs[0])
		leaves = job_move_leaves(scheduler, question->query.jobs[0]);
	question->part_count = 0;
	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		struct store_slot *slot = scheduler->stores[i];

		if (!one || slot == one || slot == leaves || store_origin_is(one, slot))
			question->parts[question->part_count++] = (struct runs_part){
			    .question = question, .store = slot, .origin = one && slot != one};
	}
	for (uint32_t i = 0; i < question->part_count; i++) {
		struct runs_part *part = &question->parts[i];
		size_t length = after ? strcspn(after, ",") : 0;

		if (length > 0)
			part->from = arena_strndup(&question->arena, after, length);
		if (part->from && strcmp(part->from, "-") == 0)
			part->store = NULL;
		if (after && (after[length] == ',') != (i + 1 < question->part_count))
			return schedd_error_set(&question->err, SCHEDD_EINVAL,
			    "after does not continue this question: the stores are others now");
		after = after ? after + length + (after[length] == ',') : NULL;
	}
	return 0;
}

/* The names live as long as the question, for the cursors. */
static const char *const *runs_copy_jobs(struct arena *arena, const char *const *jobs)
{
	const char **copy;
	size_t count = 0;

	while (jobs && jobs[count])
		count++;
	copy = jobs ? arena_alloc(arena, (count + 1) * sizeof(copy[0])) : NULL;
	for (size_t i = 0; copy && i < count; i++)
		copy[i] = arena_strdup(arena, jobs[i]);
	return copy;
}

/* One of several that is known to be away: its answer, that it is, would be long in coming. */
static bool runs_leaves_out(struct scheduler_run_walk *question, struct runs_part *part)
{
	const struct store *store = part->store->store;
	struct schedd_error err;

	if (question->part_count < 2 || !store_is_away(store))
		return false;
	schedd_error_set(&err, SCHEDD_EFAILED, "%s", store_state_why(store));
	runs_miss(question, part, &err);
	return true;
}

static void runs_ask(struct scheduler_run_walk *question)
{
	question->waiting = 1;
	for (uint32_t i = 0; !question->rc && i < question->part_count; i++) {
		struct runs_part *part = &question->parts[i];

		if (!part->store || runs_leaves_out(question, part))
			continue;
		question->query.after = part->from;
		question->waiting++;
		store_query_runs(part->store->store, &question->query, runs_answered, part);
	}
	runs_settle(question);
}

void scheduler_walk_runs(struct schedd_scheduler *scheduler, const struct store_run_query *query,
    scheduler_runs_ready_fn ready, void *context)
{
	struct scheduler_run_walk *question = calloc(1, sizeof(*question));
	struct schedd_error err;

	if (!question) {
		ready(schedd_error_nomem(&err), &err, NULL, context);
		return;
	}
	scheduler_enter(scheduler);
	store_slot_flush_all(scheduler);
	arena_init(&question->arena);
	arena_init(&question->row);
	strmap_init(&question->seen, runs_seen_key);
	question->scheduler = scheduler;
	question->ready = ready;
	question->context = context;
	question->missing = value_array();
	question->single = query->number != 0;
	question->limit = query->limit ? query->limit : 100;
	question->query = *query;
	question->query.jobs = runs_copy_jobs(&question->arena, query->jobs);
	question->continued = query->after != NULL;
	if (!question->continued)
		scheduler_runs_live(question, query);
	if (!question->rc)
		question->rc =
		    runs_divide(question, scheduler_runs_store(scheduler, query), query->after);
	runs_ask(question);
	scheduler_leave(scheduler);
}

/* ---- All at once ---- */

struct runs_whole {
	struct scheduler_reply reply;
	struct arena arena;
	struct value runs; /* in arena */
};

static void runs_whole_one(const struct value *run, struct arena *arena, void *context)
{
	struct runs_whole *whole = context;

	(void)arena;
	value_append(&whole->arena, &whole->runs, value_copy(&whole->arena, run));
}

static void runs_whole_ready(int rc, const struct schedd_error *err,
    struct scheduler_run_walk *walk, void *context)
{
	struct runs_whole *whole = context;
	struct value result = value_nil();
	struct schedd_error own;

	if (!rc) {
		rc = scheduler_run_walk_more(walk, SCHEDD_SPAN_NONE, runs_whole_one, whole, &own);
		err = &own;
	}
	if (!rc) {
		struct value rest = scheduler_run_walk_rest(walk);

		result = value_map();
		value_put(&whole->arena, &result, "runs", whole->runs);
		for (uint32_t i = 0; i < rest.map.count; i++)
			value_put(&whole->arena, &result, rest.map.members[i].key, rest.map.members[i].value);
	}
	if (!rc && (arena_failed(&whole->arena) || arena_failed(&walk->arena)))
		rc = schedd_error_nomem(&own);
	scheduler_answer(whole->reply, rc, err, &result);
	scheduler_run_walk_free(walk);
	arena_clear(&whole->arena);
	free(whole);
}

void scheduler_query_runs(struct schedd_scheduler *scheduler, const struct store_run_query *query,
    struct scheduler_reply reply)
{
	struct runs_whole *whole = calloc(1, sizeof(*whole));
	struct schedd_error err;

	if (!whole) {
		schedd_error_nomem(&err);
		scheduler_answer(reply, SCHEDD_ENOMEM, &err, NULL);
		return;
	}
	whole->reply = reply;
	whole->runs = value_array();
	scheduler_walk_runs(scheduler, query, runs_whole_ready, whole);
}
