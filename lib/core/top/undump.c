/* SPDX-License-Identifier: MIT */
/*
 * Reading what dump.c wrote into a store. The whole file is looked at before
 * anything is changed; then its jobs are put there, all of them or none, and
 * last its runs, which can be done again without harm.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/json_exact.h"
#include "core/changes/job_restore.h"
#include "core/frame/store_slot.h"
#include "core/jobs/entry.h"
#include "core/top/dump.h"
#include "core/top/restart.h"
#include "model/run_record.h"
#include "store/store_record.h"

/* How long the loop is held at a time; runs of one commit. */
#define UNDUMP_SLICE (SCHEDD_SECOND / 200)
#define UNDUMP_RUNS 500
/* Bytes of a line: a definition of 4 MiB, and what a run says. */
#define UNDUMP_LINE ((size_t)64 << 20)

struct undump {
	struct undump *next; /* scheduler->top.undumps */
	struct schedd_scheduler *scheduler;
	struct store_slot *slot;
	struct scheduler_reply reply;
	struct job_restore *jobs; /* those of the file */
	char *path;
	FILE *file;
	char *line; /* the latest */
	size_t room;
	uint64_t number, offset; /* of the latest line */
	uint64_t *places; /* where the lines of runs begin: newest first, and put the other way round */
	uint64_t runs, places_room;
	uint64_t put; /* of these, durable or on their way */
	bool head, end, writing, busy;
	bool noted; /* the store knows that it is being restored */
	bool stopping;
	struct timer timer;
};

static void undump_free(struct undump *undump)
{
	struct undump **link = &undump->scheduler->top.undumps;

	while (*link != undump)
		link = &(*link)->next;
	*link = undump->next;
	timers_unset(&undump->scheduler->timers, &undump->timer);
	job_restore_free(undump->jobs);
	if (undump->file)
		fclose(undump->file);
	free(undump->line);
	free(undump->places);
	free(undump->path);
	free(undump);
}

static void undump_end(struct undump *undump, int rc, const struct schedd_error *err)
{
	struct scheduler_reply reply = undump->reply;
	struct value result = value_map();
	struct schedd_error why;
	struct arena arena;

	/* It may be that of the jobs, which go. */
	if (rc)
		why = *err;
	arena_init(&arena);
	value_put(&arena, &result, "path", value_string(&arena, undump->path));
	value_put(&arena, &result, "store", value_string(&arena, undump->slot->name));
	value_put(&arena, &result, "jobs", value_int(job_restore_count(undump->jobs)));
	value_put(&arena, &result, "runs", value_int((int64_t)undump->runs));
	/* When the scheduler stops it stays, to be told. */
	if (undump->noted && undump->slot->store && undump->scheduler->phase != SCHEDULER_STOPPED &&
	    !undump->stopping)
		store_slot_put_text(undump->slot, DUMP_RESTORING, NULL);
	undump_free(undump);
	scheduler_answer_done(reply, rc, &why, &result, &arena);
	arena_clear(&arena);
}

/* ---- Lines ---- */

/* Puts the file, the line and its place before what is wrong. */
static int undump_wrong(const struct undump *undump, struct schedd_error *err)
{
	struct schedd_error why = *err;

	if (why.code == SCHEDD_ENOMEM)
		return SCHEDD_ENOMEM;
	return schedd_error_set(err, why.code == SCHEDD_EINVAL ? SCHEDD_EFILE : why.code,
	    "%s:%llu (byte %llu): %s", undump->path, (unsigned long long)undump->number,
	    (unsigned long long)undump->offset, why.message);
}

static bool undump_room(struct undump *undump)
{
	size_t room = undump->room ? undump->room * 2 : 4096;
	char *line = realloc(undump->line, room);

	if (!line)
		return false;
	undump->line = line;
	undump->room = room;
	return true;
}

/*
 * The next line with its newline, or what there is of it; of one that is too long no more than shows that: it
 * may be a whole disk. 1: there is none; negative: it cannot be read.
 */
static int undump_line(struct undump *undump, size_t *length, struct schedd_error *err)
{
	int byte = 0;

	for (*length = 0; byte != '\n' && *length <= UNDUMP_LINE; undump->line[(*length)++] = (char)byte) {
		byte = getc_unlocked(undump->file);
		if (byte == EOF)
			break;
		if (*length == undump->room && !undump_room(undump))
			return schedd_error_nomem(err);
	}
	if (byte == EOF && ferror(undump->file))
		return schedd_error_set(err, SCHEDD_EFAILED, "%s: %s", undump->path, strerror(errno));
	return *length ? 0 : 1;
}

