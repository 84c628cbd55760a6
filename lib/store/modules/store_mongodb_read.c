/* SPDX-License-Identifier: MIT */
/* What is read back: jobs at the start, and history when somebody asks. */
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_mongodb.h"

/* ---- Jobs ---- */

static struct store_counters read_counters(const bson_t *row)
{
	return (struct store_counters){
	    .next_fire = mo_number(row, "next_fire", SCHEDD_TIME_NONE),
	    .next_run_time = mo_number(row, "next_run_time", SCHEDD_TIME_NONE),
	    .run_count = (uint64_t)mo_number(row, "run_count", 0),
	    .last_run = (uint32_t)mo_number(row, "last_run", 0),
	};
}

struct read_name {
	int64_t key;
	char *id;
};

/* Of a question: names of the jobs that its runs are of, by their numbers. */
struct read_names {
	struct read_name *names; /* ascending */
	size_t count, room;
	bool failed;
};

struct read_loading {
	struct store_loading *loading;
	struct read_names names;
	int rc;
};

static bool read_job(const bson_t *row, void *context)
{
	struct read_loading *reading = context;
	struct store_counters counters = read_counters(row);
	const char *definition = mo_text(row, "definition"), *id = mo_text(row, "_id");

	if (!definition || !id)
		return true;
	reading->rc = store_loading_job(
	    reading->loading, id, definition, strlen(definition), &counters);
	return reading->rc == 0;
}

static bool read_meta(const bson_t *row, void *context)
{
	struct read_loading *reading = context;
	const char *text = mo_text(row, "text"), *key = mo_text(row, "_id");
	int64_t number = mo_number(row, "number", INT64_MIN);

	if (key && text)
		store_loading_text(reading->loading, key, text);
	else if (key && number != INT64_MIN)
		store_loading_number(reading->loading, key, number);
	return true;
}

/* ---- Names ---- */

static int read_compare(const void *a, const void *b)
{
	int64_t left = ((const struct read_name *)a)->key, right = ((const struct read_name *)b)->key;

	return left < right ? -1 : left > right;
}

static bool read_take_name(const bson_t *row, void *context)
{
	struct read_names *names = context;
	const char *id = mo_text(row, "_id");

	if (names->count == names->room) {
		size_t room = names->room ? names->room * 2 : 64;
		struct read_name *more = realloc(names->names, room * sizeof(*more));

		if (!more) {
			names->failed = true;
			return false;
		}
		names->names = more;
		names->room = room;
	}
	names->names[names->count].key = mo_number(row, "key", 0);
	names->names[names->count].id = strdup(id ? id : "");
	if (!names->names[names->count++].id)
		names->failed = true;
	return !names->failed;
}

static void read_names_clear(struct read_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i].id);
	free(names->names);
	memset(names, 0, sizeof(*names));
}

static int read_names(
    struct store_link *link, bson_t *filter, struct read_names *names, struct schedd_error *err)
{
	int rc = store_mongodb_talk_find(link, MO_JOBS, filter,
	    BCON_NEW("projection", "{", "key", BCON_INT32(1), "}"), read_take_name, names, err);

	if (rc == 0 && names->failed)
		rc = schedd_error_nomem(err);
	if (rc == 0 && names->count)
		qsort(names->names, names->count, sizeof(names->names[0]), read_compare);
	return rc;
}

static const char *read_name(const struct read_names *names, int64_t key)
{
	struct read_name wanted = {key, NULL};
	const struct read_name *found =
	    names->count ? bsearch(&wanted, names->names, names->count, sizeof(wanted), read_compare)
			 : NULL;

	return found ? found->id : NULL;
}

static bool read_take_number(const bson_t *row, void *context)
{
	*(int64_t *)context = mo_number(row, "key", mo_number(row, "number", -1));
	return false;
}

int store_mongodb_key(
    struct store_link *link, const char *id, int64_t *key, struct schedd_error *err)
{
	*key = -1;
	return store_mongodb_talk_find(link, MO_JOBS, BCON_NEW("_id", BCON_UTF8(id)),
	    BCON_NEW("projection", "{", "key", BCON_INT32(1), "}"), read_take_number, key, err);
}

int store_mongodb_highest(
    struct store_link *link, int64_t key, int64_t *number, struct schedd_error *err)
{
	*number = 0;
	return store_mongodb_talk_find(link, MO_RUNS,
	    BCON_NEW("_id", "{", "$gte", BCON_INT64(key << 32), "$lt", BCON_INT64((key + 1) << 32), "}"),
	    BCON_NEW("projection", "{", "number", BCON_INT32(1), "}", "sort", "{", "_id", BCON_INT32(-1),
		"}", "limit", BCON_INT64(1)),
	    read_take_number, number, err);
}

