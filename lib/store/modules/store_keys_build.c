/* SPDX-License-Identifier: MIT */
/*
 * The entries of a batch become writes of keys, each judged by what is known as
 * if those before it were stored already. After a failure all that is known is
 * forgotten, since it says what was not stored.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_keys.h"
#include "store/store_run_text.h"

/* ---- Writes by name ---- */

static const char *set_key(const void *item)
{
	return ((const struct keys_write *)item)->name;
}

void store_keys_set_init(struct keys_set *set, struct arena *arena)
{
	memset(set, 0, sizeof(*set));
	strmap_init(&set->map, set_key);
	set->last = &set->first;
	set->loose = true;
	set->arena = arena;
}

void store_keys_set_clear(struct keys_set *set)
{
	strmap_clear(&set->map);
	strmap_init(&set->map, set_key);
	set->first = NULL;
	set->last = &set->first;
	set->count = 0;
	set->bytes = 0;
	set->loose = true;
	set->units = 0;
}

void store_keys_set_put(struct keys_set *set, const struct keys_write *from)
{
	struct keys_write *write = strmap_get(&set->map, from->name);

	if (write) {
		set->bytes += from->length - write->length;
		write->text = from->text;
		write->length = from->length;
		return;
	}
	write = arena_alloc(set->arena, sizeof(*write));
	if (!write)
		return;
	*write = *from;
	write->next = NULL;
	if (strmap_put(&set->map, write)) {
		set->arena->failed = true;
		return;
	}
	*set->last = write;
	set->last = &write->next;
	set->count++;
	set->bytes += strlen(write->name) + write->length;
}

static void build_put(struct keys_build *build, const char *name, const char *text, int64_t *slot,
    struct keys_row *row, bool check)
{
	struct keys_write write = {.name = name,
	    .text = text,
	    .length = text ? strlen(text) : 0,
	    .slot = slot,
	    .row = row,
	    .check = check,
	    .unit = build->set.units};

	if (name && build->set.units > build->skip)
		store_keys_set_put(&build->set, &write);
}

/* Takes the text. */
static const char *build_text(struct keys_build *build, struct strbuf *text)
{
	const char *copy = strbuf_failed(text) ? NULL : arena_strdup(&build->arena, strbuf_peek(text));

	if (!copy)
		build->arena.failed = true;
	strbuf_clear(text);
	return copy;
}

static void build_row(struct keys_build *build, const char *name, const char *text)
{
	struct keys_row *row = name ? store_keys_row(build->keys, name) : NULL;

	if (!row)
		build->arena.failed = true;
	else if (text || row->there)
		build_put(build, arena_strdup(&build->arena, name), text, &row->version, row, false);
	if (row)
		row->there = text != NULL;
}

/* ---- Jobs ---- */

static void build_state(struct keys_build *build, struct keys_job *job, bool check)
{
	struct strbuf text = STRBUF_EMPTY;

	store_keys_write_state(&text, &job->counters, job->revision);
	build_put(build, arena_printf(&build->arena, "state/%s", job->id), build_text(build, &text),
	    &job->state, NULL, check);
}

static int build_fits(struct keys_build *build, const struct keys_job *job, size_t length,
    struct schedd_error *err)
{
	const struct keys_server *server = build->keys->server;
	const char *name = build->link->config->name;
	size_t most = server->bytes - strlen(job->id) - 512;

	if (length > most)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "store '%s': job '%s' takes %zu bytes, %s %zu", name, job->id, length,
		    server->limit, most);
	if (server->jobs && !job->there && build->keys->all && build->keys->job_count >= server->jobs)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "store '%s': it has %" PRIu32 " jobs, and more than %" PRIu32
		    " are not for this type: its server lists them one by one when schedd starts",
		    name, build->keys->job_count, server->jobs);
	return 0;
}

