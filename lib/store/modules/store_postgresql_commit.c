/* SPDX-License-Identifier: MIT */
/*
 * A group of batches becomes one pipeline, which is one transaction and one
 * round trip: its first statement is the owner's guard, its sync the commit.
 * Entries of a kind are gathered into statements over sets of rows. What must
 * not be makes a statement fail, for there is no looking before the commit: a
 * guard that finds another owner divides by zero, anything else turns a text
 * with its reason into a number.
 */
#include "store/modules/store_postgresql_commit.h"

#include <stdlib.h>
#include <string.h>

/* ---- Entries ---- */

static void commit_job(struct commit *commit, struct store_op *op)
{
	bool add = op->kind == STORE_OP_ADD_JOB;
	struct pg_rows *rows = &commit->sets[add ? PG_SET_ADDS : PG_SET_PUTS];
	const struct job_state *state = &op->put_job.state;
	struct strbuf text = STRBUF_EMPTY;

	if (commit->link->host->encode(op->put_job.job, state, &text, &commit->err)) {
		commit->failed = true;
		return;
	}
	if (commit->sets[PG_SET_CLAIMS].count || commit->sets[PG_SET_FIRES].count || rows->count >= COMMIT_ROWS)
		pg_commit_flush(commit);
	pg_commit_once(commit, arena_printf(&commit->arena, "j%s", op->put_job.job->id));
	if (add)
		commit->adds[commit->add_count++] = op;
	pg_rows_text(rows, op->put_job.job->id);
	pg_rows_text(rows, strbuf_peek(&text));
	pg_rows_time(rows, state->next_fire);
	pg_rows_time(rows, state->next_run_time);
	pg_rows_number(rows, (int64_t)state->run_count);
	pg_rows_number(rows, state->last_run);
	pg_rows_number(rows, state->revision);
	/* Of a slot of a place: NULL. */
	pg_rows_time(rows, node_job_column(op->put_job.job));
	pg_rows_end(rows);
	pg_commit_feed(commit, NODES_LINE_JOB, op->put_job.job->id, 0, NULL);
	strbuf_clear(&text);
}

static bool commit_seen(const struct commit *commit, const char *text)
{
	return text && strmap_get(&commit->seen, text) != NULL;
}

/* A row of a run that did not begin is new: those of its job behind it come later, which fires would not. */
static void commit_new_row(struct commit *commit, const struct run *run)
{
	struct commit_key *key;

	if (run->started_at != SCHEDD_TIME_NONE)
		return;
	key = arena_alloc(&commit->arena, sizeof(*key));
	if (!key)
		return;
	key->text = arena_printf(&commit->arena, "n%s", run->job);
	if (key->text)
		(void)!strmap_put(&commit->seen, key);
}

/* With its run, which is passed over then. */
static void commit_fire(struct commit *commit, struct store_op *op)
{
	struct pg_rows *rows = &commit->sets[PG_SET_FIRES];
	const struct run *run = &op->next->run.run;
	const char *text = arena_printf(&commit->arena, "r%s/%u", run->job, (unsigned)run->number);
	const char *row = arena_printf(&commit->arena, "n%s", run->job);

	if (rows->count >= COMMIT_ROWS || commit_seen(commit, text) || commit_seen(commit, row))
		pg_commit_flush(commit);
	pg_commit_once(commit, arena_printf(&commit->arena, "c%s", op->claim.id));
	pg_commit_once(commit, text);
	op->claim.given = STORE_CLAIM_DONE;
	commit->fires[commit->fire_count++] = op;
	commit->fired = op->next;
	pg_rows_fire(rows, op, commit->link->config->shared);
}

