/* SPDX-License-Identifier: MIT */
/*
 * A batch on its way to the job store. Batches keep their order; one that adds
 * or renames waits for what the history knows of its ids, for there lie the runs
 * that must not be numbered, or named, twice.
 */
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "store/store_split_parts.h"

/* What the history is asked about one entry of a batch. */
struct split_asked {
	struct split_batch *batch;
	struct store_op *op;
	char text[]; /* an id */
};

void split_batch_free(struct split_batch *batch)
{
	while (batch->notes) {
		struct split_item *item = batch->notes;

		batch->notes = item->next;
		split_item_free(item);
	}
	free(batch);
}

static void commit_must_fail(struct split_batch *batch, int rc, const struct schedd_error *err)
{
	const struct split *split = batch->split;

	if (batch->rc)
		return;
	batch->rc = rc;
	schedd_error_set(&batch->err, rc, "store '%s': its history: %s", split->base.name,
	    err->message);
}

static void commit_heard(struct split_asked *asked)
{
	struct split *split = asked->batch->split;

	asked->batch->questions--;
	free(asked);
	split->turn(split);
}

static void commit_take_number(
    int rc, const struct schedd_error *err, int64_t number, void *context)
{
	struct split_asked *asked = context;
	struct job_state *state = &asked->op->put_job.state;

	if (rc)
		commit_must_fail(asked->batch, rc, err);
	else if (number > state->last_run && number <= UINT32_MAX)
		state->last_run = (uint32_t)number;
	commit_heard(asked);
}

static void commit_take_runs(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct split_asked *asked = context;
	struct split_batch *batch = asked->batch;

	(void)runs;
	(void)cursor;
	if (rc) {
		commit_must_fail(batch, rc, err);
	} else if (count && !batch->rc) {
		batch->rc = schedd_error_set(&batch->err, SCHEDD_ECONFLICT,
		    "store '%s': runs of a removed job '%s' are still kept, purge them first",
		    batch->split->base.name, asked->text);
	}
	commit_heard(asked);
}

static void commit_ask(struct split_batch *batch, struct store_op *op)
{
	struct store *history = batch->split->history;
	const char *id = op->kind == STORE_OP_RENAME ? op->rename.to : op->put_job.job->id;
	struct split_asked *asked = malloc(sizeof(*asked) + strlen(id) + 1);
	const char *const jobs[] = {id, NULL};
	struct store_run_query query = {
	    .jobs = jobs, .since = SCHEDD_TIME_NONE, .until = SCHEDD_TIME_NONE, .limit = 1};
	struct schedd_error err;

	if (!asked) {
		commit_must_fail(batch, schedd_error_nomem(&err), &err);
		return;
	}
	asked->batch = batch;
	asked->op = op;
	strcpy(asked->text, id);
	batch->questions++;
	if (op->kind == STORE_OP_RENAME)
		store_query_runs(history, &query, commit_take_runs, asked);
	else
		store_last_run(history, id, commit_take_number, asked);
}

void split_commit(struct store *store, struct store_batch *outer)
{
	struct split *split = (struct split *)store;
	struct split_batch *batch = calloc(1, sizeof(*batch));

	if (!batch) {
		outer->rc = schedd_error_nomem(&outer->err);
		store_batch_put(outer);
		return;
	}
	split->given++;
	batch->split = split;
	batch->outer = outer;
	batch->last_note = &batch->notes;
	batch->rc = store_batch_check(outer, &batch->err);
	*split->held_last = batch;
	split->held_last = &batch->next;
	/* Held as long as it asks, so that no answer finds it half asked. */
	batch->questions++;
	for (struct store_op *op = batch->rc ? NULL : outer->first; op; op = op->next)
		if (op->kind == STORE_OP_ADD_JOB || op->kind == STORE_OP_RENAME)
			commit_ask(batch, op);
	batch->questions--;
	split_give(split);
}

/* ---- To the job store ---- */