static int build_put_job(struct keys_build *build, struct store_op *op, struct schedd_error *err)
{
	struct job_state state = op->put_job.state;
	const char *id = op->put_job.job->id;
	struct keys_job *job = store_keys_job(build->link, id, err);
	struct strbuf text = STRBUF_EMPTY;
	int rc;

	if (!job)
		return SCHEDD_EFAILED;
	if (op->kind == STORE_OP_ADD_JOB) {
		uint32_t highest = store_keys_highest(build->keys, id);

		if (job->remembered > state.last_run)
			state.last_run = job->remembered;
		if (job->state != KEYS_ABSENT && job->counters.last_run > state.last_run)
			state.last_run = job->counters.last_run;
		if (highest > state.last_run)
			state.last_run = highest;
		op->put_job.given = state.last_run;
	}
	rc = build->link->host->encode(op->put_job.job, &state, &text, err);
	if (rc == 0)
		rc = build_fits(build, job, text.length, err);
	if (rc) {
		strbuf_clear(&text);
		return rc;
	}
	build->keys->job_count += !job->there;
	job->there = true;
	job->counters.next_fire = state.next_fire;
	job->counters.next_run_time = state.next_run_time;
	job->counters.run_count = state.run_count;
	job->counters.last_run = state.last_run;
	job->revision = state.revision;
	build_put(build, arena_printf(&build->arena, "job/%s", id), build_text(build, &text),
	    &job->definition, NULL, false);
	build_state(build, job, false);
	return 0;
}

static int build_expect(struct keys_build *build, struct store_op *op, struct schedd_error *err)
{
	struct keys_job *job = store_keys_job(build->link, op->expect.id, err);

	if (!job)
		return SCHEDD_EFAILED;
	if (job->there && job->revision == op->expect.revision)
		return 0;
	return schedd_error_set(err, SCHEDD_ECONFLICT, "store '%s': job '%s' was %s by another meanwhile",
	    build->link->config->name, op->expect.id, job->there ? "changed" : "removed");
}

static int build_claim(struct keys_build *build, struct store_op *op, struct schedd_error *err)
{
	struct keys_job *job = store_keys_job(build->link, op->claim.id, err);

	if (!job)
		return SCHEDD_EFAILED;
	/* It is stored already, as it was judged then. */
	if (build->set.units <= build->skip)
		return 0;
	if (!job->there || job->counters.last_run != op->claim.expected)
		return store_op_verdict(build->link->store, op, STORE_CLAIM_LOST, err);
	op->claim.given = STORE_CLAIM_DONE;
	job->counters.next_fire = op->claim.next_fire;
	job->counters.next_run_time = op->claim.next_run_time;
	job->counters.run_count = op->claim.run_count;
	job->counters.last_run = op->claim.last_run;
	build_state(build, job, true);
	return 0;
}

/* Its numbers are not used again. */
static void build_remember(struct keys_build *build, struct keys_job *job, uint32_t last_run)
{
	if (last_run <= job->remembered)
		return;
	job->remembered = last_run;
	build_put(build, arena_printf(&build->arena, "gone/%s", job->id),
	    arena_printf(&build->arena, "%" PRIu32, last_run), &job->gone, NULL, false);
}

static void build_remove(struct keys_build *build, struct keys_job *job)
{
	if (!job->there)
		return;
	job->there = false;
	if (build->keys->job_count)
		build->keys->job_count--;
	build_put(build, arena_printf(&build->arena, "job/%s", job->id), NULL, &job->definition, NULL,
	    false);
	build_put(
	    build, arena_printf(&build->arena, "state/%s", job->id), NULL, &job->state, NULL, false);
}

static int build_delete(struct keys_build *build, struct store_op *op, struct schedd_error *err)
{
	struct keys_job *job = store_keys_job(build->link, op->delete_job.id, err);

	if (!job)
		return SCHEDD_EFAILED;
	build_remove(build, job);
	build_remember(build, job, op->delete_job.last_run);
	return 0;
}

/* ---- Runs ---- */

static int build_run(struct keys_build *build, struct store_op *op, struct schedd_error *err)
{
	const struct run *run = &op->run.run;
	struct strbuf text = STRBUF_EMPTY;

	(void)err;
	if (store_op_void(op))
		return 0;
	store_run_write(&text, run);
	build_row(build,
	    arena_printf(&build->arena, "run/%s/%" PRIu32, run->job, run->number),
	    build_text(build, &text));
	return 0;
}