static void commit_claim(struct commit *commit, struct store_op *op)
{
	struct pg_rows *rows = &commit->sets[PG_SET_CLAIMS];

	if (pg_fire_is(op)) {
		commit_fire(commit, op);
		return;
	}
	if (rows->count >= COMMIT_ROWS)
		pg_commit_flush(commit);
	pg_commit_once(commit, arena_printf(&commit->arena, "c%s", op->claim.id));
	op->prepared = (void *)(uintptr_t)commit->place;
	op->claim.given = STORE_CLAIM_DONE;
	commit->claims[commit->claim_count++] = op;
	pg_rows_number(rows, commit->place++);
	pg_rows_text(rows, op->claim.id);
	pg_rows_number(rows, op->claim.expected);
	pg_rows_time(rows, op->claim.next_fire);
	pg_rows_time(rows, op->claim.next_run_time);
	pg_rows_number(rows, (int64_t)op->claim.run_count);
	pg_rows_number(rows, op->claim.last_run);
	pg_rows_number(rows, op->claim.verdict == NULL);
	pg_rows_number(rows, commit->link->config->shared ? op->claim.revision : 0);
	pg_rows_end(rows);
}

static void commit_ensure_id(struct commit *commit, const char *id)
{
	pg_rows_text(&commit->sets[PG_SET_ENSURE], id);
	pg_rows_end(&commit->sets[PG_SET_ENSURE]);
}

static void commit_run(struct commit *commit, struct store_op *op)
{
	struct pg_rows *rows = &commit->sets[PG_SET_RUNS];
	const struct run *run = &op->run.run;

	if (op == commit->fired)
		return;
	if (rows->count >= COMMIT_ROWS)
		pg_commit_flush(commit);
	pg_commit_once(commit,
	    arena_printf(&commit->arena, "r%s/%u", run->job, (unsigned)run->number));
	commit_new_row(commit, run);
	if (!op->run.claim)
		commit_ensure_id(commit, run->job);
	pg_rows_number(
	    rows, op->run.claim ? (int64_t)(uintptr_t)op->run.claim->prepared : 0);
	pg_rows_text(rows, run->job);
	pg_rows_run(rows, run);
}

static void commit_output(struct commit *commit, struct store_op *op)
{
	struct pg_rows *rows = &commit->sets[PG_SET_OUTPUT];

	if (rows->count >= COMMIT_ROWS)
		pg_commit_flush(commit);
	pg_commit_once(commit,
	    arena_printf(&commit->arena, "o%s/%u", op->output.job, (unsigned)op->output.number));
	pg_rows_text(rows, op->output.job);
	pg_rows_number(rows, op->output.number);
	pg_rows_bytes(rows, op->output.bytes, op->output.length);
	pg_rows_end(rows);
}

static void commit_change(struct commit *commit, struct store_op *op)
{
	struct pg_rows *rows = &commit->sets[PG_SET_CHANGES];

	if (op->change.job)
		commit_ensure_id(commit, op->change.job);
	pg_rows_number(rows, op->change.when);
	pg_rows_text(rows, op->change.job);
	pg_rows_text(rows, op->change.json);
	pg_rows_end(rows);
}

static void commit_meta_row(
    struct commit *commit, const char *key, const char *text, int64_t number)
{
	struct pg_rows *rows = &commit->sets[PG_SET_META];

	pg_commit_once(commit, arena_printf(&commit->arena, "m%s", key));
	pg_rows_text(rows, key);
	if (text)
		pg_rows_text(rows, NULL);
	else
		pg_rows_number(rows, number);
	pg_rows_text(rows, text);
	pg_rows_end(rows);
}

/* Every claim says that the scheduler lives; of those that share it, the lease says so. */
static void commit_number(struct commit *commit, struct store_op *op)
{
	if (commit->link->config->shared)
		return;
	commit_meta_row(commit, op->number.key, NULL, op->number.number);
}

static void commit_text(struct commit *commit, struct store_op *op)
{
	if (store_nodes_told(op->text.key))
		pg_commit_feed(commit, NODES_LINE_TEXT, op->text.key, 0, NULL);
	if (op->text.text) {
		commit_meta_row(commit, op->text.key, op->text.text, 0);
		return;
	}
	pg_commit_flush(commit);
	pg_commit_alone(commit, op->text.must ? pg_sql_meta_take : pg_sql_meta_delete, op->text.key, NULL,
	    NULL);
}

