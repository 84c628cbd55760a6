/* SPDX-License-Identifier: MIT */
/*
 * A group of batches becomes one pipeline, which is one transaction and one
 * round trip: its first statement is the owner's guard, its sync the commit.
 * Entries of a kind are gathered into statements over sets of rows. What must
 * not be makes a statement fail, for there is no looking before the commit: a
 * guard that finds another owner divides by zero, anything else turns a text
 * with its reason into a number.
 */
#include <stdlib.h>
#include <string.h>
#include "base/strmap.h"
#include "store/modules/store_postgresql_array.h"
#include "store/modules/store_postgresql_sql.h"

#define COMMIT_ROWS 5000 /* in one statement */

/* What a statement under way answers. */
struct commit_sent {
	struct commit_sent *next;
	void (*take)(const struct commit_sent *sent, const PGresult *result);
	struct store_op **ops;
	uint32_t count;
	uint32_t place; /* of the first claim */
};

struct commit_key {
	const char *text;
};

struct commit {
	struct store_link *link;
	struct pg_rows sets[PG_SETS];
	struct pg_rows feed; /* sent last of all */
	struct strmap seen; /* ids and runs in the sets: none may stand in one statement twice */
	struct arena arena;
	struct store_op **claims, **adds; /* of the sets, COMMIT_ROWS each */
	uint32_t claim_count, add_count;
	uint32_t place; /* of the next claim, from 1 */
	struct commit_sent *first, **last;
	bool given;  /* slots have changed hands */
	bool failed; /* the connection is gone: nothing more is sent */
	struct schedd_error err;
};

/* ---- Sending ---- */

static void commit_put_sent(struct commit *commit, const struct commit_sent *from)
{
	struct commit_sent *sent = arena_alloc(&commit->arena, sizeof(*sent));

	if (!sent)
		return;
	*sent = *from;
	sent->next = NULL;
	sent->ops = arena_alloc(&commit->arena, (from->count + 1) * sizeof(sent->ops[0]));
	if (sent->ops && from->count)
		memcpy(sent->ops, from->ops, from->count * sizeof(sent->ops[0]));
	*commit->last = sent;
	commit->last = &sent->next;
}

/* Every claim is lost until a row says otherwise. */
static void commit_take_claims(const struct commit_sent *sent, const PGresult *result)
{
	for (uint32_t i = 0; i < sent->count; i++)
		sent->ops[i]->claim.given = STORE_CLAIM_LOST;
	for (int i = 0; i < PQntuples(result); i++) {
		uint64_t place = strtoull(PQgetvalue(result, i, 0), NULL, 10);

		if (place >= sent->place && place - sent->place < sent->count)
			sent->ops[place - sent->place]->claim.given = STORE_CLAIM_DONE;
	}
}

static void commit_take_adds(const struct commit_sent *sent, const PGresult *result)
{
	/* Rows nearly always come as they were sent. */
	for (int i = 0; i < PQntuples(result); i++) {
		const char *id = PQgetvalue(result, i, 0);
		uint32_t at = (uint32_t)i;

		for (uint32_t tries = 0; tries < sent->count; tries++, at++) {
			struct store_op *op = sent->ops[at % sent->count];

			if (strcmp(op->put_job.job->id, id) != 0)
				continue;
			op->put_job.given = (uint32_t)strtoull(PQgetvalue(result, i, 1), NULL, 10);
			break;
		}
	}
}

static void commit_fail(struct commit *commit, int rc)
{
	if (rc)
		commit->failed = true;
}

static const char *commit_statement(const struct commit *commit, enum pg_set set)
{
	if (commit->link->config->shared && set == PG_SET_ADDS)
		return pg_sql_adds_shared;
	if (commit->link->config->shared && set == PG_SET_RUNS)
		return pg_sql_runs_shared;
	if (set == PG_SET_ADDS && commit->sets[set].count == 1)
		return pg_sql_add;
	if (commit->link->config->shared && set == PG_SET_META)
		return pg_sql_meta_shared;
	return pg_sql_sets[set];
}