/* Names of the rows of a job's runs (NULL: of all), up to that number (0: all); those of this
 * batch included. */
static const char **build_rows(
    struct keys_build *build, const char *id, uint32_t upto, uint32_t *count)
{
	const char **names =
	    arena_alloc(&build->arena, (build->keys->rows.count + 1) * sizeof(names[0]));
	size_t length = id ? strlen(id) : 0;
	const struct keys_row *row;
	uint32_t position = 0, found;

	*count = 0;
	while (names && (row = strmap_next(&build->keys->rows, &position))) {
		size_t own = store_keys_run(row->name, &found);

		if (own && row->there && (!upto || found <= upto) &&
		    (!id || (own == length && memcmp(row->name + strlen("run/"), id, own) == 0)))
			names[(*count)++] = row->name;
	}
	return names;
}

static int build_purge(struct keys_build *build, struct store_op *op, struct schedd_error *err)
{
	uint32_t count;
	const char **names;

	(void)err;
	/* The usual one, of which the name is known. */
	if (op->purge.job && op->purge.number) {
		build_row(build,
		    arena_printf(
			&build->arena, "run/%s/%" PRIu32, op->purge.job, op->purge.number),
		    NULL);
		return 0;
	}
	names = build_rows(build, op->purge.job, op->purge.upto, &count);
	for (uint32_t i = 0; names && i < count; i++)
		build_row(build, names[i], NULL);
	return 0;
}

/* ---- Renaming: what stands under the old names is read and written under the new ones ---- */

static int build_move(struct keys_build *build, const char *from, const char *to, int64_t *slot,
    struct keys_row *row, struct schedd_error *err)
{
	const struct keys_write *write = strmap_get(&build->set.map, from);
	struct keys_read read = {.name = from};
	int rc = 0;

	if (!write)
		write = strmap_get(&build->pending->map, from);
	if (write)
		read.text = write->text;
	else
		rc = build->keys->server->get(build->link, &read, &build->arena, err);
	if (rc == 0 && read.text)
		build_put(build, to, arena_strdup(&build->arena, read.text), slot, row, false);
	return rc;
}

static int build_rename_runs(
    struct keys_build *build, const struct store_op *op, struct schedd_error *err)
{
	uint32_t count, number;
	const char **names = build_rows(build, op->rename.id, 0, &count);
	int rc = 0;

	for (uint32_t i = 0; names && i < count && rc == 0; i++) {
		const char *from = arena_strdup(&build->arena, names[i]), *to;
		struct keys_row *row;

		(void)store_keys_run(names[i], &number);
		to = arena_printf(&build->arena, "run/%s/%" PRIu32, op->rename.to, number);
		row = to ? store_keys_row(build->keys, to) : NULL;
		if (!row || !from)
			return schedd_error_nomem(err);
		rc = build_move(build, from, to, &row->version, row, err);
		row->there = true;
		build_row(build, from, NULL);
	}
	return rc;
}

static int build_rename(struct keys_build *build, struct store_op *op, struct schedd_error *err)
{
	struct keys_job *from = store_keys_job(build->link, op->rename.id, err);
	struct keys_job *to = from ? store_keys_job(build->link, op->rename.to, err) : NULL;
	const char *old, *new;
	uint32_t highest;
	int rc = 0;

	if (!to)
		return SCHEDD_EFAILED;
	if (store_keys_highest(build->keys, op->rename.to))
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "store '%s': runs of a removed job '%s' are still kept, purge them first",
		    build->link->config->name, op->rename.to);
	highest = store_keys_highest(build->keys, op->rename.id);
	old = arena_printf(&build->arena, "job/%s", op->rename.id);
	new = arena_printf(&build->arena, "job/%s", op->rename.to);
	if (!old || !new)
		return schedd_error_nomem(err);
	if (from->there) {
		rc = build_move(build, old, new, &to->definition, NULL, err);
		to->counters = from->counters;
		to->revision = from->revision;
		if (from->counters.last_run > highest)
			highest = from->counters.last_run;
		to->there = true;
		build_state(build, to, false);
		build_remove(build, from);
		build->keys->job_count++;
	}
	build_remember(build, from, highest);
	return rc ? rc : build_rename_runs(build, op, err);
}