static void commit_copy_op(struct store_batch *to, struct store_op *op)
{
	struct job_state state = {0};

	switch (op->kind) {
	case STORE_OP_PUT_JOB:
		store_batch_put_job(to, op->put_job.job, &op->put_job.state);
		break;
	case STORE_OP_ADD_JOB:
		store_batch_add_job(
		    to, op->put_job.job, &op->put_job.state, &op->put_job.given);
		break;
	case STORE_OP_EXPECT:
		store_batch_expect(to, op->expect.id, op->expect.revision);
		break;
	case STORE_OP_CLAIM:
		state.next_fire = op->claim.next_fire;
		state.next_run_time = op->claim.next_run_time;
		state.run_count = op->claim.run_count;
		state.last_run = op->claim.last_run;
		store_batch_claim(to, op->claim.id, op->claim.expected, &state,
		    op->claim.verdict ? &op->claim.given : NULL);
		break;
	case STORE_OP_DELETE_JOB:
		store_batch_delete_job(to, op->delete_job.id, op->delete_job.last_run);
		break;
	case STORE_OP_PUT_RUN:
		store_batch_put_run(to, &op->run.run);
		break;
	case STORE_OP_PURGE_RUNS:
		if (op->purge.upto)
			store_batch_purge_some(to, op->purge.job, op->purge.upto, 0, NULL);
		else
			store_batch_purge_runs(to, op->purge.job, op->purge.number);
		break;
	case STORE_OP_RENAME:
		store_batch_rename(to, op->rename.id, op->rename.to);
		break;
	case STORE_OP_PUT_NUMBER:
		store_batch_put_number(to, op->number.key, op->number.number);
		break;
	case STORE_OP_PUT_TEXT:
		store_batch_put_text(to, op->text.key, op->text.text);
		break;
	case STORE_OP_PUT_CHANGE: /* in a note */
	case STORE_OP_GIVE:       /* of stores that are shared, which keep their history */
	case STORE_OP_TELL:
	case STORE_OP_NODE:
	case STORE_OP_PUT_OUTPUT:
	case STORE_OP_COUNT:
		break;
	}
}

static void commit_queue_notes(struct split *split, struct split_batch *batch)
{
	while (batch->notes) {
		struct split_item *item = batch->notes;

		batch->notes = item->next;
		item->next = NULL;
		split_items_add(split, item);
	}
}

/*
 * The job store has it: what it is to the history is queued. Runs that stand
 * behind a purge or a rename are put after it.
 */
static int commit_queue(struct split *split, struct split_batch *batch)
{
	int rc = 0;

	for (const struct store_op *op = batch->outer->first; op; op = op->next)
		if (op->kind == STORE_OP_RENAME) {
			commit_queue_notes(split, batch);
			split_rows_rename(split, op->rename.id, op->rename.to);
		} else if (op->kind == STORE_OP_PURGE_RUNS) {
			commit_queue_notes(split, batch);
			split_rows_purge(
			    split, op->purge.job, op->purge.number, op->purge.upto);
		} else if (op->kind == STORE_OP_PUT_RUN && !store_op_void(op) &&
			   split_rows_take(split, &op->run.run, false)) {
			rc = SCHEDD_ENOMEM;
		}
	commit_queue_notes(split, batch);
	return rc;
}

static void commit_done(int rc, const struct schedd_error *err, void *context)
{
	struct split_batch *batch = context;
	struct split *split = batch->split;
	struct store_batch *outer = batch->outer;

	split->taken++;
	outer->rc = rc;
	if (rc)
		outer->err = *err;
	atomic_store(&split->base.on_reserve, store_on_reserve(split->jobs));
	if (rc == 0 && commit_queue(split, batch))
		log_error(split->base.log,
		    "store '%s': no memory for rows of history, they are written at the next start",
		    split->base.name);
	split_batch_free(batch);
	/* Before the answer, so that a question it asks finds what was answered. */
	split_move(split);
	store_batch_answer(outer);
	split->turn(split);
}

static void commit_unknown(const struct schedd_error *err, void *context)
{
	const struct split_batch *batch = context;

	store_batch_unknown(batch->outer, err);
}

static void commit_give(struct split *split, struct split_batch *batch)
{
	struct store_batch *inner = store_batch_new(split->jobs), *outer = batch->outer;

	if (!batch->rc)
		batch->rc = split_note_write(batch, &batch->err);
	if (batch->rc || !inner) {
		outer->rc = batch->rc ? batch->rc : SCHEDD_ENOMEM;
		outer->err = batch->err;
		if (!batch->rc)
			schedd_error_nomem(&outer->err);
		store_batch_free(inner);
		split_batch_free(batch);
		split->taken++;
		store_batch_put(outer);
		return;
	}
	inner->epoch = outer->epoch;
	for (struct store_op *op = outer->first; op; op = op->next)
		commit_copy_op(inner, op);
	for (const struct split_item *item = batch->notes; item; item = item->next)
		store_batch_put_text(inner, item->key, item->text);
	if (outer->ends)
		store_batch_ends(inner);
	if (outer->owed)
		store_batch_owed(inner);
	store_batch_on_unknown(inner, commit_unknown);
	store_commit(split->jobs, inner, commit_done, batch);
}

void split_give(struct split *split)
{
	while (split->held && split->held->questions == 0) {
		struct split_batch *batch = split->held;

		split->held = batch->next;
		if (!split->held)
			split->held_last = &split->held;
		batch->next = NULL;
		commit_give(split, batch);
	}
}