/* The next line as the one member it has. 1: there is none; negative: it is wrong. */
static int undump_read(struct undump *undump, struct arena *arena, struct value_member *out,
    struct schedd_error *err)
{
	struct value map;
	long long at = ftello(undump->file);
	size_t length;
	int rc = undump_line(undump, &length, err);

	if (rc)
		return rc;
	undump->number++;
	undump->offset = (uint64_t)at;
	if (length > UNDUMP_LINE)
		schedd_error_set(err, SCHEDD_EFILE, "the line is too long");
	else if (undump->line[length - 1] != '\n')
		schedd_error_set(err, SCHEDD_EFILE, "the line is cut off");
	else if (json_exact_parse(undump->line, length - 1, arena, &map, err))
		err->code = SCHEDD_EFILE;
	else if (map.type != VALUE_MAP || map.map.count != 1)
		schedd_error_set(err, SCHEDD_EFILE, "a line is a map of one member");
	else {
		*out = map.map.members[0];
		return 0;
	}
	return undump_wrong(undump, err);
}

static int undump_head(struct undump *undump, const struct value *value, struct schedd_error *err)
{
	int64_t version = value_get_int(value, "version", -1);

	if (undump->head)
		return schedd_error_set(err, SCHEDD_EFILE, "it begins twice");
	undump->head = true;
	if (version > DUMP_VERSION)
		return schedd_error_set(
		    err, SCHEDD_EFILE, "a newer schedd wrote it (version %lld)", (long long)version);
	return version == DUMP_VERSION ? 0
				       : schedd_error_set(err, SCHEDD_EFILE, "it has no version");
}

static int undump_remember(struct undump *undump, struct schedd_error *err)
{
	if (undump->runs == undump->places_room) {
		uint64_t room = undump->places_room ? undump->places_room * 2 : 256;
		uint64_t *places = realloc(undump->places, room * sizeof(places[0]));

		if (!places)
			return schedd_error_nomem(err);
		undump->places = places;
		undump->places_room = room;
	}
	undump->places[undump->runs++] = undump->offset;
	return 0;
}

static int undump_run(const struct value *value, struct run *run,
    struct schedd_error *err)
{
	int rc;

	run_init(run);
	rc = run_record_read(run, value, err);
	if (!rc && !run_ended(run->state)) {
		run->state = RUN_LOST;
		run->pid = 0;
		free(run->reason);
		run->reason = strdup("it had not ended when the backup was made");
	}
	if (rc)
		run_clear(run);
	return rc;
}

static int undump_tail(struct undump *undump, const struct value *value, struct schedd_error *err)
{
	if (value_get_int(value, "runs", -1) != (int64_t)undump->runs ||
	    value_get_int(value, "jobs", -1) != job_restore_count(undump->jobs))
		return schedd_error_set(err, SCHEDD_EFILE,
		    "it says %lld jobs and %lld runs, and has %lld and %llu",
		    (long long)value_get_int(value, "jobs", -1),
		    (long long)value_get_int(value, "runs", -1),
		    (long long)job_restore_count(undump->jobs), (unsigned long long)undump->runs);
	undump->end = true;
	return 0;
}

static int undump_check(
    struct undump *undump, const struct value_member *member, struct schedd_error *err)
{
	struct run run;
	int rc;

	if (undump->end)
		rc = schedd_error_set(err, SCHEDD_EFILE, "there is more behind its end");
	else if (strcmp(member->key, DUMP_HEAD) == 0)
		rc = undump_head(undump, &member->value, err);
	else if (!undump->head)
		rc = schedd_error_set(err, SCHEDD_EFILE,
		    "it is no backup of schedd's: its first line does not say so");
	else if (strcmp(member->key, "run") == 0) {
		rc = undump_run(&member->value, &run, err);
		if (!rc) {
			run_clear(&run);
			rc = undump_remember(undump, err);
		}
	} else if (strcmp(member->key, "job") == 0)
		rc = job_restore_add(undump->jobs, &member->value, err);
	else if (strcmp(member->key, "end") == 0)
		rc = undump_tail(undump, &member->value, err);
	else
		rc = schedd_error_set(err, SCHEDD_EFILE, "'%.64s' is not known", member->key);
	return rc ? undump_wrong(undump, err) : 0;
}