/* ---- Runs ---- */

static void read_run(const bson_t *row, const char *job, struct run *run)
{
	const char *state = mo_text(row, "state"), *trigger = mo_text(row, "trigger");

	run_init(run);
	run->job = (char *)job;
	run->serial = (uint64_t)mo_number(row, "serial", 0);
	run->number = (uint32_t)mo_number(row, "number", 0);
	if (!state || !run_state_parse(state, &run->state))
		run->state = RUN_LOST;
	if (!trigger || !run_trigger_parse(trigger, &run->trigger))
		run->trigger = RUN_BY_SCHEDULE;
	run->attempt = (uint32_t)mo_number(row, "attempt", 1);
	run->scheduled_at = mo_number(row, "scheduled_at", SCHEDD_TIME_NONE);
	run->started_at = mo_number(row, "started_at", SCHEDD_TIME_NONE);
	run->ended_at = mo_number(row, "ended_at", SCHEDD_TIME_NONE);
	run->until = mo_number(row, "until", SCHEDD_TIME_NONE);
	run->count = (uint64_t)mo_number(row, "count", 1);
	run->coalesced = (uint64_t)mo_number(row, "coalesced", 0);
	run->exit_code = (int)mo_number(row, "exit_code", -1);
	run->signal = (int)mo_number(row, "signal", 0);
	run->reason = (char *)mo_text(row, "reason");
	run->max_rss = mo_number(row, "max_rss", 0);
	run->cpu_us = mo_number(row, "cpu_us", 0);
	run->output_bytes = (uint64_t)mo_number(row, "output_bytes", 0);
	run->output_dropped = (uint64_t)mo_number(row, "output_dropped", 0);
	run->pid = (pid_t)mo_number(row, "pid", 0);
	run->pid_start = (uint64_t)mo_number(row, "pid_start", 0);
	run->attempts = (char *)mo_text(row, "attempts");
	run->actor = (char *)mo_text(row, "actor");
	run->result = (char *)mo_text(row, "result");
}

static bool read_open_run(const bson_t *row, void *context)
{
	struct read_loading *reading = context;
	const char *job = read_name(&reading->names, mo_number(row, "job", 0));
	struct run run;

	read_run(row, job, &run);
	if (job)
		store_loading_run(reading->loading, &run);
	return true;
}

int store_mongodb_load(
    struct store_link *link, struct store_loading *loading, struct schedd_error *err)
{
	struct read_loading reading = {.loading = loading};
	int rc = store_mongodb_talk_find(link, MO_JOBS, BCON_NEW("live", BCON_BOOL(true)),
	    bson_new(), read_job, &reading, err);

	if (rc == 0 && reading.rc)
		rc = schedd_error_set(
		    err, reading.rc, "store '%s': loading was given up", link->config->name);
	if (rc == 0)
		rc = store_mongodb_talk_find(
		    link, MO_META, bson_new(), bson_new(), read_meta, &reading, err);
	if (rc == 0)
		rc = read_names(link, bson_new(), &reading.names, err);
	if (rc == 0)
		rc = store_mongodb_talk_find(link, MO_RUNS, BCON_NEW("done_at", BCON_NULL),
		    BCON_NEW("sort", "{", "serial", BCON_INT32(1), "}"), read_open_run, &reading, err);
	read_names_clear(&reading.names);
	return rc;
}

struct read_one {
	struct store_watching *watching;
	const char *id;
	bool found;
};

static bool read_again(const bson_t *row, void *context)
{
	struct read_one *one = context;
	struct store_counters counters = read_counters(row);
	const char *definition = mo_text(row, "definition");

	if (definition) {
		one->found = true;
		store_watching_job(
		    one->watching, one->id, definition, strlen(definition), &counters);
	}
	return false;
}

int store_mongodb_reread(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err)
{
	struct read_one one = {watching, id, false};
	int rc = store_mongodb_talk_find(link, MO_JOBS,
	    BCON_NEW("_id", BCON_UTF8(id), "live", BCON_BOOL(true)), bson_new(), read_again, &one, err);

	if (rc == 0 && !one.found)
		store_watching_job(watching, id, NULL, 0, NULL);
	return rc;
}

struct read_last {
	int64_t key, last;
};

static bool read_take_last(const bson_t *row, void *context)
{
	struct read_last *last = context;

	last->key = mo_number(row, "key", 0);
	last->last = mo_number(row, "last_run", 0);
	return false;
}

