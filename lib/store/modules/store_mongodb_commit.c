/* SPDX-License-Identifier: MIT */
/*
 * A group of batches is judged here, on what the owner knows to be stored, and
 * becomes one document that is written into the owner's: that is the commit. It
 * is then carried out on the collections; see store_mongodb_own.c.
 */
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_mongodb_gather.h"

/* ---- What is sent ---- */

/* "0", "1", …: an array's fields. */
static void commit_next(bson_t *array, uint32_t *count, bson_t *child)
{
	char room[16];
	const char *key;

	bson_uint32_to_string((*count)++, &key, room, sizeof(room));
	bson_append_document_begin(array, key, -1, child);
}

static void commit_time(bson_t *set, const char *field, schedd_time when)
{
	if (when == SCHEDD_TIME_NONE)
		bson_append_null(set, field, -1);
	else
		bson_append_int64(set, field, -1, when);
}

static void commit_words(bson_t *set, const char *field, const char *text)
{
	if (text)
		bson_append_utf8(set, field, -1, text, -1);
	else
		bson_append_null(set, field, -1);
}

static void commit_job(const struct mo_gather *gather, const struct mo_job *job, bson_t *array,
    uint32_t *count)
{
	bson_t row, query, stamp, update, set;

	commit_next(array, count, &row);
	bson_append_document_begin(&row, "q", -1, &query);
	bson_append_utf8(&query, "_id", -1, job->id, -1);
	bson_append_document_begin(&query, "stamp", -1, &stamp);
	bson_append_int64(&stamp, "$lt", -1, gather->stamp);
	bson_append_document_end(&query, &stamp);
	bson_append_document_end(&row, &query);
	bson_append_document_begin(&row, "u", -1, &update);
	bson_append_document_begin(&update, "$set", -1, &set);
	bson_append_int64(&set, "stamp", -1, gather->stamp);
	bson_append_int64(&set, "last_run", -1, job->last_run);
	commit_time(&set, "next_fire", job->next_fire);
	commit_time(&set, "next_run_time", job->next_run_time);
	bson_append_int64(&set, "run_count", -1, (int64_t)job->run_count);
	if (job->whole) {
		bson_append_int64(&set, "key", -1, job->key);
		bson_append_int64(&set, "revision", -1, job->revision);
		bson_append_bool(&set, "live", -1, job->live);
		if (!job->live || job->definition)
			commit_words(&set, "definition", job->definition);
	}
	bson_append_document_end(&update, &set);
	bson_append_document_end(&row, &update);
	bson_append_bool(&row, "upsert", -1, true);
	bson_append_document_end(array, &row);
}

static void commit_run_fields(bson_t *set, const struct run *run)
{
	bson_append_utf8(set, "state", -1, run_state_name(run->state), -1);
	bson_append_utf8(set, "trigger", -1, run_trigger_name(run->trigger), -1);
	bson_append_int64(set, "attempt", -1, run->attempt);
	commit_time(set, "scheduled_at", run->scheduled_at);
	commit_time(set, "started_at", run->started_at);
	commit_time(set, "ended_at", run->ended_at);
	commit_time(set, "done_at", store_query_done_at(run));
	commit_time(set, "until", run->until);
	bson_append_int64(set, "count", -1, (int64_t)run->count);
	bson_append_int64(set, "coalesced", -1, (int64_t)run->coalesced);
	bson_append_int64(set, "exit_code", -1, run->exit_code);
	bson_append_int64(set, "signal", -1, run->signal);
	commit_words(set, "reason", run->reason);
	bson_append_int64(set, "max_rss", -1, run->max_rss);
	bson_append_int64(set, "cpu_us", -1, run->cpu_us);
	bson_append_int64(set, "output_bytes", -1, (int64_t)run->output_bytes);
	bson_append_int64(set, "output_dropped", -1, (int64_t)run->output_dropped);
	bson_append_int64(set, "pid", -1, run->pid);
	bson_append_int64(set, "pid_start", -1, (int64_t)run->pid_start);
	commit_words(set, "attempts", run->attempts);
	commit_words(set, "actor", run->actor);
	commit_words(set, "result", run->result);
}

