/* SPDX-License-Identifier: MIT */
/*
 * What a group does to the documents it touches. The owner alone changes them,
 * so what was read is so until the group is written down under his epoch.
 */
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_mongodb_gather.h"

/* ---- Jobs that are touched ---- */

static const char *gather_job_id(const void *item)
{
	return ((const struct mo_job *)item)->id;
}

static const char *gather_run_id(const void *item)
{
	return ((const struct mo_run *)item)->id;
}

static const char *gather_meta_key(const void *item)
{
	return ((const struct mo_meta *)item)->key;
}

static const char *gather_id_of(const struct store_op *op)
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
	case STORE_OP_PUT_RUN:
		return op->run.run.job;
	case STORE_OP_PURGE_RUNS:
		return op->purge.job;
	case STORE_OP_RENAME:
		return op->rename.id;
	case STORE_OP_PUT_CHANGE:
		return op->change.job;
	default:
		return NULL;
	}
}

static struct mo_job *gather_note(struct mo_gather *gather, const char *id)
{
	struct mo_job *job = id ? strmap_get(&gather->jobs, id) : NULL;

	if (job || !id)
		return job;
	job = arena_alloc(&gather->arena, sizeof(*job));
	if (!job)
		return NULL;
	job->id = id;
	job->next_fire = job->next_run_time = SCHEDD_TIME_NONE;
	if (strmap_put(&gather->jobs, job))
		gather->arena.failed = true;
	return job;
}

static bool gather_take(const bson_t *row, void *context)
{
	struct mo_gather *gather = context;
	const char *id = mo_text(row, "_id");
	struct mo_job *job = id ? strmap_get(&gather->jobs, id) : NULL;

	if (!job)
		return true;
	job->key = mo_number(row, "key", 0);
	job->live = mo_true(row, "live");
	job->last_run = (uint32_t)mo_number(row, "last_run", 0);
	job->revision = (uint32_t)mo_number(row, "revision", 0);
	job->run_count = (uint64_t)mo_number(row, "run_count", 0);
	job->next_fire = mo_number(row, "next_fire", SCHEDD_TIME_NONE);
	job->next_run_time = mo_number(row, "next_run_time", SCHEDD_TIME_NONE);
	return true;
}

static int gather_read(struct mo_gather *gather, struct schedd_error *err)
{
	bson_t *filter = bson_new(), in, list;
	uint32_t at = 0, count = 0;
	const struct mo_job *job;

	bson_append_document_begin(filter, "_id", -1, &in);
	bson_append_array_begin(&in, "$in", -1, &list);
	while ((job = strmap_next(&gather->jobs, &at))) {
		char room[16];
		const char *key;

		bson_uint32_to_string(count++, &key, room, sizeof(room));
		bson_append_utf8(&list, key, -1, job->id, -1);
	}
	bson_append_array_end(&in, &list);
	bson_append_document_end(filter, &in);
	if (count == 0) {
		bson_destroy(filter);
		return 0;
	}
	return store_mongodb_talk_find(gather->link, MO_JOBS, filter,
	    BCON_NEW("projection", "{", "definition", BCON_INT32(0), "}"), gather_take, gather, err);
}

/* Gives it a document, so that something may refer to its number. */
static void gather_ensure(struct mo_gather *gather, struct mo_job *job)
{
	if (job->key)
		return;
	job->key = mo_of(gather->link)->next_key++;
	job->revision = 1;
	job->changed = job->whole = true;
}

/* ---- Entries ---- */

static int gather_conflict(
    struct mo_gather *gather, const char *id, const char *how, struct schedd_error *err)
{
	return schedd_error_set(err, SCHEDD_ECONFLICT, "store '%s': job '%s' was %s by another meanwhile",
	    gather->link->config->name, id, how);
}

static int gather_job(struct mo_gather *gather, struct store_op *op, struct schedd_error *err)
{
	struct mo_job *job = gather_note(gather, op->put_job.job->id);
	const struct job_state *state = &op->put_job.state;
	struct strbuf text = STRBUF_EMPTY;
	uint32_t last = state->last_run;
	int64_t highest = 0;
	int rc;

	if (!job || gather->link->host->encode(op->put_job.job, state, &text, err))
		return job ? SCHEDD_EFAILED : schedd_error_nomem(err);
	if (op->kind == STORE_OP_ADD_JOB && job->key) {
		/* Never a number again that one of its name had. */
		rc = store_mongodb_highest(gather->link, job->key, &highest, err);
		if (rc) {
			strbuf_clear(&text);
			return rc;
		}
		if (highest > last)
			last = (uint32_t)highest;
		if (job->last_run > last)
			last = job->last_run;
	}
	gather_ensure(gather, job);
	job->changed = job->whole = job->live = true;
	job->definition = arena_strdup(&gather->arena, strbuf_peek(&text));
	job->next_fire = state->next_fire;
	job->next_run_time = state->next_run_time;
	job->run_count = state->run_count;
	job->revision = state->revision;
	job->last_run = last;
	if (op->kind == STORE_OP_ADD_JOB)
		op->put_job.given = last;
	strbuf_clear(&text);
	return 0;
}

