/* SPDX-License-Identifier: MIT */
/*
 * Loading, and what others changed: a driver's rows travel to the loop in
 * pieces, as text, and become jobs there. Few pieces are on their way at a
 * time, so that a large store does not come to stand in memory twice.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "store/store_record.h"
#include "store/store_remote_parts.h"
#include "store/store_snapshot.h"

#define LOAD_PIECE_ROWS 512
#define LOAD_PIECE_BYTES (256 * 1024)
#define LOAD_PIECES 8 /* on their way at a time */
/* From so many rows on: what pages of answers took the allocator would keep for ever. */
#define LOAD_LARGE 1000

/* A job as it came. */
struct load_row {
	struct load_row *next;
	const char *id;
	const char *json;
	size_t length;
	struct store_counters counters;
};

struct load_piece {
	struct mailbox_letter letter; /* first */
	struct store_loading *loading;
	struct load_row *first, **last;
	uint32_t rows;
	size_t bytes;
	struct arena arena;
};

struct store_loading {
	struct remote_task task; /* first */
	struct remote_end *end;
	struct load_piece *piece; /* being filled; NULL: none */
	struct store_snapshot *snapshot;
	struct store_link *link;
	store_load_fn call;
	store_loaded_fn loaded;
	void *context;
	uint64_t rows;        /* of jobs */
	_Atomic int given_up; /* why the loop wants no more; 0: it does */
};

/* A row becomes a job. */
static int load_decode(struct remote_store *remote, const char *id, const char *json,
    size_t length, const struct store_counters *counters, struct job_record *record)
{
	const struct store *store = &remote->base;
	struct schedd_error err;
	char text[256];

	if (store->host->decode(store->trigger, id, json, length, record, &err))
		return SCHEDD_ENOMEM;
	if (!record->state.invalid &&
	    store_remote_judge(remote, record->job, text, sizeof(text))) {
		if (store_record_invalid(record, id, text))
			return SCHEDD_ENOMEM;
		record->raw = strndup(json, length);
	}
	record->state.next_fire = counters->next_fire;
	record->state.next_run_time = counters->next_run_time;
	record->state.run_count = counters->run_count;
	record->state.last_run = counters->last_run;
	return 0;
}

static void load_piece_open(struct mailbox_letter *letter)
{
	struct load_piece *piece = (struct load_piece *)letter;
	struct store_loading *loading = piece->loading;
	struct remote_end *end = loading->end;

	for (struct load_row *row = piece->first; row && !loading->given_up; row = row->next) {
		struct job_record record;
		int rc = load_decode(
		    end->remote, row->id, row->json, row->length, &row->counters, &record);

		if (rc == 0)
			rc = loading->call(&record, loading->context);
		if (rc < 0)
			loading->given_up = rc;
	}
	arena_clear(&piece->arena);
	free(piece);
	pthread_mutex_lock(&end->lock);
	end->pieces--;
	pthread_cond_broadcast(&end->settled);
	pthread_mutex_unlock(&end->lock);
}

/* Waits for room, then sends it. The time the loop takes is not the server's. */
static void load_send(struct store_loading *loading)
{
	struct remote_end *end = loading->end;
	struct load_piece *piece = loading->piece;

	if (!piece)
		return;
	loading->piece = NULL;
	pthread_mutex_lock(&end->lock);
	while (end->pieces >= LOAD_PIECES && !end->stopping)
		pthread_cond_wait(&end->settled, &end->lock);
	if (end->stopping)
		loading->given_up = SCHEDD_EFAILED;
	end->pieces++;
	pthread_mutex_unlock(&end->lock);
	mailbox_post(end->remote->base.mailbox, &piece->letter);
}

static struct load_piece *load_room(struct store_loading *loading)
{
	struct load_piece *piece = loading->piece;

	if (piece && (piece->rows >= LOAD_PIECE_ROWS || piece->bytes >= LOAD_PIECE_BYTES)) {
		load_send(loading);
		piece = NULL;
	}
	if (piece)
		return piece;
	piece = calloc(1, sizeof(*piece));
	if (!piece)
		return NULL;
	piece->letter.open = load_piece_open;
	piece->loading = loading;
	piece->last = &piece->first;
	arena_init(&piece->arena);
	return loading->piece = piece;
}

int store_loading_job(struct store_loading *loading, const char *id, const char *json,
    size_t length, const struct store_counters *counters)
{
	struct load_piece *piece = load_room(loading);
	struct load_row *row = piece ? arena_alloc(&piece->arena, sizeof(*row)) : NULL;

	if (!row)
		return SCHEDD_ENOMEM;
	row->id = arena_strdup(&piece->arena, id);
	row->json = arena_strndup(&piece->arena, json, length);
	row->length = length;
	row->counters = *counters;
	if (arena_failed(&piece->arena))
		return SCHEDD_ENOMEM;
	*piece->last = row;
	piece->last = &row->next;
	piece->rows++;
	loading->rows++;
	piece->bytes += length;
	/* As long as rows come the server is there: looked at now and then. */
	if (piece->rows % 32 == 1 || length > LOAD_PIECE_BYTES)
		loading->link->deadline =
		    store_remote_mono() + loading->end->remote->config.timeout;
	return loading->given_up;
}