static void commit_run(const struct mo_gather *gather, const struct mo_run *run, bson_t *array,
    uint32_t *count)
{
	bson_t row;

	commit_next(array, count, &row);
	bson_append_int64(&row, "_id", -1, mo_run_id(run->key, run->run->number));
	bson_append_int64(&row, "stamp", -1, gather->stamp);
	bson_append_int64(&row, "job", -1, run->key);
	bson_append_int64(&row, "number", -1, run->run->number);
	bson_append_int64(&row, "serial", -1, run->serial);
	commit_run_fields(&row, run->run);
	bson_append_document_end(array, &row);
}

static void commit_meta(const struct mo_gather *gather, const struct mo_meta *meta, bson_t *array,
    uint32_t *count)
{
	bson_t row, query, stamp, update, set;

	commit_next(array, count, &row);
	bson_append_document_begin(&row, "q", -1, &query);
	bson_append_utf8(&query, "_id", -1, meta->key, -1);
	bson_append_document_begin(&query, "stamp", -1, &stamp);
	bson_append_int64(&stamp, "$lt", -1, gather->stamp);
	bson_append_document_end(&query, &stamp);
	bson_append_document_end(&row, &query);
	bson_append_document_begin(&row, "u", -1, &update);
	bson_append_document_begin(&update, "$set", -1, &set);
	bson_append_int64(&set, "stamp", -1, gather->stamp);
	commit_words(&set, "text", meta->text);
	if (meta->text || meta->gone)
		bson_append_null(&set, "number", -1);
	else
		bson_append_int64(&set, "number", -1, meta->number);
	bson_append_document_end(&update, &set);
	bson_append_document_end(&row, &update);
	bson_append_bool(&row, "upsert", -1, true);
	bson_append_document_end(array, &row);
}

static void commit_change(const struct mo_change *change, bson_t *array, uint32_t *count)
{
	bson_t row;

	commit_next(array, count, &row);
	bson_append_int64(&row, "_id", -1, change->serial);
	bson_append_int64(&row, "at", -1, change->op->change.when);
	if (change->key)
		bson_append_int64(&row, "job", -1, change->key);
	bson_append_utf8(&row, "change", -1, change->op->change.json, -1);
	bson_append_document_end(array, &row);
}

static void commit_purge(const struct mo_purge *purge, bson_t *array, uint32_t *count)
{
	bson_t row, query;

	commit_next(array, count, &row);
	bson_append_document_begin(&row, "q", -1, &query);
	if (purge->key)
		bson_append_int64(&query, "job", -1, purge->key);
	if (purge->number)
		bson_append_int64(&query, "number", -1, purge->number);
	bson_append_document_end(&row, &query);
	bson_append_int32(&row, "limit", -1, 0);
	bson_append_document_end(array, &row);
}

/* The group as one document: lists of statements, which may be done again and again. */
static bson_t *commit_group(const struct mo_gather *gather)
{
	bson_t *group = bson_new(), list;
	uint32_t count = 0, at = 0;
	const struct mo_job *job;

	bson_append_array_begin(group, "purges", -1, &list);
	for (const struct mo_purge *purge = gather->purges; purge; purge = purge->next)
		commit_purge(purge, &list, &count);
	bson_append_array_end(group, &list);
	bson_append_array_begin(group, "jobs", -1, &list);
	for (count = 0; (job = strmap_next(&gather->jobs, &at));)
		if (job->changed)
			commit_job(gather, job, &list, &count);
	bson_append_array_end(group, &list);
	bson_append_array_begin(group, "runs", -1, &list);
	count = 0;
	for (const struct mo_run *run = gather->first_run; run; run = run->next)
		if (!run->gone)
			commit_run(gather, run, &list, &count);
	bson_append_array_end(group, &list);
	bson_append_array_begin(group, "meta", -1, &list);
	at = count = 0;
	for (const struct mo_meta *meta; (meta = strmap_next(&gather->meta, &at));)
		commit_meta(gather, meta, &list, &count);
	bson_append_array_end(group, &list);
	bson_append_array_begin(group, "changes", -1, &list);
	count = 0;
	for (const struct mo_change *change = gather->first_change; change; change = change->next)
		commit_change(change, &list, &count);
	bson_append_array_end(group, &list);
	return group;
}