/* ---- Taking turns ---- */

static void undump_later(struct undump *undump)
{
	struct schedd_scheduler *scheduler = undump->scheduler;
	struct schedd_error err;

	if (timers_set(&scheduler->timers, &undump->timer, scheduler_mono(scheduler)))
		undump_end(undump, schedd_error_nomem(&err), &err);
}

/* The jobs are there: the runs follow. */
static void undump_restored(int rc, const struct schedd_error *err, void *context)
{
	struct undump *undump = context;

	undump->busy = false;
	if (rc) {
		undump_end(undump, rc, err);
		return;
	}
	undump->writing = true;
	undump_later(undump);
}

/* All lines were read. 0: what they say is to be written now. */
static int undump_checked(struct undump *undump, struct schedd_error *err)
{
	if (!undump->end)
		return schedd_error_set(err, SCHEDD_EFILE,
		    "%s:%llu (byte %lld): it has no end, it was cut off", undump->path,
		    (unsigned long long)undump->number + 1, (long long)ftello(undump->file));
	undump->busy = true;
	/* Of a store that is shared another node would take it for the past. */
	if (!undump->slot->shared) {
		store_slot_put_text(undump->slot, DUMP_RESTORING, undump->path);
		store_slot_flush(undump->slot);
		undump->noted = true;
	}
	job_restore_start(undump->jobs, undump_restored, undump);
	return 0;
}

static void undump_checks(struct undump *undump)
{
	int64_t begun = scheduler_mono(undump->scheduler).us;
	struct value_member member;
	struct schedd_error err;
	struct arena arena;
	int rc = 0;

	arena_init(&arena);
	do {
		rc = undump_read(undump, &arena, &member, &err);
		if (!rc)
			rc = undump_check(undump, &member, &err);
		arena_clear(&arena);
	} while (!rc && scheduler_mono(undump->scheduler).us - begun < UNDUMP_SLICE);
	if (rc == 1)
		rc = undump_checked(undump, &err);
	if (rc)
		undump_end(undump, rc, &err);
	else if (!undump->busy)
		undump_later(undump);
}

/* What cannot be written now can be read again. */
static void undump_stuck(struct undump *undump, const struct schedd_error *why)
{
	struct schedd_error err;

	schedd_error_set(&err, why->code,
	    "all jobs are restored, and %llu of %llu runs: %s (do it again, and replace)",
	    (unsigned long long)undump->put, (unsigned long long)undump->runs, why->message);
	undump_end(undump, err.code, &err);
}

static void undump_written(int rc, const struct schedd_error *err, void *context)
{
	struct undump *undump = context;
	struct schedd_scheduler *scheduler = undump->scheduler;

	undump->busy = false;
	if (scheduler->phase == SCHEDULER_STOPPED)
		return;
	scheduler_enter(scheduler);
	if (rc)
		undump_stuck(undump, err);
	else
		undump_later(undump);
	scheduler_leave(scheduler);
}

/* The next runs as one commit. */
static void undump_writes(struct undump *undump)
{
	struct store_batch *batch = store_batch_new(undump->slot->store);
	struct value_member member;
	struct schedd_error err;
	struct arena arena;
	struct run run;
	int rc = 0, count = 0;

	arena_init(&arena);
	while (!rc && count < UNDUMP_RUNS && undump->put + (uint64_t)count < undump->runs) {
		uint64_t at = undump->runs - undump->put - (uint64_t)count - 1;

		rc = fseeko(undump->file, (off_t)undump->places[at], SEEK_SET) < 0
			 ? schedd_error_set(&err, SCHEDD_EFAILED, "%s: %s", undump->path, strerror(errno))
			 : undump_read(undump, &arena, &member, &err);
		if (!rc)
			rc = undump_run(&member.value, &run, &err);
		if (!rc) {
			store_batch_put_run(batch, &run);
			run_clear(&run);
			count++;
		}
		arena_clear(&arena);
	}
	arena_clear(&arena);
	if (rc || !count)
		store_batch_free(batch);
	if (rc) {
		undump_stuck(undump, &err);
	} else if (count) {
		undump->busy = true;
		undump->put += (uint64_t)count;
		store_commit(undump->slot->store, batch, undump_written, undump);
	} else {
		restart_ask_states(undump->scheduler, undump->slot);
		undump_end(undump, 0, NULL);
	}
}

