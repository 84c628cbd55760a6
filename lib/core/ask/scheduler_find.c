/* SPDX-License-Identifier: MIT */
/*
 * Looking for jobs: by id, by pattern, tag, state; page by page in the order
 * of ids or of next runs. The second order is not kept: each page is chosen
 * out of all jobs, in memory of the size of a page.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "core/jobs/entry.h"
#include "core/runs/job_value.h"

const char *scheduler_job_state(struct schedd_scheduler *scheduler, const char *id)
{
	const struct entry *entry = entry_get(scheduler, id);

	return entry ? job_value_word(entry) : NULL;
}

static const char *scheduler_find_text(const void *item)
{
	return item;
}

/* What ids are held against: there may be as many as fit into a message. */
struct find_patterns {
	struct strmap ids;  /* patterns that are an id */
	const char **globs; /* all others */
	uint32_t count;     /* of them */
	bool any;           /* was nothing said? */
};

static bool scheduler_find_is_id(const char *pattern)
{
	return pattern[strcspn(pattern, "*?[\\")] == '\0' &&
	       strncmp(pattern, JOB_OWN_PREFIX, strlen(JOB_OWN_PREFIX)) != 0;
}

static int scheduler_find_add_pattern(struct find_patterns *patterns, const char *pattern)
{
	int rc = 0;

	if (scheduler_find_is_id(pattern))
		rc = strmap_put(&patterns->ids, (void *)(uintptr_t)pattern);
	else
		patterns->globs[patterns->count++] = pattern;
	/* The same may come twice. */
	return rc == SCHEDD_ECONFLICT ? 0 : rc;
}

/* SCHEDD_ENOMEM. They stay the asker's. */
static int scheduler_find_take_patterns(
    struct find_patterns *patterns, const char *const *list)
{
	uint32_t count = 0, given = 0;
	int rc = 0;

	strmap_init(&patterns->ids, scheduler_find_text);
	for (; list && list[given]; given++)
		count += !scheduler_find_is_id(list[given]);
	patterns->any = given == 0;
	patterns->globs = count ? calloc(count, sizeof(patterns->globs[0])) : NULL;
	if (count && !patterns->globs)
		return SCHEDD_ENOMEM;
	for (uint32_t i = 0; i < given && !rc; i++)
		rc = scheduler_find_add_pattern(patterns, list[i]);
	return rc;
}

/* Parts: those of jobs on all nodes are meant where nothing is said. */
static bool scheduler_find_pattern(
    const struct find_patterns *patterns, const char *id, bool parts)
{
	bool part = job_id_node(id) != NULL && !parts;

	if (patterns->any)
		return !part;
	/* A node's part of a job is seen by who means it. */
	if (strmap_get(&patterns->ids, id))
		return true;
	for (uint32_t i = 0; i < patterns->count; i++)
		if (job_id_matches(patterns->globs[i], id) &&
		    (!part || strchr(patterns->globs[i], '@')))
			return true;
	return false;
}

static bool scheduler_find_tags(const char *const *tags, const struct schedd_job *job)
{
	const struct job_pairs *have = &job_details(job)->tags;

	for (; tags && *tags; tags++) {
		const char *equals = strchr(*tags, '=');
		size_t length = equals ? (size_t)(equals - *tags) : strlen(*tags);
		bool found = false;

		for (uint32_t i = 0; i < have->count && !found; i++)
			found = strlen(have->items[i].name) == length &&
				strncmp(have->items[i].name, *tags, length) == 0 &&
				(!equals || strcmp(have->items[i].text, equals + 1) == 0);
		if (!found)
			return false;
	}
	return true;
}

static bool scheduler_find_state(const char *const *states, const struct entry *entry)
{
	if (!states || !states[0])
		return true;
	for (; *states; states++)
		if (strcmp(*states, job_value_word(entry)) == 0)
			return true;
	return false;
}

static bool scheduler_find_same(const char *wanted, const char *have)
{
	return !wanted || (have && strcmp(wanted, have) == 0);
}

