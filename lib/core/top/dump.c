/* SPDX-License-Identifier: MIT */
/* Writing it: runs page by page as the store answers, jobs some at a time as they are in memory. */
#include "core/top/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/json_exact.h"
#include "core/frame/janitor.h"
#include "core/frame/store_slot.h"
#include "core/jobs/entry.h"
#include "model/run_record.h"
#include "store/store_record.h"

/* Runs in a page, jobs in a piece. */
#define DUMP_PIECE 500

struct dump {
	struct janitor_task task; /* first; puts the file on the disk */
	struct dump *next;        /* scheduler->top.dumps */
	struct schedd_scheduler *scheduler;
	struct store_slot *slot;
	struct scheduler_reply reply;
	char *path;
	FILE *file;
	struct timer timer;
	bool asking;  /* the store for a page */
	bool syncing; /* the janitor has it */
	bool over;    /* nobody waits any more */
	char cursor[STORE_CURSOR_MAX];
	char last[JOB_ID_MAX + 1]; /* job that was written last */
	uint64_t jobs, runs, left; /* written; and jobs that cannot be read, left out */
	int sync_errno;
};

static void dump_free(struct dump *dump)
{
	struct dump **link = &dump->scheduler->top.dumps;

	while (*link != dump)
		link = &(*link)->next;
	*link = dump->next;
	timers_unset(&dump->scheduler->timers, &dump->timer);
	if (dump->file)
		fclose(dump->file);
	free(dump->path);
	free(dump);
}

/* rc 0: it is all there; otherwise nothing of it is left. */
static void dump_end(struct dump *dump, int rc, const struct schedd_error *err)
{
	struct scheduler_reply reply = dump->reply;
	struct value result = value_map();
	struct arena arena;

	arena_init(&arena);
	if (rc)
		unlink(dump->path);
	value_put(&arena, &result, "path", value_string(&arena, dump->path));
	value_put(&arena, &result, "store", value_string(&arena, dump->slot->name));
	value_put(&arena, &result, "jobs", value_int((int64_t)dump->jobs));
	value_put(&arena, &result, "runs", value_int((int64_t)dump->runs));
	value_put(&arena, &result, "left_out", value_int((int64_t)dump->left));
	dump_free(dump);
	scheduler_answer_done(reply, rc, err, &result, &arena);
	arena_clear(&arena);
}

static void dump_fail(struct dump *dump, int number)
{
	struct schedd_error err;

	dump_end(dump,
	    schedd_error_set(&err, SCHEDD_EFAILED, "%s: %s", dump->path, strerror(number)), &err);
}

/* {"key": value} as a line. False: it could not be written, and the dump is over. */
static bool dump_line(struct dump *dump, const char *key, struct value value, struct arena *arena)
{
	struct value map = value_map();
	struct strbuf line = STRBUF_EMPTY;
	int number = 0;

	value_put(arena, &map, key, value);
	json_exact_write(&line, &map);
	strbuf_add_char(&line, '\n');
	if (arena_failed(arena) || strbuf_failed(&line))
		number = ENOMEM;
	else if (fwrite(strbuf_peek(&line), 1, line.length, dump->file) != line.length)
		number = errno;
	strbuf_clear(&line);
	arena_clear(arena);
	if (number)
		dump_fail(dump, number);
	return number == 0;
}

/* ---- Its end ---- */

static void dump_sync(struct janitor_task *task)
{
	struct dump *dump = (struct dump *)task;

	dump->sync_errno = fsync(fileno(dump->file)) < 0 ? errno : 0;
}

static void dump_synced(struct janitor_task *task)
{
	struct dump *dump = (struct dump *)task;

	dump->syncing = false;
	if (dump->over)
		dump_free(dump);
	else if (dump->sync_errno)
		dump_fail(dump, dump->sync_errno);
	else
		dump_end(dump, 0, NULL);
}

static void dump_finish(struct dump *dump)
{
	struct value map = value_map();
	struct arena arena;

	arena_init(&arena);
	value_put(&arena, &map, "jobs", value_int((int64_t)dump->jobs));
	value_put(&arena, &map, "runs", value_int((int64_t)dump->runs));
	if (!dump_line(dump, "end", map, &arena))
		return;
	if (fflush(dump->file) != 0) {
		dump_fail(dump, errno);
		return;
	}
	dump->syncing = true;
	dump->task.work = dump_sync;
	dump->task.done = dump_synced;
	janitor_do(dump->scheduler->janitor, &dump->task);
}