static void commit_delete_job(struct commit *commit, struct store_op *op)
{
	int64_t last = op->delete_job.last_run;

	pg_commit_flush(commit);
	pg_commit_alone(commit, pg_sql_delete, op->delete_job.id, NULL, &last);
	if (last)
		pg_commit_alone(commit, pg_sql_remember, op->delete_job.id, NULL, &last);
	pg_commit_feed(commit, NODES_LINE_JOB, op->delete_job.id, 0, NULL);
}

static void commit_expect_job(struct commit *commit, struct store_op *op)
{
	struct pg_params params;

	pg_commit_flush(commit);
	if (op->expect.idle) {
		pg_commit_alone(commit, pg_sql_expect_idle, op->expect.id, NULL, NULL);
		return;
	}
	pg_params_init(&params);
	pg_params_text(&params, op->expect.id);
	pg_params_number(&params, op->expect.revision);
	if (op->expect.same) {
		pg_params_number(&params, op->expect.last_run);
		pg_params_time(&params, op->expect.next_fire);
	}
	pg_commit_send(commit, op->expect.same ? pg_sql_expect_same : pg_sql_expect, &params);
	pg_params_clear(&params);
}

static void commit_rename_job(struct commit *commit, struct store_op *op)
{
	const char *from = op->rename.id, *to = op->rename.to;

	commit_ensure_id(commit, from);
	pg_commit_flush(commit);
	pg_commit_alone(commit, pg_sql_rename_check, to, NULL, NULL);
	pg_commit_alone(commit, pg_sql_rename_room, to, NULL, NULL);
	pg_commit_alone(commit, pg_sql_rename, from, to, NULL);
	pg_commit_alone(commit, pg_sql_rename_remember, from, to, NULL);
	pg_commit_feed(commit, NODES_LINE_JOB, from, 0, NULL);
	pg_commit_feed(commit, NODES_LINE_JOB, to, 0, NULL);
}

static void commit_purge_runs(struct commit *commit, struct store_op *op)
{
	int64_t number = op->purge.number;

	pg_commit_flush(commit);
	pg_commit_alone(commit, op->purge.job ? pg_sql_purge : pg_sql_purge_all, op->purge.job, NULL, &number);
}

static void (*const commit_verbs[STORE_OP_COUNT])(struct commit *, struct store_op *) = {
    [STORE_OP_PUT_JOB] = commit_job,
    [STORE_OP_ADD_JOB] = commit_job,
    [STORE_OP_EXPECT] = commit_expect_job,
    [STORE_OP_CLAIM] = commit_claim,
    [STORE_OP_DELETE_JOB] = commit_delete_job,
    [STORE_OP_PUT_RUN] = commit_run,
    [STORE_OP_PURGE_RUNS] = commit_purge_runs,
    [STORE_OP_RENAME] = commit_rename_job,
    [STORE_OP_PUT_NUMBER] = commit_number,
    [STORE_OP_PUT_TEXT] = commit_text,
    [STORE_OP_PUT_CHANGE] = commit_change,
    [STORE_OP_GIVE] = pg_commit_give,
    [STORE_OP_TELL] = pg_commit_tell,
    [STORE_OP_NODE] = pg_commit_node,
    [STORE_OP_PUT_OUTPUT] = commit_output,
};

/* ---- A group ---- */

static const char *commit_seen_key(const void *item)
{
	return ((const struct commit_key *)item)->text;
}

static int commit_init(struct commit *commit, struct store_link *link, struct schedd_error *err)
{
	memset(commit, 0, sizeof(*commit));
	commit->link = link;
	commit->place = 1;
	commit->last = &commit->first;
	strmap_init(&commit->seen, commit_seen_key);
	arena_init(&commit->arena);
	commit->claims = arena_alloc(&commit->arena, COMMIT_ROWS * sizeof(commit->claims[0]));
	commit->fires = arena_alloc(&commit->arena, COMMIT_ROWS * sizeof(commit->fires[0]));
	commit->adds = arena_alloc(&commit->arena, COMMIT_ROWS * sizeof(commit->adds[0]));
	return arena_failed(&commit->arena) ? schedd_error_nomem(err) : 0;
}

static void commit_clear(struct commit *commit)
{
	for (int set = 0; set < PG_SETS; set++)
		pg_rows_clear(&commit->sets[set]);
	pg_rows_clear(&commit->feed);
	strmap_clear(&commit->seen);
	arena_clear(&commit->arena);
}