/* One on all nodes is nobody's: its parts are. */
static bool scheduler_find_node(const struct entry *entry, const char *node)
{
	struct schedd_scheduler *scheduler = entry->store->scheduler;
	const char *owner;

	if (!node)
		return true;
	if (entry_on_all(entry))
		return false;
	if (!scheduler_job_elsewhere(scheduler, entry->job->id, &owner))
		owner = scheduler_node_name(scheduler);
	return owner && strcmp(owner, node) == 0;
}

static bool scheduler_find_match(const struct entry *entry,
    const struct scheduler_job_query *query, const struct find_patterns *patterns)
{
	const struct schedd_job *job = entry->job;
	const struct job_details *details = job_details(job);

	if (!scheduler_find_pattern(patterns, job->id, query->node != NULL) ||
	    !scheduler_find_node(entry, query->node) ||
	    !scheduler_find_same(query->store, entry->store->name) ||
	    !scheduler_find_same(query->owner, details->owner) ||
	    !scheduler_find_same(query->group, details->group))
		return false;
	if (query->failed &&
	    (entry->last_state < RUN_FAILED || entry->last_state == RUN_CANCELLED ||
		entry->last_state == RUN_SKIPPED || entry->last_state == RUN_MISSED))
		return false;
	if (query->due_before != SCHEDD_TIME_NONE &&
	    (entry->state.next_run_time == SCHEDD_TIME_NONE ||
		entry->state.next_run_time > query->due_before))
		return false;
	return scheduler_find_tags(query->tags, job) && scheduler_find_state(query->states, entry);
}

/* ---- What a page by next runs is chosen from ---- */

/* Without a next run: behind all times; paused: at the very end. */
#define FIND_NO_TIME (INT64_MAX - 1)
#define FIND_PAUSED INT64_MAX

struct find_item {
	int64_t key;
	const char *id;
	struct schedd_job *job; /* whose id it is; in a page held */
};

/* The best so far. Twice the room of a page, so that sorting is rare. */
struct find_page {
	struct find_item *items;
	size_t count, capacity;
	size_t keep;            /* of the best, when there is no room; 0: all */
	struct find_item worst; /* nothing behind it is wanted; id NULL: not known yet */
};

/* ---- In the order of ids ---- */

/* Between two looks at the clock. */
#define FIND_STRIDE 32

/* A page that is being looked for. Jobs come and go between two pieces: ids say where it is. */
struct scheduler_job_walk {
	struct schedd_scheduler *scheduler;
	struct scheduler_job_query query; /* what it points to is the asker's */
	struct strbuf at;                 /* all ids up to this one were looked at; "": none yet */
	struct strbuf last;               /* the last one that was shown */
	struct strbuf next;               /* the cursor for more */
	uint64_t found;
	struct find_patterns patterns;
	uint32_t weight;       /* of looking at one entry: it is held against all globs */
	bool gathered;         /* by next run: the page is chosen */
	size_t shown;          /* by next run: of the page */
	struct find_page page; /* by next run */
	struct find_item after;
};

/* A piece ends at this time; INT64_MAX: never. */
static bool scheduler_find_is_over(struct scheduler_job_walk *walk, uint32_t *count, schedd_span end)
{
	*count += walk->weight;
	if (*count < FIND_STRIDE || end == INT64_MAX)
		return false;
	*count = 0;
	return scheduler_mono(walk->scheduler).us >= end;
}

/* The first entry that was not looked at yet. */
static struct entry *scheduler_find_go_on(const struct scheduler_job_walk *walk)
{
	const char *after = walk->at.length ? strbuf_peek(&walk->at) : NULL;

	if (!after && !walk->query.by_next)
		after = walk->query.after;
	return entry_first(walk->scheduler, after);
}

static void scheduler_find_set(struct strbuf *text, const char *id)
{
	strbuf_reset(text);
	strbuf_add(text, id);
}

/* 1: there is more. */
static int scheduler_find_by_id(
    struct scheduler_job_walk *walk, schedd_span end, scheduler_job_fn call, void *context)
{
	struct entry *entry = scheduler_find_go_on(walk);
	uint32_t count = 0;