static void commit_send_set(struct commit *commit, enum pg_set set)
{
	struct commit_sent sent = {.place = commit->place - commit->claim_count};

	if (commit->sets[set].count == 0 || commit->failed)
		return;
	if (set == PG_SET_CLAIMS) {
		sent.take = commit_take_claims;
		sent.ops = commit->claims;
		sent.count = commit->claim_count;
		commit->claim_count = 0;
	} else if (set == PG_SET_ADDS) {
		sent.take = commit_take_adds;
		sent.ops = commit->adds;
		sent.count = commit->add_count;
		commit->add_count = 0;
	}
	commit_put_sent(commit, &sent);
	commit_fail(commit,
	    pg_rows_send(&commit->sets[set], commit->link, commit_statement(commit, set), &commit->err));
}

/* In an order in which each finds what it needs. */
static void commit_flush(struct commit *commit)
{
	for (int set = 0; set < PG_SETS; set++)
		commit_send_set(commit, (enum pg_set)set);
	strmap_clear(&commit->seen);
	strmap_init(&commit->seen, commit->seen.key);
}

static void commit_send(struct commit *commit, const char *text, const struct pg_params *params)
{
	struct commit_sent none = {.take = NULL};

	if (commit->failed)
		return;
	commit_put_sent(commit, &none);
	commit_fail(commit,
	    store_postgresql_talk_send(commit->link, text, params, &commit->err));
}

/* A statement of its own about one or two texts; what was gathered goes before it. */
static void commit_alone(struct commit *commit, const char *text, const char *first,
    const char *second, const int64_t *number)
{
	struct pg_params params;

	pg_params_init(&params);
	pg_params_text(&params, first);
	if (second)
		pg_params_text(&params, second);
	if (number)
		pg_params_number(&params, *number);
	commit_send(commit, text, &params);
	pg_params_clear(&params);
}

/* Flushes if that stands in the sets already: a statement must not touch a row twice. */
static void commit_once(struct commit *commit, const char *text)
{
	struct commit_key *key = arena_alloc(&commit->arena, sizeof(*key));

	if (!key)
		return;
	key->text = text;
	if (strmap_put(&commit->seen, key) != SCHEDD_ECONFLICT)
		return;
	commit_flush(commit);
	(void)!strmap_put(&commit->seen, key);
}

/* A line for the other nodes. */
static void commit_feed(struct commit *commit, const char *kind, const char *id, uint32_t target,
    const char *body)
{
	struct pg_rows *rows = &commit->feed;

	if (!commit->link->config->shared)
		return;
	pg_rows_text(rows, kind);
	pg_rows_text(rows, id);
	pg_rows_number(rows, target);
	pg_rows_text(rows, body);
	pg_rows_end(rows);
}

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
	if (commit->sets[PG_SET_CLAIMS].count || rows->count >= COMMIT_ROWS)
		commit_flush(commit);
	commit_once(commit, arena_printf(&commit->arena, "j%s", op->put_job.job->id));
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
	commit_feed(commit, NODES_LINE_JOB, op->put_job.job->id, 0, NULL);
	strbuf_clear(&text);
}