int store_mongodb_last_run(
    struct store_link *link, const char *id, int64_t *out, struct schedd_error *err)
{
	struct read_last last = {0, 0};
	int64_t highest = 0;
	int rc = store_mongodb_talk_find(link, MO_JOBS, BCON_NEW("_id", BCON_UTF8(id)),
	    BCON_NEW("projection", "{", "definition", BCON_INT32(0), "}"), read_take_last, &last, err);

	if (rc == 0 && last.key)
		rc = store_mongodb_highest(link, last.key, &highest, err);
	*out = highest > last.last ? highest : last.last;
	return rc;
}

/* ---- History ---- */

#define STATES_OPEN (1u << RUN_QUEUED | 1u << RUN_RUNNING | 1u << RUN_RETRYING)
#define READ_PAGE 256
#define READ_PAGE_MOST 16384

/* A page of documents, whose jobs' names are asked for together. */
struct read_page {
	bson_t **rows;
	uint32_t count, most;
	bool failed;
};

static bool read_keep(const bson_t *row, void *context)
{
	struct read_page *page = context;

	if (page->count == page->most)
		return false;
	page->rows[page->count] = bson_copy(row);
	page->failed = page->failed || !page->rows[page->count];
	page->count += !page->failed;
	return !page->failed;
}

static void read_page_clear(struct read_page *page)
{
	for (uint32_t i = 0; i < page->count; i++)
		bson_destroy(page->rows[i]);
	free(page->rows);
}

static int read_page_names(struct store_link *link, const struct read_page *page,
    struct read_names *names, struct schedd_error *err)
{
	bson_t *filter = bson_new(), in, list;
	int64_t before = 0;
	uint32_t count = 0;

	bson_append_document_begin(filter, "key", -1, &in);
	bson_append_array_begin(&in, "$in", -1, &list);
	for (uint32_t i = 0; i < page->count; i++) {
		int64_t key = mo_number(page->rows[i], "job", 0);
		char room[16];
		const char *name;

		if (key == before)
			continue;
		before = key;
		bson_uint32_to_string(count++, &name, room, sizeof(room));
		bson_append_int64(&list, name, -1, key);
	}
	bson_append_array_end(&in, &list);
	bson_append_document_end(filter, &in);
	return read_names(link, filter, names, err);
}

/* Asks for a page and its names; take is told each row with its job. False from it: enough. */
static int read_rows(struct store_link *link, const char *collection, bson_t *filter,
    bson_t *options, uint32_t most,
    bool (*take)(const bson_t *row, const char *job, void *context), void *context, uint32_t *count,
    struct schedd_error *err)
{
	struct read_page page = {.most = most};
	struct read_names names = {NULL, 0, 0, false};
	int rc;

	page.rows = calloc(most + 1, sizeof(page.rows[0]));
	if (!page.rows) {
		bson_destroy(filter);
		bson_destroy(options);
		return schedd_error_nomem(err);
	}
	bson_append_int64(options, "limit", -1, most);
	rc = store_mongodb_talk_find(link, collection, filter, options, read_keep, &page, err);
	if (rc == 0 && page.failed)
		rc = schedd_error_nomem(err);
	if (rc == 0 && page.count)
		rc = read_page_names(link, &page, &names, err);
	*count = page.count;
	for (uint32_t i = 0; i < page.count && rc == 0; i++)
		if (!take(page.rows[i], read_name(&names, mo_number(page.rows[i], "job", 0)), context)) {
			*count = 0;
			break;
		}
	read_names_clear(&names);
	read_page_clear(&page);
	return rc;
}

struct read_asking {
	struct store_asked *asked;
	int64_t key;    /* of the job that is asked for; -1: all */
	int64_t before; /* where the next page goes on: a number, else a serial */
};

static bool read_asked_run(const bson_t *row, const char *job, void *context)
{
	struct read_asking *asking = context;
	struct run run;

	read_run(row, job, &run);
	asking->before = asking->key >= 0 ? (int64_t)run.number : (int64_t)run.serial;
	return !job || store_asked_run(asking->asked, &run);
}

static int read_runs_page(struct store_link *link, const struct store_query *query,
    struct read_asking *asking, uint32_t page, uint32_t *count, struct schedd_error *err)
{
	bool open = query->states && !(query->states & ~STATES_OPEN);
	int64_t before = asking->before;
	bson_t *filter, *options;