	for (; entry; entry = entry_next(walk->scheduler, entry)) {
		if (scheduler_find_match(entry, &walk->query, &walk->patterns)) {
			if (walk->query.limit && walk->found == walk->query.limit) {
				strbuf_add(&walk->next, strbuf_peek(&walk->last));
				return 0;
			}
			scheduler_find_set(&walk->last, entry->job->id);
			walk->found++;
			call(entry->job->id, context);
		}
		if (!scheduler_find_is_over(walk, &count, end))
			continue;
		scheduler_find_set(&walk->at, entry->job->id);
		return 1;
	}
	return 0;
}

/* ---- In the order of next runs ---- */

static struct find_item scheduler_find_item(const struct entry *entry)
{
	const struct job_state *state = &entry->state;
	bool never = state->next_run_time == SCHEDD_TIME_NONE;

	return (struct find_item){
	    .key = state->paused ? FIND_PAUSED
		   : never       ? FIND_NO_TIME
				 : state->next_run_time,
	    .id = entry->job->id,
	    .job = entry->job,
	};
}

static int scheduler_find_compare(const void *a, const void *b)
{
	const struct find_item *left = a, *right = b;

	if (left->key != right->key)
		return left->key < right->key ? -1 : 1;
	return strcmp(left->id, right->id);
}

static void scheduler_find_cut(struct find_page *page, size_t keep)
{
	while (page->count > keep)
		job_unref(page->items[--page->count].job);
}

static void scheduler_find_sort(struct find_page *page)
{
	if (page->count)
		qsort(page->items, page->count, sizeof(page->items[0]), scheduler_find_compare);
	if (page->keep)
		scheduler_find_cut(page, page->keep);
	if (page->keep && page->count == page->keep)
		page->worst = page->items[page->keep - 1];
}

static int scheduler_find_offer(struct find_page *page, const struct find_item *item)
{
	struct find_item *items;
	size_t capacity;

	if (page->count == page->capacity && page->keep && page->capacity >= 2 * page->keep)
		scheduler_find_sort(page);
	if (page->worst.id && scheduler_find_compare(item, &page->worst) > 0)
		return 0;
	if (page->count == page->capacity) {
		capacity = page->capacity ? page->capacity * 2 : 256;
		items = realloc(page->items, capacity * sizeof(items[0]));
		if (!items)
			return SCHEDD_ENOMEM;
		page->items = items;
		page->capacity = capacity;
	}
	page->items[page->count] = *item;
	/* The job may be removed before it is shown. */
	page->items[page->count++].job = job_ref(item->job);
	return 0;
}

/* "KEY ID"; false: no cursor. */
static bool scheduler_find_cursor(const char *text, struct find_item *item)
{
	char *end;

	errno = 0;
	item->key = strtoll(text, &end, 10);
	item->id = end + 1;
	return end != text && *end == ' ' && errno == 0;
}

/* 1: there is more to look at. */
static int scheduler_find_gather(struct scheduler_job_walk *walk, schedd_span end)
{
	struct entry *entry = scheduler_find_go_on(walk);
	uint32_t count = 0;

	for (; entry; entry = entry_next(walk->scheduler, entry)) {
		struct find_item item = scheduler_find_item(entry);

		if (!(walk->after.id && scheduler_find_compare(&item, &walk->after) <= 0) &&
		    scheduler_find_match(entry, &walk->query, &walk->patterns) &&
		    scheduler_find_offer(&walk->page, &item))
			return SCHEDD_ENOMEM;
		if (!scheduler_find_is_over(walk, &count, end))
			continue;
		scheduler_find_set(&walk->at, entry->job->id);
		return 1;
	}
	scheduler_find_sort(&walk->page);
	walk->gathered = true;
	return 1;
}

static int scheduler_find_by_next(
    struct scheduler_job_walk *walk, schedd_span end, scheduler_job_fn call, void *context)
{
	struct find_page *page = &walk->page;
	uint64_t limit = walk->query.limit;
	size_t wanted = limit && page->count > limit ? (size_t)limit : page->count;
	uint32_t count = 0;

	while (walk->shown < wanted) {
		const char *id = page->items[walk->shown++].id;

		if (entry_get(walk->scheduler, id))
			call(id, context);
		if (walk->shown < wanted && scheduler_find_is_over(walk, &count, end))
			return 1;
	}
	if (wanted < page->count)
		strbuf_printf(&walk->next, "%" PRId64 " %s", page->items[wanted - 1].key,
		    page->items[wanted - 1].id);
	return 0;
}