/* ---- Jobs ---- */

static void dump_time(struct arena *arena, struct value *map, const char *key, schedd_time time)
{
	value_put(arena, map, key, time == SCHEDD_TIME_NONE ? value_nil() : value_int(time));
}

static bool dump_job(struct dump *dump, const struct entry *entry)
{
	const char *pause = entry_aside(entry)->pause_text;
	struct value map = value_map(), definition;
	struct strbuf text = STRBUF_EMPTY;
	struct schedd_error err;
	struct arena arena;
	bool written = false;

	arena_init(&arena);
	if (store_record_host.encode(entry->job, &entry->state, &text, &err) ||
	    json_exact_parse(strbuf_peek(&text), text.length, &arena, &definition, &err)) {
		dump_end(dump, err.code, &err);
	} else {
		value_put(&arena, &map, "id", value_string_ref(entry->job->id));
		value_put(&arena, &map, "definition", definition);
		dump_time(&arena, &map, "next_fire", entry->state.next_fire);
		dump_time(&arena, &map, "next_run_time", entry->state.next_run_time);
		value_put(&arena, &map, "run_count", value_int((int64_t)entry->state.run_count));
		value_put(&arena, &map, "last_run", value_int(entry->state.last_run));
		if (pause)
			value_put(&arena, &map, "paused_by", value_string_ref(pause));
		written = dump_line(dump, "job", map, &arena);
	}
	strbuf_clear(&text);
	arena_clear(&arena);
	return written;
}

static void dump_later(struct dump *dump)
{
	struct schedd_scheduler *scheduler = dump->scheduler;

	if (timers_set(&scheduler->timers, &dump->timer, scheduler_mono(scheduler)))
		dump_fail(dump, ENOMEM);
}

static void dump_jobs(struct dump *dump)
{
	struct schedd_scheduler *scheduler = dump->scheduler;
	struct entry *entry = entry_first(scheduler, dump->last[0] ? dump->last : NULL);

	for (int count = 0; entry && count < DUMP_PIECE; entry = entry_next(scheduler, entry), count++) {
		snprintf(dump->last, sizeof(dump->last), "%s", entry->job->id);
		if (entry->store != dump->slot)
			continue;
		if (entry->state.invalid) {
			log_warn(scheduler->log, "job %s cannot be read and is not in %s",
			    entry->job->id, dump->path);
			dump->left++;
			continue;
		}
		if (!dump_job(dump, entry))
			return;
		dump->jobs++;
	}
	if (entry)
		dump_later(dump);
	else
		dump_finish(dump);
}

/* ---- Runs ---- */

/* A history that several stores share has others' runs, too. */
static bool dump_wants(const struct dump *dump, const struct run *run)
{
	const struct entry *entry;

	if (!store_history(dump->slot->store))
		return true;
	entry = entry_get(dump->scheduler, run->job);
	return entry && entry->store == dump->slot;
}

static void dump_page(int rc, const struct schedd_error *err, const struct run *runs, size_t count,
    const char *cursor, void *context)
{
	struct dump *dump = context;
	struct schedd_scheduler *scheduler = dump->scheduler;
	struct arena arena;

	dump->asking = false;
	if (dump->over || scheduler->phase == SCHEDULER_STOPPED)
		return;
	scheduler_enter(scheduler);
	arena_init(&arena);
	for (size_t i = 0; !rc && i < count; i++) {
		if (!dump_wants(dump, &runs[i]))
			continue;
		if (!dump_line(dump, "run", run_record_write(&runs[i], &arena), &arena)) {
			scheduler_leave(scheduler);
			return;
		}
		dump->runs++;
	}
	if (rc) {
		dump_end(dump, rc, err);
	} else {
		snprintf(dump->cursor, sizeof(dump->cursor), "%s", cursor ? cursor : "-");
		dump_later(dump);
	}
	scheduler_leave(scheduler);
}