static void commit_claim(struct commit *commit, struct store_op *op)
{
	struct pg_rows *rows = &commit->sets[PG_SET_CLAIMS];

	if (rows->count >= COMMIT_ROWS)
		commit_flush(commit);
	commit_once(commit, arena_printf(&commit->arena, "c%s", op->claim.id));
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

	if (rows->count >= COMMIT_ROWS)
		commit_flush(commit);
	commit_once(commit,
	    arena_printf(&commit->arena, "r%s/%u", run->job, (unsigned)run->number));
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
		commit_flush(commit);
	commit_once(commit,
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

	commit_once(commit, arena_printf(&commit->arena, "m%s", key));
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
		commit_feed(commit, NODES_LINE_TEXT, op->text.key, 0, NULL);
	if (op->text.text) {
		commit_meta_row(commit, op->text.key, op->text.text, 0);
		return;
	}
	commit_flush(commit);
	commit_alone(commit, op->text.must ? pg_sql_meta_take : pg_sql_meta_delete, op->text.key, NULL,
	    NULL);
}

static void commit_delete_job(struct commit *commit, struct store_op *op)
{
	int64_t last = op->delete_job.last_run;

	commit_flush(commit);
	commit_alone(commit, pg_sql_delete, op->delete_job.id, NULL, &last);
	if (last)
		commit_alone(commit, pg_sql_remember, op->delete_job.id, NULL, &last);
	commit_feed(commit, NODES_LINE_JOB, op->delete_job.id, 0, NULL);
}

static void commit_expect_job(struct commit *commit, struct store_op *op)
{
	struct pg_params params;

	commit_flush(commit);
	if (op->expect.idle) {
		commit_alone(commit, pg_sql_expect_idle, op->expect.id, NULL, NULL);
		return;
	}
	pg_params_init(&params);
	pg_params_text(&params, op->expect.id);
	pg_params_number(&params, op->expect.revision);
	if (op->expect.same) {
		pg_params_number(&params, op->expect.last_run);
		pg_params_time(&params, op->expect.next_fire);
	}
	commit_send(commit, op->expect.same ? pg_sql_expect_same : pg_sql_expect, &params);
	pg_params_clear(&params);
}

static void commit_rename_job(struct commit *commit, struct store_op *op)
{
	const char *from = op->rename.id, *to = op->rename.to;

	commit_ensure_id(commit, from);
	commit_flush(commit);
	commit_alone(commit, pg_sql_rename_check, to, NULL, NULL);
	commit_alone(commit, pg_sql_rename_room, to, NULL, NULL);
	commit_alone(commit, pg_sql_rename, from, to, NULL);
	commit_alone(commit, pg_sql_rename_remember, from, to, NULL);
	commit_feed(commit, NODES_LINE_JOB, from, 0, NULL);
	commit_feed(commit, NODES_LINE_JOB, to, 0, NULL);
}

static void commit_purge_runs(struct commit *commit, struct store_op *op)
{
	int64_t number = op->purge.number;

	commit_flush(commit);
	commit_alone(commit, pg_sql_purge, op->purge.job, NULL, &number);
}

static void commit_give(struct commit *commit, struct store_op *op)
{
	struct pg_params params;

	pg_params_init(&params);
	pg_params_number(&params, op->give.slot);
	pg_params_number(&params, op->give.node);
	commit_flush(commit);
	commit_send(commit, pg_sql_give, &params);
	pg_params_clear(&params);
	commit->given = true;
}

static void commit_tell(struct commit *commit, struct store_op *op)
{
	commit_feed(commit, op->tell.what, op->tell.id, op->tell.node, op->tell.text);
}

static void commit_node(struct commit *commit, struct store_op *op)
{
	commit_flush(commit);
	commit_alone(commit, pg_sql_node[op->node.verb], op->node.name, NULL, NULL);
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
    [STORE_OP_GIVE] = commit_give,
    [STORE_OP_TELL] = commit_tell,
    [STORE_OP_NODE] = commit_node,
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

static void commit_guard(struct commit *commit, uint64_t serial)
{
	const struct store_link *link = commit->link;
	struct pg_params params;

	pg_params_init(&params);
	if (link->config->shared)
		pg_params_number(&params, link->node);
	else
		pg_params_number(&params, (int64_t)serial);
	pg_params_number(&params, (int64_t)link->epoch);
	pg_params_text(&params, link->config->life);
	if (link->config->shared)
		pg_params_number(&params, (int64_t)serial);
	commit_send(commit, link->config->shared ? pg_sql_guard_shared : pg_sql_guard, &params);
	pg_params_clear(&params);
}

static void commit_send_feed(struct commit *commit)
{
	struct commit_sent none = {.take = NULL};

	if (commit->given)
		commit_feed(commit, NODES_LINE_SLOT, NULL, 0, NULL);
	if (commit->feed.count == 0 || commit->failed)
		return;
	commit_put_sent(commit, &none);
	commit_fail(commit, pg_rows_send(&commit->feed, commit->link, pg_sql_feed, &commit->err));
}

static int commit_group(struct commit *commit, struct store_batch *first, struct store_batch *end,
    struct schedd_error *err)
{
	struct pg_link *pg = pg_of(commit->link);
	int rc;

	commit_guard(commit, first->serial);
	for (struct store_batch *batch = first; batch != end; batch = batch->next)
		for (struct store_op *op = batch->first; op && !commit->failed; op = op->next)
			commit_verbs[op->kind](commit, op);
	commit_flush(commit);
	commit_send_feed(commit);
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
		pg_of(link)->stored = first->serial;
	if (link->fault == STORE_FAULT_NONE)
		store_postgresql_talk_leave(link, rc == 0);
	commit_clear(&commit);
	link->told = link->config->shared;
	return rc;
}