static int gather_expect(struct mo_gather *gather, struct store_op *op, struct schedd_error *err)
{
	const struct mo_job *job = gather_note(gather, op->expect.id);

	if (!job)
		return schedd_error_nomem(err);
	if (!job->live)
		return gather_conflict(gather, op->expect.id, "removed", err);
	if (job->revision != op->expect.revision)
		return gather_conflict(gather, op->expect.id, "changed", err);
	return 0;
}

static int gather_claim(struct mo_gather *gather, struct store_op *op, struct schedd_error *err)
{
	struct mo_job *job = gather_note(gather, op->claim.id);

	if (!job)
		return schedd_error_nomem(err);
	if (!job->live || job->last_run != op->claim.expected)
		return store_op_verdict(gather->link->store, op, STORE_CLAIM_LOST, err);
	op->claim.given = STORE_CLAIM_DONE;
	job->changed = true;
	job->next_fire = op->claim.next_fire;
	job->next_run_time = op->claim.next_run_time;
	job->run_count = op->claim.run_count;
	job->last_run = op->claim.last_run;
	return 0;
}

static void gather_retire(struct mo_job *job, uint32_t last_run)
{
	job->changed = job->whole = true;
	job->live = false;
	job->definition = NULL;
	job->next_fire = job->next_run_time = SCHEDD_TIME_NONE;
	job->run_count = job->revision = 0;
	job->last_run = last_run;
}

/* The document stays, to remember. */
static int gather_delete(struct mo_gather *gather, struct store_op *op, struct schedd_error *err)
{
	struct mo_job *job = gather_note(gather, op->delete_job.id);
	uint32_t last = op->delete_job.last_run;

	if (!job)
		return schedd_error_nomem(err);
	if (!job->key && !last)
		return 0;
	gather_ensure(gather, job);
	gather_retire(job, last && job->last_run > last ? job->last_run : last);
	return 0;
}

static int gather_run(struct mo_gather *gather, struct store_op *op, struct schedd_error *err)
{
	struct mo_job *job = gather_note(gather, op->run.run.job);
	struct mo_run *run;
	const char *id;

	if (store_op_void(op))
		return 0;
	if (!job)
		return schedd_error_nomem(err);
	gather_ensure(gather, job);
	id = arena_printf(&gather->arena, "%lld/%u", (long long)job->key,
	    (unsigned)op->run.run.number);
	run = id ? strmap_get(&gather->runs, id) : NULL;
	if (run && !run->gone) {
		run->run = &op->run.run;
		return 0;
	}
	if (run)
		(void)strmap_remove(&gather->runs, id);
	run = arena_alloc(&gather->arena, sizeof(*run));
	if (!run)
		return schedd_error_nomem(err);
	run->id = id;
	run->key = job->key;
	run->serial = mo_of(gather->link)->next_serial++;
	run->run = &op->run.run;
	*gather->last_run = run;
	gather->last_run = &run->next;
	return strmap_put(&gather->runs, run) ? schedd_error_nomem(err) : 0;
}

static int gather_purge(struct mo_gather *gather, struct store_op *op, struct schedd_error *err)
{
	struct mo_job *job = gather_note(gather, op->purge.job);
	struct mo_purge *purge;

	if (op->purge.job && !job)
		return schedd_error_nomem(err);
	if (job && !job->key)
		return 0;
	purge = arena_alloc(&gather->arena, sizeof(*purge));
	if (!purge)
		return schedd_error_nomem(err);
	purge->key = job ? job->key : 0;
	purge->number = op->purge.number;
	purge->next = gather->purges;
	gather->purges = purge;
	/* What came before it in this group goes as well; what comes behind it stays. */
	for (struct mo_run *run = gather->first_run; run; run = run->next)
		if ((!purge->key || run->key == purge->key) &&
		    (!purge->number || run->run->number == purge->number))
			run->gone = true;
	return 0;
}

struct gather_wanted {
	struct mo_gather *gather;
	struct mo_job *job;
};

static bool gather_take_definition(const bson_t *row, void *context)
{
	struct gather_wanted *wanted = context;
	const char *text = mo_text(row, "definition");

	wanted->job->definition = arena_strdup(&wanted->gather->arena, text ? text : "");
	return false;
}

static int gather_definition(
    struct mo_gather *gather, struct mo_job *job, struct schedd_error *err)
{
	struct gather_wanted wanted = {gather, job};

	return store_mongodb_talk_find(gather->link, MO_JOBS, BCON_NEW("key", BCON_INT64(job->key)),
	    bson_new(), gather_take_definition, &wanted, err);
}