	if (asking->key >= 0) {
		int64_t top = before > UINT32_MAX ? (asking->key + 1) << 32
						  : mo_run_id(asking->key, (uint32_t)before);

		filter = query->number
			     ? BCON_NEW("_id", BCON_INT64(mo_run_id(asking->key, query->number)))
			     : BCON_NEW("_id", "{", "$gte", BCON_INT64(asking->key << 32), "$lt",
				   BCON_INT64(top), "}");
		options = BCON_NEW("sort", "{", "_id", BCON_INT32(-1), "}");
	} else {
		filter = BCON_NEW("serial", "{", "$lt", BCON_INT64(before), "}");
		if (open)
			bson_append_null(filter, "done_at", -1);
		options = BCON_NEW("sort", "{", "serial", BCON_INT32(-1), "}");
	}
	if (!query->number)
		BCON_APPEND(options, "projection", "{", "result", BCON_INT32(0), "}");
	return read_rows(
	    link, MO_RUNS, filter, options, page, read_asked_run, asking, count, err);
}

/* Pages, since what an index cannot say is judged here. */
int store_mongodb_runs(struct store_link *link, const struct store_query *query,
    struct store_asked *asked, struct schedd_error *err)
{
	struct read_asking asking = {asked, -1, INT64_MAX};
	uint32_t page = READ_PAGE, count = 0;
	int rc = 0;

	if (query->before < INT64_MAX)
		asking.before = (int64_t)query->before;
	if (query->job) {
		rc = store_mongodb_key(link, query->job, &asking.key, err);
		if (rc || asking.key < 0)
			return rc;
	}
	for (;;) {
		rc = read_runs_page(link, query, &asking, page, &count, err);
		if (rc || count < page || (query->job && query->number))
			return rc;
		if (page < READ_PAGE_MOST)
			page *= 4;
	}
}

struct read_changing {
	struct store_asked *asked;
	int64_t before;
};

static bool read_change(const bson_t *row, const char *job, void *context)
{
	struct read_changing *changing = context;
	const char *text = mo_text(row, "change");

	changing->before = mo_number(row, "_id", 0);
	store_asked_change(changing->asked, mo_number(row, "at", 0), job, text ? text : "{}");
	return true;
}

int store_mongodb_changes(struct store_link *link, const char *job, schedd_time since,
    uint64_t limit, struct store_asked *asked, struct schedd_error *err)
{
	struct read_changing changing = {asked, INT64_MAX};
	uint32_t count = 0, page;
	int64_t key = -1;
	int rc = job ? store_mongodb_key(link, job, &key, err) : 0;

	if (rc || (job && key < 0))
		return rc;
	do {
		bson_t *filter = BCON_NEW("_id", "{", "$lt", BCON_INT64(changing.before), "}", "at", "{",
		    "$gte", BCON_INT64(since), "}");

		if (job)
			bson_append_int64(filter, "job", -1, key);
		page = limit < READ_PAGE_MOST ? (uint32_t)limit : READ_PAGE_MOST;
		if (page == 0)
			return 0;
		rc = read_rows(link, MO_CHANGES, filter,
		    BCON_NEW("sort", "{", "_id", BCON_INT32(-1), "}"), page, read_change, &changing,
		    &count, err);
		limit -= count;
	} while (rc == 0 && count == page && limit);
	return rc;
}

struct read_counting {
	struct store_asked *asked;
	struct read_names names;
};

static bool read_count(const bson_t *row, void *context)
{
	struct read_counting *counting = context;
	const char *job = read_name(&counting->names, mo_number(row, "job", 0));
	struct run run;

	read_run(row, job, &run);
	if (job)
		store_asked_count(counting->asked, &run);
	return true;
}

int store_mongodb_stats(struct store_link *link, const char *job, schedd_time since,
    struct store_asked *asked, struct schedd_error *err)
{
	struct read_counting counting = {.asked = asked};
	bson_t *filter = BCON_NEW("done_at", "{", "$gte", BCON_INT64(since), "}");
	int rc = read_names(
	    link, job ? BCON_NEW("_id", BCON_UTF8(job)) : bson_new(), &counting.names, err);

	if (rc == 0 && job && counting.names.count)
		bson_append_int64(filter, "job", -1, counting.names.names[0].key);
	if (rc == 0 && (!job || counting.names.count))
		rc = store_mongodb_talk_find(link, MO_RUNS, filter,
		    BCON_NEW("projection", "{", "result", BCON_INT32(0), "attempts", BCON_INT32(0), "}"),
		    read_count, &counting, err);
	else
		bson_destroy(filter);
	read_names_clear(&counting.names);
	return rc;
}