/* ---- The commit ---- */

/* Room for the rest of the owner's document. */
#define COMMIT_MOST (15 * 1024 * 1024)

static int commit_write_down(struct store_link *link, const struct store_batch *first,
    const bson_t *group, struct schedd_error *err)
{
	struct mo_link *mo = mo_of(link);
	int64_t found = 0;
	bson_t *array;
	int rc;

	if (group->len > COMMIT_MOST)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "store '%s': a change of %u bytes does not fit into one document, which has at most "
		    "%d",
		    link->config->name, (unsigned)group->len, COMMIT_MOST);
	array = BCON_NEW("0", "{", "q", "{", "_id", BCON_UTF8("owner"), "epoch",
	    BCON_INT64((int64_t)link->epoch), "session", BCON_INT64(mo->session), "}", "u", "{",
	    "$set", "{", "batch", BCON_INT64((int64_t)first->serial), "group",
	    BCON_BIN(BSON_SUBTYPE_BINARY, bson_get_data(group), group->len), "next_key",
	    BCON_INT64(mo->next_key), "next_serial", BCON_INT64(mo->next_serial), "}", "$inc", "{",
	    "beat", BCON_INT64(1), "}", "}", "}");
	mo->sent = true;
	rc = store_mongodb_talk_write(link, "update", MO_OWNER, array, (struct mo_write){.sure = true, .found = &found}, err);
	bson_destroy(array);
	if (rc == 0 && found != 1)
		rc = store_link_fail(
		    link, STORE_FAULT_FENCED, err, "another schedd has taken it over");
	/* What the server answers with an error it has not stored. */
	if (rc && link->fault != STORE_FAULT_UNKNOWN)
		mo->sent = false;
	return rc;
}

int store_mongodb_commit(struct store_link *link, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err)
{
	struct mo_gather gather;
	bson_t *group = NULL;
	int rc = store_mongodb_gather(&gather, link, first, end, err);

	if (rc == 0) {
		group = commit_group(&gather);
		rc = commit_write_down(link, first, group, err);
	}
	if (rc == 0 && store_mongodb_carry_out(link, group, err)) {
		/* It is stored; the next connection carries it out, before anything else. */
		link->fault = STORE_FAULT_UNKNOWN;
		rc = SCHEDD_EFAILED;
	}
	if (rc == 0)
		mo_of(link)->sent = false;
	if (group)
		bson_destroy(group);
	store_mongodb_gather_clear(&gather);
	return rc;
}

/* ---- What became of it ---- */

static bool commit_take_batch(const bson_t *row, void *context)
{
	*(int64_t *)context = mo_number(row, "batch", -1);
	return false;
}

/* What a former connection may still have under way finds another session and changes nothing. */
int store_mongodb_resolve(struct store_link *link, struct store_batch *first,
    struct store_batch *end, bool *stored, struct schedd_error *err)
{
	int64_t batch = -1;
	int rc = store_mongodb_talk_find(link, MO_OWNER,
	    BCON_NEW("_id", BCON_UTF8("owner"), "life", BCON_UTF8(link->config->life)),
	    BCON_NEW("projection", "{", "batch", BCON_INT32(1), "}"), commit_take_batch, &batch, err);

	/* The verdicts are known: they were reached before it was sent. */
	(void)end;
	*stored = rc == 0 && batch == (int64_t)first->serial;
	return rc;
}