/* ---- Both ---- */

struct scheduler_job_walk *scheduler_job_walk_new(
    struct schedd_scheduler *scheduler, const struct scheduler_job_query *query, struct schedd_error *err)
{
	struct scheduler_job_walk *walk = calloc(1, sizeof(*walk));

	if (!walk) {
		schedd_error_nomem(err);
		return NULL;
	}
	walk->scheduler = scheduler;
	walk->query = *query;
	if (scheduler_find_take_patterns(&walk->patterns, query->patterns)) {
		schedd_error_nomem(err);
		scheduler_job_walk_free(walk);
		return NULL;
	}
	walk->weight = 1 + walk->patterns.count;
	walk->page.keep = query->limit ? (size_t)query->limit + 1 : 0;
	if (query->by_next && query->after && !scheduler_find_cursor(query->after, &walk->after)) {
		schedd_error_set(err, SCHEDD_EINVAL,
		    "after: '%.64s' is not the 'next' of an answer in this order", query->after);
		scheduler_job_walk_free(walk);
		return NULL;
	}
	return walk;
}

int scheduler_job_walk_more(struct scheduler_job_walk *walk, schedd_span most, scheduler_job_fn call,
    void *context, struct schedd_error *err)
{
	schedd_span end = most == SCHEDD_SPAN_NONE ? INT64_MAX
						   : scheduler_mono(walk->scheduler).us + most;
	int rc;

	if (!walk->query.by_next)
		rc = scheduler_find_by_id(walk, end, call, context);
	else if (!walk->gathered)
		rc = scheduler_find_gather(walk, end);
	else
		rc = scheduler_find_by_next(walk, end, call, context);
	if (rc < 0 || strbuf_failed(&walk->at) || strbuf_failed(&walk->last) ||
	    strbuf_failed(&walk->next))
		return schedd_error_nomem(err);
	return rc;
}

const char *scheduler_job_walk_next(const struct scheduler_job_walk *walk)
{
	return walk->next.length ? strbuf_peek(&walk->next) : NULL;
}

void scheduler_job_walk_free(struct scheduler_job_walk *walk)
{
	if (!walk)
		return;
	scheduler_find_cut(&walk->page, 0);
	free(walk->page.items);
	strmap_clear(&walk->patterns.ids);
	free(walk->patterns.globs);
	strbuf_clear(&walk->at);
	strbuf_clear(&walk->last);
	strbuf_clear(&walk->next);
	free(walk);
}

int scheduler_job_find(struct schedd_scheduler *scheduler, const struct scheduler_job_query *query,
    scheduler_job_fn call, void *context, struct strbuf *next, struct schedd_error *err)
{
	struct scheduler_job_walk *walk;
	struct schedd_error own;
	int rc;

	err = err ? err : &own;
	walk = scheduler_job_walk_new(scheduler, query, err);
	if (!walk)
		return err->code;
	do
		rc = scheduler_job_walk_more(walk, SCHEDD_SPAN_NONE, call, context, err);
	while (rc > 0);
	strbuf_add(next, strbuf_peek(&walk->next));
	scheduler_job_walk_free(walk);
	return rc || strbuf_failed(next) ? schedd_error_nomem(err) : 0;
}

/* ---- Owners ---- */

struct value scheduler_owners(
    struct schedd_scheduler *scheduler, const char *prefix, struct arena *arena)
{
	struct value list = value_array();
	struct strmap seen;

	strmap_init(&seen, scheduler_find_text);
	for (struct entry *entry = entry_first(scheduler, NULL); entry;
	     entry = entry_next(scheduler, entry)) {
		const char *owner = job_details(entry->job)->owner;
		char *copy;

		if (!owner || strncmp(owner, prefix, strlen(prefix)) != 0 ||
		    strmap_get(&seen, owner))
			continue;
		copy = arena_strdup(arena, owner);
		if (copy && strmap_put(&seen, copy) == 0)
			value_append(arena, &list, value_string_ref(copy));
	}
	strmap_clear(&seen);
	return list;
}