/* The number goes with it; those of the old id are not given twice. */
static int gather_rename(struct mo_gather *gather, struct store_op *op, struct schedd_error *err)
{
	struct mo_job *from = gather_note(gather, op->rename.id);
	struct mo_job *to = gather_note(gather, op->rename.to);
	int64_t highest = 0, had = 0;
	int rc;

	if (!from || !to)
		return schedd_error_nomem(err);
	gather_ensure(gather, from);
	rc = to->key ? store_mongodb_highest(gather->link, to->key, &had, err) : 0;
	if (rc == 0 && had)
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "store '%s': runs of a removed job '%s' are still kept, purge them first",
		    gather->link->config->name, to->id);
	if (rc == 0)
		rc = store_mongodb_highest(gather->link, from->key, &highest, err);
	/* Where the definition is not in this group it has to be read. */
	if (rc == 0 && from->live && !from->definition)
		rc = gather_definition(gather, from, err);
	if (rc)
		return rc;
	{
		const char *id = to->id;

		*to = *from;
		to->id = id;
	}
	to->changed = to->whole = true;
	from->key = mo_of(gather->link)->next_key++;
	gather_retire(from, highest > to->last_run ? (uint32_t)highest : to->last_run);
	return 0;
}

static int gather_meta(struct mo_gather *gather, const char *key, const char *text, int64_t number,
    bool gone, struct schedd_error *err)
{
	struct mo_meta *meta = strmap_get(&gather->meta, key);

	if (!meta) {
		meta = arena_alloc(&gather->arena, sizeof(*meta));
		if (!meta)
			return schedd_error_nomem(err);
		meta->key = key;
		if (strmap_put(&gather->meta, meta))
			return schedd_error_nomem(err);
	}
	meta->text = text;
	meta->number = number;
	meta->gone = gone;
	return 0;
}

static int gather_number(struct mo_gather *gather, struct store_op *op, struct schedd_error *err)
{
	return gather_meta(gather, op->number.key, NULL, op->number.number, false, err);
}

static int gather_text(struct mo_gather *gather, struct store_op *op, struct schedd_error *err)
{
	return gather_meta(gather, op->text.key, op->text.text, 0, op->text.text == NULL, err);
}

static int gather_change(struct mo_gather *gather, struct store_op *op, struct schedd_error *err)
{
	struct mo_job *job = gather_note(gather, op->change.job);
	struct mo_change *change = arena_alloc(&gather->arena, sizeof(*change));

	if (!change || (op->change.job && !job))
		return schedd_error_nomem(err);
	if (job)
		gather_ensure(gather, job);
	change->op = op;
	change->key = job ? job->key : 0;
	change->serial = mo_of(gather->link)->next_serial++;
	*gather->last_change = change;
	gather->last_change = &change->next;
	return 0;
}

static int (*const gather_verbs[STORE_OP_COUNT])(
    struct mo_gather *, struct store_op *, struct schedd_error *) = {
    [STORE_OP_PUT_JOB] = gather_job,
    [STORE_OP_ADD_JOB] = gather_job,
    [STORE_OP_EXPECT] = gather_expect,
    [STORE_OP_CLAIM] = gather_claim,
    [STORE_OP_DELETE_JOB] = gather_delete,
    [STORE_OP_PUT_RUN] = gather_run,
    [STORE_OP_PURGE_RUNS] = gather_purge,
    [STORE_OP_RENAME] = gather_rename,
    [STORE_OP_PUT_NUMBER] = gather_number,
    [STORE_OP_PUT_TEXT] = gather_text,
    [STORE_OP_PUT_CHANGE] = gather_change,
};

/* ---- A group ---- */

int store_mongodb_gather(struct mo_gather *gather, struct store_link *link,
    struct store_batch *first, struct store_batch *end, struct schedd_error *err)
{
	int rc;

	memset(gather, 0, sizeof(*gather));
	gather->link = link;
	gather->stamp = (int64_t)(link->epoch << 32 | (first->serial & UINT32_MAX));
	arena_init(&gather->arena);
	strmap_init(&gather->jobs, gather_job_id);
	strmap_init(&gather->runs, gather_run_id);
	strmap_init(&gather->meta, gather_meta_key);
	gather->last_run = &gather->first_run;
	gather->last_change = &gather->first_change;
	for (struct store_batch *batch = first; batch != end; batch = batch->next)
		for (struct store_op *op = batch->first; op; op = op->next) {
			(void)gather_note(gather, gather_id_of(op));
			if (op->kind == STORE_OP_RENAME)
				(void)gather_note(gather, op->rename.to);
		}
	rc = arena_failed(&gather->arena) ? schedd_error_nomem(err) : gather_read(gather, err);
	for (struct store_batch *batch = first; batch != end && rc == 0; batch = batch->next)
		for (struct store_op *op = batch->first; op && rc == 0; op = op->next)
			rc = gather_verbs[op->kind](gather, op, err);
	if (rc == 0 && arena_failed(&gather->arena))
		rc = schedd_error_nomem(err);
	return rc;
}

void store_mongodb_gather_clear(struct mo_gather *gather)
{
	strmap_clear(&gather->jobs);
	strmap_clear(&gather->runs);
	strmap_clear(&gather->meta);
	arena_clear(&gather->arena);
}
