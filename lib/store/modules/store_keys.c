/* SPDX-License-Identifier: MIT */
/* What the writer knows of the keys: versions and counters of jobs, rows that are there. */
#include "store/modules/store_keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"

static const char *keys_job_key(const void *item)
{
	return ((const struct keys_job *)item)->id;
}

static const char *keys_row_key(const void *item)
{
	return ((const struct keys_row *)item)->name;
}

void store_keys_init(struct keys_link *keys, const struct keys_server *server)
{
	memset(keys, 0, sizeof(*keys));
	keys->server = server;
	strmap_init(&keys->jobs, keys_job_key);
	strmap_init(&keys->rows, keys_row_key);
}

void store_keys_forget(struct keys_link *keys)
{
	uint32_t position = 0;
	void *item;

	if (!keys->server)
		return;
	while ((item = strmap_next(&keys->jobs, &position)))
		free(item);
	position = 0;
	while ((item = strmap_next(&keys->rows, &position)))
		free(item);
	strmap_clear(&keys->jobs);
	strmap_clear(&keys->rows);
	strmap_init(&keys->jobs, keys_job_key);
	strmap_init(&keys->rows, keys_row_key);
	keys->known = keys->all = false;
	keys->job_count = 0;
	keys->batch = KEYS_UNKNOWN;
}

/* ---- Rows ---- */

struct keys_row *store_keys_row(struct keys_link *keys, const char *name)
{
	struct keys_row *row = strmap_get(&keys->rows, name);
	size_t size = strlen(name) + 1;

	if (row)
		return row;
	row = malloc(sizeof(*row) + size);
	if (!row)
		return NULL;
	row->version = KEYS_ABSENT;
	row->there = false;
	memcpy(row->name, name, size);
	if (strmap_put(&keys->rows, row) == 0)
		return row;
	free(row);
	return NULL;
}

static bool keys_see_row(
    const char *name, const char *text, size_t length, int64_t version, void *context)
{
	struct keys_row *row = store_keys_row(context, name);

	(void)text, (void)length;
	if (row) {
		row->version = version;
		row->there = true;
	}
	return row != NULL;
}

int store_keys_know(struct store_link *link, struct schedd_error *err)
{
	struct keys_link *keys = keys_of(link);
	struct keys_read mark = {.name = "batch"};
	struct arena arena;
	int rc;

	if (keys->known)
		return 0;
	arena_init(&arena);
	rc = keys->server->get(link, &mark, &arena, err);
	keys->batch = mark.version;
	arena_clear(&arena);
	if (rc == 0)
		rc = keys->server->list(link, "run/", keys_see_row, keys, err);
	if (rc == 0)
		rc = keys->server->list(link, "meta/", keys_see_row, keys, err);
	keys->known = rc == 0;
	return rc;
}

size_t store_keys_run(const char *name, uint32_t *number)
{
	const char *id = name + strlen("run/"), *slash;
	char *end;

	if (strncmp(name, "run/", strlen("run/")) != 0)
		return 0;
	slash = strrchr(id, '/');
	if (!slash || slash == id)
		return 0;
	*number = (uint32_t)strtoul(slash + 1, &end, 10);
	return *end || end == slash + 1 ? 0 : (size_t)(slash - id);
}

uint32_t store_keys_highest(const struct keys_link *keys, const char *id)
{
	const struct keys_row *row;
	size_t length = strlen(id);
	uint32_t position = 0, highest = 0, number;

	while ((row = strmap_next(&keys->rows, &position)))
		if (row->there && store_keys_run(row->name, &number) == length &&
		    memcmp(row->name + strlen("run/"), id, length) == 0 && number > highest)
			highest = number;
	return highest;
}

/* ---- Jobs ---- */

void store_keys_write_state(
    struct strbuf *out, const struct store_counters *counters, uint32_t revision)
{
	const struct {
		const char *name;
		schedd_time when;
	} times[] = {{"next_fire", counters->next_fire}, {"next_run_time", counters->next_run_time}};