static void undump_step(struct timer *timer)
{
	struct undump *undump = (struct undump *)(void *)((char *)timer - offsetof(struct undump, timer));
	struct schedd_scheduler *scheduler = undump->scheduler;
	struct schedd_error err;

	scheduler_enter(scheduler);
	if (!undump->slot->store)
		undump_end(undump,
		    schedd_error_set(
			&err, SCHEDD_ENOTFOUND, "store %s was removed", undump->slot->name),
		    &err);
	else if (undump->writing)
		undump_writes(undump);
	else
		undump_checks(undump);
	scheduler_leave(scheduler);
}

/* ---- The request ---- */

static int undump_open(struct undump *undump, struct schedd_error *err)
{
	int fd = open(undump->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char begin[16] = "";
	struct stat st;

	undump->file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!undump->file || fstat(fd, &st) < 0)
		return schedd_error_set(err, errno == ENOENT ? SCHEDD_ENOTFOUND : SCHEDD_EFAILED,
		    "%s: %s", undump->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return schedd_error_set(err, SCHEDD_EFILE, "%s: it is no file", undump->path);
	if (fread(begin, 1, 15, undump->file) == 15 && strcmp(begin, "SQLite format 3") == 0)
		return schedd_error_set(err, SCHEDD_EFILE,
		    "%s: it is a copy of a store of type sqlite: stop schedd, put it in the place of "
		    "the store's file, start schedd; or make one with logical",
		    undump->path);
	rewind(undump->file);
	return 0;
}

void scheduler_undump(struct schedd_scheduler *scheduler, const char *store, const char *path,
    bool replace, const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct store_slot *slot = store_slot_find(scheduler, store);
	struct undump *undump = calloc(1, sizeof(*undump));
	struct schedd_error err;
	int rc = undump ? 0 : schedd_error_nomem(&err);

	if (!rc) {
		undump->scheduler = scheduler;
		undump->slot = slot;
		timer_init(&undump->timer, undump_step);
		undump->next = scheduler->top.undumps;
		scheduler->top.undumps = undump;
		undump->path = strdup(path);
		undump->jobs = slot ? job_restore_new(slot, replace, actor) : NULL;
	}
	if (!rc && !slot)
		rc = schedd_error_set(&err, SCHEDD_ENOTFOUND, "store %s: no such store", store);
	else if (!rc && (!undump->path || !undump->jobs))
		rc = schedd_error_nomem(&err);
	else if (!rc && (store_state(slot->store) != STORE_OK || !slot->taken_up))
		rc = schedd_error_set(&err, SCHEDD_EFAILED, "store %s is %s: %s", store,
		    store_state_word(store_state(slot->store)), store_state_why(slot->store));
	if (!rc)
		rc = undump_open(undump, &err);
	if (!rc && timers_set(&scheduler->timers, &undump->timer, scheduler_mono(scheduler)))
		rc = schedd_error_nomem(&err);
	if (rc) {
		if (undump)
			undump_free(undump);
		scheduler_answer(reply, rc, &err, NULL);
		return;
	}
	undump->reply = reply;
	scheduler_enter(scheduler);
	scheduler_leave(scheduler);
}

bool undump_uses(const struct schedd_scheduler *scheduler, const struct store_slot *slot)
{
	for (const struct undump *undump = scheduler->top.undumps; undump; undump = undump->next)
		if (undump->slot == slot)
			return true;
	return false;
}

void undump_stop(struct schedd_scheduler *scheduler)
{
	struct schedd_error err;

	/* What is on its way comes to its end. */
	while (scheduler->top.undumps && mailbox_deliver(scheduler->mailbox) > 0)
		;
	schedd_error_set(&err, SCHEDD_EFAILED,
	    "the scheduler stops before all of it is restored: do it again, and replace");
	for (struct undump *undump = scheduler->top.undumps; undump; undump = undump->next)
		undump->stopping = true;
	while (scheduler->top.undumps)
		undump_end(scheduler->top.undumps, SCHEDD_EFAILED, &err);
}