/* ---- Numbers and texts ---- */

static int build_number(struct keys_build *build, struct store_op *op, struct schedd_error *err)
{
	(void)err;
	build_row(build, arena_printf(&build->arena, "meta/%s", op->number.key),
	    arena_printf(&build->arena, "n%" PRId64, op->number.number));
	return 0;
}

static int build_meta(struct keys_build *build, struct store_op *op, struct schedd_error *err)
{
	const char *text =
	    op->text.text ? arena_printf(&build->arena, "t%s", op->text.text) : NULL;

	(void)err;
	build_row(build, arena_printf(&build->arena, "meta/%s", op->text.key), text);
	return 0;
}

/* Never comes: the history is another store's. */
static int build_change(struct keys_build *build, struct store_op *op, struct schedd_error *err)
{
	(void)build, (void)op, (void)err;
	return 0;
}

static const struct build_verb {
	int (*build)(struct keys_build *build, struct store_op *op, struct schedd_error *err);
	bool loose; /* what stands before it may be stored without it */
	bool unit;  /* another unit begins */
} build_verbs[STORE_OP_COUNT] = {
    [STORE_OP_PUT_JOB] = {build_put_job, false, true},
    [STORE_OP_ADD_JOB] = {build_put_job, false, true},
    [STORE_OP_EXPECT] = {build_expect, false, true},
    [STORE_OP_CLAIM] = {build_claim, true, true},
    [STORE_OP_DELETE_JOB] = {build_delete, false, true},
    [STORE_OP_PUT_RUN] = {build_run, true, false},
    [STORE_OP_PURGE_RUNS] = {build_purge, true, true},
    [STORE_OP_RENAME] = {build_rename, false, true},
    [STORE_OP_PUT_NUMBER] = {build_number, true, true},
    [STORE_OP_PUT_TEXT] = {build_meta, false, true},
    [STORE_OP_PUT_CHANGE] = {build_change, true, true},
};

int store_keys_build(
    struct keys_build *build, struct store_batch *batch, struct schedd_error *err)
{
	int rc = 0;

	for (struct store_op *op = batch->first; op && rc == 0; op = op->next) {
		const struct build_verb *verb = &build_verbs[op->kind];

		build->set.loose = build->set.loose &&
				   (verb->loose || (op->kind == STORE_OP_PUT_TEXT && !op->text.text));
		/* A run goes along with its claim; one without is by itself. */
		if (verb->unit || !op->run.claim || build->set.units == 0)
			build->set.units++;
		rc = verb->build(build, op, err);
	}
	if (rc == 0 && arena_failed(&build->arena))
		rc = schedd_error_nomem(err);
	return rc;
}

/* ---- What a group needs to be looked at ---- */

static const char *prepare_id(const struct store_op *op)
{
	switch (op->kind) {
	case STORE_OP_PUT_JOB:
	case STORE_OP_ADD_JOB:
		return op->put_job.job->id;
	case STORE_OP_EXPECT:
		return op->expect.id;
	case STORE_OP_CLAIM:
		return op->claim.id;
	case STORE_OP_DELETE_JOB:
		return op->delete_job.id;
	case STORE_OP_RENAME:
		return op->rename.id;
	default:
		return NULL;
	}
}

int store_keys_prepare(struct store_link *link, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err)
{
	const struct keys_link *keys = keys_of(link);
	const char **ids;
	uint32_t count = 0;
	int rc = store_keys_know(link, err);

	if (rc || keys->all)
		return rc;
	for (const struct store_batch *batch = first; batch != end; batch = batch->next)
		count += batch->count;
	ids = calloc(count + 1, sizeof(ids[0]));
	if (!ids)
		return schedd_error_nomem(err);
	count = 0;
	for (const struct store_batch *batch = first; batch != end; batch = batch->next)
		for (const struct store_op *op = batch->first; op; op = op->next)
			if (prepare_id(op) && !strmap_get(&keys->jobs, prepare_id(op)))
				ids[count++] = prepare_id(op);
	rc = store_keys_jobs(link, ids, count, err);
	free((void *)ids);
	return rc;
}