	strbuf_printf(out, "{\"revision\":%" PRIu32 ",\"last_run\":%" PRIu32 ",\"run_count\":%" PRIu64,
	    revision, counters->last_run, counters->run_count);
	for (size_t i = 0; i < 2; i++)
		if (times[i].when != SCHEDD_TIME_NONE)
			strbuf_printf(out, ",\"%s\":%" PRId64, times[i].name, times[i].when);
	strbuf_add(out, "}");
}

bool store_keys_read_state(
    const char *text, size_t length, struct store_counters *counters, uint32_t *revision)
{
	struct value map;
	struct arena arena;
	bool good;

	arena_init(&arena);
	good = json_parse(text, length, &arena, &map, NULL) == 0 && map.type == VALUE_MAP;
	if (good) {
		counters->next_fire = value_get_int(&map, "next_fire", SCHEDD_TIME_NONE);
		counters->next_run_time = value_get_int(&map, "next_run_time", SCHEDD_TIME_NONE);
		counters->run_count = (uint64_t)value_get_int(&map, "run_count", 0);
		counters->last_run = (uint32_t)value_get_int(&map, "last_run", 0);
		*revision = (uint32_t)value_get_int(&map, "revision", 1);
	}
	arena_clear(&arena);
	return good;
}

static struct keys_job *keys_new_job(struct keys_link *keys, const char *id)
{
	size_t size = strlen(id) + 1;
	struct keys_job *job = calloc(1, sizeof(*job) + size);

	if (!job)
		return NULL;
	memcpy(job->id, id, size);
	job->definition = job->state = job->gone = KEYS_ABSENT;
	job->counters.next_fire = job->counters.next_run_time = SCHEDD_TIME_NONE;
	if (strmap_put(&keys->jobs, job) == 0)
		return job;
	free(job);
	return NULL;
}

/* Of its definition, state and memory, in that order. */
struct keys_job *store_keys_take(
    struct keys_link *keys, const char *id, const struct keys_read *reads)
{
	struct keys_job *job = strmap_get(&keys->jobs, id);
	const struct keys_read *state = reads->next, *gone = state->next;

	if (!job)
		job = keys_new_job(keys, id);
	if (!job)
		return NULL;
	job->definition = reads->version;
	job->there = reads->version != KEYS_ABSENT;
	job->state = state->version;
	job->gone = gone->version;
	if (state->text)
		(void)store_keys_read_state(
		    state->text, state->length, &job->counters, &job->revision);
	if (gone->text)
		job->remembered = (uint32_t)strtoul(gone->text, NULL, 10);
	return job;
}

int store_keys_jobs(struct store_link *link, const char *const *ids, uint32_t count,
    struct schedd_error *err)
{
	static const char *const folders[] = {"job/", "state/", "gone/"};
	struct keys_link *keys = keys_of(link);
	struct keys_read *reads;
	struct arena arena;
	int rc = 0;

	if (count == 0)
		return 0;
	arena_init(&arena);
	reads = arena_alloc(&arena, 3 * (size_t)count * sizeof(*reads));
	for (uint32_t i = 0; reads && i < 3 * count; i++) {
		reads[i].name = arena_printf(&arena, "%s%s", folders[i % 3], ids[i / 3]);
		reads[i].next = i + 1 < 3 * count ? &reads[i + 1] : NULL;
	}
	if (arena_failed(&arena))
		rc = schedd_error_nomem(err);
	if (rc == 0)
		rc = keys->server->get(link, reads, &arena, err);
	for (uint32_t i = 0; rc == 0 && i < count; i++)
		if (!store_keys_take(keys, ids[i], &reads[3 * (size_t)i]))
			rc = schedd_error_nomem(err);
	arena_clear(&arena);
	return rc;
}

struct keys_job *store_keys_job(
    struct store_link *link, const char *id, struct schedd_error *err)
{
	struct keys_link *keys = keys_of(link);
	struct keys_job *job = strmap_get(&keys->jobs, id);

	if (job)
		return job;
	if (keys->all) {
		job = keys_new_job(keys, id);
		if (!job)
			schedd_error_nomem(err);
		return job;
	}
	return store_keys_jobs(link, &id, 1, err) ? NULL : strmap_get(&keys->jobs, id);
}