static void dump_ask(struct dump *dump)
{
	const struct store_run_query query = {.since = SCHEDD_TIME_NONE,
	    .until = SCHEDD_TIME_NONE,
	    .limit = DUMP_PIECE,
	    .after = dump->cursor[0] ? dump->cursor : NULL};

	dump->asking = true;
	store_query_runs(dump->slot->store, &query, dump_page, dump);
}

static void dump_step(struct timer *timer)
{
	struct dump *dump = (struct dump *)(void *)((char *)timer - offsetof(struct dump, timer));
	struct schedd_error err;

	if (!dump->slot->store)
		dump_end(dump,
		    schedd_error_set(&err, SCHEDD_ENOTFOUND, "store %s was removed", dump->slot->name),
		    &err);
	else if (strcmp(dump->cursor, "-") != 0)
		dump_ask(dump);
	else
		dump_jobs(dump);
}

/* ---- The request ---- */

static int dump_open(struct dump *dump, const char *path, struct schedd_error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && errno == EEXIST)
		return schedd_error_set(err, SCHEDD_ECONFLICT, "%s exists already", path);
	dump->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!dump->file)
		return schedd_error_set(err, SCHEDD_EFAILED, "%s: %s", path, strerror(errno));
	return 0;
}

static int dump_begin(struct dump *dump, struct schedd_error *err)
{
	struct value map = value_map();
	struct arena arena;

	arena_init(&arena);
	value_put(&arena, &map, "version", value_int(DUMP_VERSION));
	value_put(&arena, &map, "store", value_string_ref(dump->slot->name));
	value_put(&arena, &map, "type", value_string_ref(store_type(dump->slot->store)));
	value_put(&arena, &map, "created", value_int(scheduler_now(dump->scheduler)));
	store_slot_flush(dump->slot);
	if (!dump_line(dump, DUMP_HEAD, map, &arena))
		return 1;
	return timers_set(&dump->scheduler->timers, &dump->timer, scheduler_mono(dump->scheduler))
		   ? schedd_error_nomem(err)
		   : 0;
}

void scheduler_dump(struct schedd_scheduler *scheduler, const char *store, const char *path,
    struct scheduler_reply reply)
{
	struct store_slot *slot = store_slot_find(scheduler, store);
	struct dump *dump = calloc(1, sizeof(*dump));
	struct schedd_error err;
	int rc = 0;

	if (dump)
		dump->path = strdup(path);
	if (!dump || !dump->path)
		rc = schedd_error_nomem(&err);
	else if (!slot)
		rc = schedd_error_set(&err, SCHEDD_ENOTFOUND, "store %s: no such store", store);
	else if (store_state(slot->store) != STORE_OK || !slot->taken_up)
		rc = schedd_error_set(&err, SCHEDD_EFAILED, "store %s is %s: %s", store,
		    store_state_word(store_state(slot->store)), store_state_why(slot->store));
	else
		rc = dump_open(dump, path, &err);
	if (rc) {
		if (dump)
			free(dump->path);
		free(dump);
		scheduler_answer(reply, rc, &err, NULL);
		return;
	}
	scheduler_enter(scheduler);
	dump->scheduler = scheduler;
	dump->slot = slot;
	dump->reply = reply;
	timer_init(&dump->timer, dump_step);
	dump->next = scheduler->top.dumps;
	scheduler->top.dumps = dump;
	rc = dump_begin(dump, &err);
	if (rc < 0)
		dump_end(dump, rc, &err);
	scheduler_leave(scheduler);
}

void dump_stop(struct schedd_scheduler *scheduler)
{
	struct dump *dump, *next;
	struct schedd_error err;

	for (dump = scheduler->top.dumps; dump; dump = next) {
		struct scheduler_reply reply = dump->reply;

		next = dump->next;
		schedd_error_set(&err, SCHEDD_EFAILED, "the scheduler stops");
		if (!dump->syncing) {
			dump_end(dump, SCHEDD_EFAILED, &err);
			continue;
		}
		/* The janitor gives it back, and then it goes. */
		dump->over = true;
		unlink(dump->path);
		scheduler_answer(reply, SCHEDD_EFAILED, &err, NULL);
	}
}