/* Reads what was sent. The first failure is the group's. */
static int commit_read(struct commit *commit, struct schedd_error *err)
{
	struct store_link *link = commit->link;
	int rc = 0;

	for (const struct commit_sent *sent = commit->first; sent; sent = sent->next) {
		struct schedd_error later;
		PGresult *result = store_postgresql_talk_next(link, rc ? &later : err);
		ExecStatusType status;

		if (!result)
			return SCHEDD_EFAILED;
		status = PQresultStatus(result);
		if (status == PGRES_TUPLES_OK && sent->take) {
			sent->take(sent, result);
		} else if (status == PGRES_FATAL_ERROR && rc == 0) {
			rc = store_postgresql_reason(link, result, err);
			if (rc == 0)
				rc = store_postgresql_talk_failed(link, result, err);
		} else if (sent == commit->first && strcmp(PQcmdTuples(result), "0") == 0 && rc == 0) {
			rc = store_link_fail(link, STORE_FAULT_FENCED, err, "who owns it was deleted there");
		}
		PQclear(result);
	}
	{
		struct schedd_error later;
		int end = store_postgresql_talk_end(link, rc ? &later : err);

		return rc ? rc : end;
	}
}

/* One claim and nothing else is a statement with its guard. */
static bool commit_only(struct commit *commit, struct store_batch *first, struct store_batch *end)
{
	struct commit_sent sent = {.take = pg_commit_take_fire, .count = 1};
	struct store_op *only = pg_fire_only(commit->link, first, end);

	if (!only)
		return false;
	sent.ops = &only;
	pg_commit_put_sent(commit, &sent);
	pg_commit_fail(commit, pg_fire_send(commit->link, only, first->serial, &commit->err));
	return true;
}

static void commit_send_all(struct commit *commit, struct store_batch *first, struct store_batch *end)
{
	if (commit_only(commit, first, end))
		return;
	pg_commit_guard(commit, first->serial);
	for (struct store_batch *batch = first; batch != end; batch = batch->next)
		for (struct store_op *op = batch->first; op && !commit->failed; op = op->next)
			commit_verbs[op->kind](commit, op);
	pg_commit_flush(commit);
	pg_commit_send_feed(commit);
}

static int commit_group(struct commit *commit, struct store_batch *first, struct store_batch *end,
    struct schedd_error *err)
{
	struct pg_link *pg = pg_of(commit->link);
	int rc;

	commit_send_all(commit, first, end);
	if (commit->failed || arena_failed(&commit->arena)) {
		if (!commit->failed)
			schedd_error_nomem(&commit->err);
		*err = commit->err;
		/* Nothing of it takes effect without the sync: the connection is given up. */
		if (commit->link->fault == STORE_FAULT_NONE)
			commit->link->fault = STORE_FAULT_GONE;
		return SCHEDD_EFAILED;
	}
	pg->sent = true;
	if (!PQpipelineSync(pg->conn))
		return store_link_fail(commit->link, STORE_FAULT_UNKNOWN, err, "%s",
		    PQerrorMessage(pg->conn));
	rc = commit_read(commit, err);
	/* An error that the server answered is no doubt: it has undone all of it. */
	if (commit->link->fault != STORE_FAULT_UNKNOWN)
		pg->sent = false;
	return rc;
}

int store_postgresql_commit(struct store_link *link, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err)
{
	struct commit commit;
	int rc = commit_init(&commit, link, err);

	if (rc == 0 && !PQenterPipelineMode(pg_of(link)->conn))
		rc = store_link_fail(link, STORE_FAULT_GONE, err, "%s",
		    PQerrorMessage(pg_of(link)->conn));
	if (rc == 0)
		rc = commit_group(&commit, first, end, err);
	if (rc == 0)
		pg_of(link)->place.stored = first->serial;
	if (link->fault == STORE_FAULT_NONE)
		store_postgresql_talk_leave(link, rc == 0);
	if (link->fault == STORE_FAULT_NONE)
		link->told = pg_commit_told(&commit);
	commit_clear(&commit);
	return rc;
}