void store_loading_number(struct store_loading *loading, const char *key, int64_t number)
{
	store_snapshot_add_number(loading->snapshot, key, number);
}

void store_loading_text(struct store_loading *loading, const char *key, const char *text)
{
	store_snapshot_add_text(loading->snapshot, key, text);
}

void store_loading_run(struct store_loading *loading, const struct run *run)
{
	const struct store_driver *driver = loading->end->remote->driver;

	if (driver->jobs_alone && store_query_done_at(run) != SCHEDD_TIME_NONE)
		store_snapshot_add_over(loading->snapshot, run);
	else
		store_snapshot_add_run(loading->snapshot, run);
}

void store_loading_slots(struct store_loading *loading, const uint32_t owners[NODE_SLOTS],
    const struct store_places *places)
{
	store_remote_tell_slots(loading->end->remote, owners, places);
}

static int load_step(struct remote_task *task, struct store_link *link, struct schedd_error *err)
{
	struct store_loading *loading = (struct store_loading *)task;
	int rc;

	loading->link = link;
	loading->end = &task->remote->writer;
	loading->snapshot = store_snapshot_new();
	rc = loading->snapshot ? task->remote->driver->load(link, loading, err)
			       : schedd_error_nomem(err);
	load_send(loading);
	if (rc == 0)
		rc = store_snapshot_finish(loading->snapshot, err);
	return rc;
}

static void load_tell(struct remote_task *task)
{
	struct store_loading *loading = (struct store_loading *)task;

	if (task->rc == 0 && loading->given_up)
		task->rc = schedd_error_set(&task->err, loading->given_up,
		    "store '%s': loading was given up", task->remote->base.name);
	if (task->rc) {
		store_snapshot_free(loading->snapshot);
		loading->snapshot = NULL;
	}
	if (loading->rows >= LOAD_LARGE)
		malloc_trim(0);
	loading->loaded(
	    task->rc, task->rc ? &task->err : NULL, loading->snapshot, loading->context);
}

void store_remote_load(
    struct store *store, store_load_fn call, store_loaded_fn loaded, void *context)
{
	struct store_loading *loading =
	    store_remote_task(store, sizeof(*loading), load_step, load_tell);
	struct schedd_error err;

	if (!loading) {
		loaded(schedd_error_nomem(&err), &err, NULL, context);
		return;
	}
	loading->call = call;
	loading->loaded = loaded;
	loading->context = context;
	store_remote_ask(&loading->task.remote->writer, &loading->task);
}

/* ---- What others changed ---- */

struct load_change {
	struct mailbox_letter letter; /* first */
	struct remote_store *remote;
	struct arena arena;
	const char *id;
	const char *json; /* NULL: the job is gone */
	size_t length;
	struct store_counters counters;
};

static void load_change_open(struct mailbox_letter *letter)
{
	struct load_change *change = (struct load_change *)letter;
	const struct store *store = &change->remote->base;
	struct store_change told = {
	    .kind = change->json ? STORE_CHANGE_JOB : STORE_CHANGE_GONE, .id = change->id};
	struct job_record record;
	int rc = 0;

	if (change->json && store->watch)
		rc = load_decode(change->remote, change->id, change->json, change->length,
		    &change->counters, &record);
	told.record = change->json ? &record : NULL;
	if (rc == 0 && store->watch)
		store->watch(&told, store->watch_context);
	arena_clear(&change->arena);
	free(change);
}

void store_watching_job(struct store_watching *watching, const char *id, const char *json,
    size_t length, const struct store_counters *counters)
{
	struct load_change *change = calloc(1, sizeof(*change));

	if (!change)
		return;
	change->letter.open = load_change_open;
	change->remote = watching->remote;
	arena_init(&change->arena);
	change->id = arena_strdup(&change->arena, id);
	change->json = json ? arena_strndup(&change->arena, json, length) : NULL;
	change->length = length;
	if (counters)
		change->counters = *counters;
	if (arena_failed(&change->arena)) {
		arena_clear(&change->arena);
		free(change);
		return;
	}
	mailbox_post(watching->remote->base.mailbox, &change->letter);
}

struct load_rereading {
	struct remote_task task; /* first */
	const char *id;
};

static int reread_step(struct remote_task *task, struct store_link *link, struct schedd_error *err)
{
	const struct load_rereading *rereading = (struct load_rereading *)task;
	struct store_watching watching = {.remote = task->remote};

	return task->remote->driver->reread(link, rereading->id, &watching, err);
}

/* The job stays out of use until it is known: asked until it is told. */
static void reread_tell(struct remote_task *task)
{
	const struct load_rereading *rereading = (struct load_rereading *)task;

	if (task->rc && task->remote->base.watch)
		store_remote_reread(&task->remote->base, rereading->id);
}

void store_remote_reread(struct store *store, const char *id)
{
	struct load_rereading *rereading =
	    store_remote_task(store, sizeof(*rereading), reread_step, reread_tell);

	if (!rereading)
		return;
	rereading->id = arena_strdup(&rereading->task.base.arena, id);
	if (!rereading->id)
		rereading->id = "";
	rereading->task.deadline = INT64_MAX;
	store_remote_ask(&rereading->task.remote->writer, &rereading->task);
}
