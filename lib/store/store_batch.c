/* SPDX-License-Identifier: MIT */
/* Filling a batch costs one bump of an arena an entry; nothing is encoded on the loop's thread. */
#include "store/store_batch.h"

#include <stdlib.h>
#include <string.h>

/* Of a large batch as many entries are gone through at a time, and so many blocks of memory given back. */
#define BATCH_PIECE 4096
#define BATCH_BLOCKS 32

#define OP_SIZE(member)                                                                            \
	(offsetof(struct store_op, member) + sizeof(((struct store_op *)NULL)->member))

struct store_batch *store_batch_new(struct store *store)
{
	struct store_batch *batch = malloc(sizeof(*batch));

	if (!batch)
		return NULL;
	memset(batch, 0, offsetof(struct store_batch, err));
	batch->store = store;
	batch->mailbox = store->mailbox;
	batch->serial = ++store->serial;
	batch->epoch = store->epoch;
	batch->last = &batch->first;
	batch->err.code = 0;
	batch->err.offset = -1;
	batch->err.message[0] = '\0';
	return batch;
}

/* Rows that were made for it and are in no history. */
static void batch_drop_rows(struct store_batch *batch)
{
	for (struct store_op *op = batch->first; op; op = op->next)
		if (op->kind == STORE_OP_PUT_RUN && op->prepared)
			batch->store->ops->history->drop_rows(batch->store, op->prepared);
}

/* Frees so much of it as is done at one time. True: all of it. */
static bool batch_free_some(struct store_batch *batch)
{
	struct store_op *op = batch->jobs ? batch->first : NULL;

	for (uint32_t i = 0; op && i < BATCH_PIECE; i++, op = op->next)
		if (op->kind == STORE_OP_PUT_JOB || op->kind == STORE_OP_ADD_JOB)
			job_unref(op->put_job.job);
	batch->first = op;
	if (op || !arena_clear_some(&batch->arena, BATCH_BLOCKS))
		return false;
	free(batch);
	return true;
}

static void batch_free_more(struct mailbox_letter *letter)
{
	struct store_batch *batch =
	    (struct store_batch *)((char *)letter - offsetof(struct store_batch, letter));

	if (!batch_free_some(batch))
		mailbox_post(batch->mailbox, &batch->letter);
}

void store_batch_free(struct store_batch *batch)
{
	if (!batch)
		return;
	if (batch->makes_rows)
		batch_drop_rows(batch);
	/* The rest of a large one with the next turns of the loop. */
	batch->letter.open = batch_free_more;
	if (!batch_free_some(batch))
		mailbox_post(batch->mailbox, &batch->letter);
}

/* NULL when there is no memory or no batch; the batch remembers. */
static struct store_op *batch_add(struct store_batch *batch, enum store_op_kind kind, size_t size)
{
	struct store_op *op;

	if (!batch)
		return NULL;
	op = arena_alloc(&batch->arena, size);
	if (!op) {
		batch->failed = true;
		return NULL;
	}
	op->kind = kind;
	*batch->last = op;
	batch->last = &op->next;
	batch->rows = NULL;
	batch->count++;
	return op;
}

/* A copy in the batch; NULL stays NULL. */
static char *batch_text(struct store_batch *batch, const char *text)
{
	return text ? arena_strdup(&batch->arena, text) : NULL;
}

static struct store_op *batch_job(struct store_batch *batch, enum store_op_kind kind,
    const struct schedd_job *job, const struct job_state *state)
{
	struct store_op *op = batch_add(batch, kind, OP_SIZE(put_job));

	if (!op)
		return NULL;
	/* The count of references is all that changes in an accepted job. */
	op->put_job.job = job_ref((struct schedd_job *)job);
	batch->jobs = true;
	op->put_job.state = *state;
	op->put_job.state.paused_reason = batch_text(batch, state->paused_reason);
	op->put_job.state.invalid = batch_text(batch, state->invalid);
	op->put_job.last_run = NULL;
	op->put_job.given = state->last_run;
	return op;
}

void store_batch_put_job(
    struct store_batch *batch, const struct schedd_job *job, const struct job_state *state)
{
	if (batch && !batch->store->ops->keeps_jobs)
		return;
	batch_job(batch, STORE_OP_PUT_JOB, job, state);
}

/* Carried even where jobs are not kept: the history knows the id's numbers. */
void store_batch_add_job(struct store_batch *batch, const struct schedd_job *job,
    const struct job_state *state, uint32_t *last_run)
{
	struct store_op *op = batch_job(batch, STORE_OP_ADD_JOB, job, state);

	if (!op)
		return;
	op->put_job.last_run = last_run;
	batch->tells = true;
}

static struct store_op *batch_expect(struct store_batch *batch, const char *id, uint32_t revision)
{
	struct store_op *op;

	if (batch && !batch->store->ops->keeps_jobs)
		return NULL;
	op = batch_add(batch, STORE_OP_EXPECT, OP_SIZE(expect));
	if (!op)
		return NULL;
	op->expect.id = batch_text(batch, id);
	op->expect.revision = revision;
	return op;
}

void store_batch_expect(struct store_batch *batch, const char *id, uint32_t revision)
{
	(void)batch_expect(batch, id, revision);
}

void store_batch_expect_same(
    struct store_batch *batch, const char *id, const struct job_state *state)
{
	struct store_op *op = batch && batch->store->shared
				  ? batch_expect(batch, id, state->revision)
				  : NULL;

	if (!op)
		return;
	batch->same = true;
	op->expect.same = true;
	op->expect.last_run = state->last_run;
	op->expect.next_fire = state->next_fire;
}

void store_batch_expect_idle(struct store_batch *batch, const char *id)
{
	struct store_op *op = batch && batch->store->shared ? batch_expect(batch, id, 0) : NULL;

	if (op)
		op->expect.idle = true;
}

void store_batch_claim(struct store_batch *batch, const char *id, uint32_t expected,
    const struct job_state *state, enum store_verdict *verdict)
{
	struct store_op *op;

	if (verdict)
		*verdict = STORE_CLAIM_DONE;
	if (batch && !batch->store->ops->keeps_jobs)
		return;
	op = batch_add(batch, STORE_OP_CLAIM, OP_SIZE(claim));
	if (!op)
		return;
	op->claim.id = batch_text(batch, id);
	op->claim.next_fire = state->next_fire;
	op->claim.next_run_time = state->next_run_time;
	op->claim.run_count = state->run_count;
	op->claim.last_run = state->last_run;
	op->claim.expected = expected;
	/* Also one that somebody asked for: the job may be another node's by a change of it. */
	op->claim.revision =
	    verdict || (batch->store->shared && !batch->same) ? state->revision : 0;
	op->claim.verdict = verdict;
	batch->tells = true;
	op->claim.given = STORE_CLAIM_DONE;
	batch->claim = op;
}

void store_batch_delete_job(struct store_batch *batch, const char *id, uint32_t last_run)
{
	struct store_op *op = batch_add(batch, STORE_OP_DELETE_JOB, OP_SIZE(delete_job));

	if (!op)
		return;
	op->delete_job.id = batch_text(batch, id);
	op->delete_job.last_run = last_run;
}

void store_batch_ends(struct store_batch *batch)
{
	if (batch)
		batch->ends = true;
}

void store_batch_owed(struct store_batch *batch)
{
	if (batch)
		batch->owed = true;
}

void store_batch_late(struct store_batch *batch)
{
	if (batch)
		batch->late = true;
}

static void batch_copy_run(struct store_batch *batch, const struct run *run)
{
	struct store_op *op = batch_add(batch, STORE_OP_PUT_RUN, OP_SIZE(run));
	const struct store_op *claim = batch ? batch->claim : NULL;

	if (!op)
		return;
	op->run.run = *run;
	op->run.run.job = batch_text(batch, run->job);
	op->run.run.reason = batch_text(batch, run->reason);
	op->run.run.attempts = batch_text(batch, run->attempts);
	op->run.run.actor = batch_text(batch, run->actor);
	op->run.run.node = NULL; /* its store knows */
	op->run.run.result = batch_text(batch, run->result);
	if (claim && claim->claim.id && strcmp(claim->claim.id, run->job) == 0)
		op->run.claim = claim;
}

uint32_t store_batch_put_known_run(
    struct store_batch *batch, const struct run *run, uint32_t known)
{
	const struct history_ops *history = batch ? batch->store->ops->history : NULL;

	if (!history || !history->make_row) {
		batch_copy_run(batch, run);
		return 0;
	}
	/* Rows in a row are one op. */
	if (!batch->rows) {
		batch->rows = batch_add(batch, STORE_OP_PUT_RUN, offsetof(struct store_op, run));
		batch->makes_rows = true;
	}
	if (batch->rows && !history->make_row(batch->store, run, &known, &batch->rows->prepared))
		batch->failed = true;
	return known;
}

void store_batch_put_run(struct store_batch *batch, const struct run *run)
{
	(void)store_batch_put_known_run(batch, run, 0);
}

void store_batch_purge_some(
    struct store_batch *batch, const char *job, uint32_t upto, uint32_t most, bool *more)
{
	struct store_op *op = batch_add(batch, STORE_OP_PURGE_RUNS, OP_SIZE(purge));

	if (more)
		*more = false;
	if (!op)
		return;
	op->purge.job = batch_text(batch, job);
	op->purge.number = 0;
	op->purge.upto = upto;
	op->purge.most = most;
	op->purge.more = more;
	batch->tells = true;
	op->purge.left = false;
}

void store_batch_purge_runs(struct store_batch *batch, const char *job, uint32_t number)
{
	struct store_op *op = batch_add(batch, STORE_OP_PURGE_RUNS, OP_SIZE(purge));

	if (!op)
		return;
	op->purge.job = batch_text(batch, job);
	op->purge.number = number;
	op->purge.upto = op->purge.most = 0;
	op->purge.more = NULL;
}

void store_batch_rename(struct store_batch *batch, const char *from, const char *to)
{
	struct store_op *op = batch_add(batch, STORE_OP_RENAME, OP_SIZE(rename));

	if (!op)
		return;
	op->rename.id = batch_text(batch, from);
	op->rename.to = batch_text(batch, to);
}

void store_batch_put_number(struct store_batch *batch, const char *key, int64_t number)
{
	struct store_op *op = batch_add(batch, STORE_OP_PUT_NUMBER, OP_SIZE(number));

	if (!op)
		return;
	op->number.key = batch_text(batch, key);
	op->number.number = number;
}

void store_batch_put_text(struct store_batch *batch, const char *key, const char *text)
{
	struct store_op *op = batch_add(batch, STORE_OP_PUT_TEXT, OP_SIZE(text));

	if (!op)
		return;
	op->text.key = batch_text(batch, key);
	op->text.text = batch_text(batch, text);
}

void store_batch_take_text(struct store_batch *batch, const char *key)
{
	struct store_op *op = batch_add(batch, STORE_OP_PUT_TEXT, OP_SIZE(text));

	if (!op)
		return;
	op->text.key = batch_text(batch, key);
	op->text.must = batch->store->shared;
}

void store_batch_put_change(
    struct store_batch *batch, schedd_time when, const char *job, const char *json)
{
	struct store_op *op = batch_add(batch, STORE_OP_PUT_CHANGE, OP_SIZE(change));

	if (!op)
		return;
	op->change.when = when;
	op->change.job = batch_text(batch, job);
	op->change.json = batch_text(batch, json);
}

void store_batch_give(struct store_batch *batch, uint32_t slot, uint32_t node)
{
	struct store_op *op = batch_add(batch, STORE_OP_GIVE, OP_SIZE(give));

	if (!op)
		return;
	op->give.slot = slot;
	op->give.node = node;
}

void store_batch_tell(struct store_batch *batch, uint32_t node, const char *what, const char *id,
    const char *text)
{
	struct store_op *op = batch_add(batch, STORE_OP_TELL, OP_SIZE(tell));

	if (!op)
		return;
	op->tell.node = node;
	op->tell.what = batch_text(batch, what);
	op->tell.id = batch_text(batch, id);
	op->tell.text = batch_text(batch, text);
}

void store_batch_node(struct store_batch *batch, const char *name, enum store_node_verb verb)
{
	struct store_op *op = batch_add(batch, STORE_OP_NODE, OP_SIZE(node));

	if (!op)
		return;
	op->node.name = batch_text(batch, name);
	op->node.verb = verb;
}

void store_batch_put_output(struct store_batch *batch, const char *job, uint32_t number,
    const char *bytes, size_t length)
{
	struct store_op *op = NULL;

	if (batch && batch->store->keeps_output && length > 0)
		op = batch_add(batch, STORE_OP_PUT_OUTPUT, OP_SIZE(output));
	if (!op)
		return;
	op->output.job = batch_text(batch, job);
	op->output.number = number;
	op->output.bytes = arena_strndup(&batch->arena, bytes, length);
	op->output.length = length;
}

int store_batch_check(const struct store_batch *batch, struct schedd_error *err)
{
	if (!batch->failed && !arena_failed(&batch->arena))
		return 0;
	return schedd_error_set(
	    err, SCHEDD_ENOMEM, "store '%s': out of memory", batch->store->name);
}

bool store_op_void(const struct store_op *op)
{
	return op->kind == STORE_OP_PUT_RUN && op->run.claim &&
	       op->run.claim->claim.given != STORE_CLAIM_DONE;
}

int store_op_verdict(const struct store *store, struct store_op *op, enum store_verdict verdict,
    struct schedd_error *err)
{
	op->claim.given = verdict;
	if (op->claim.verdict)
		return 0;
	return schedd_error_set(err, SCHEDD_ECONFLICT,
	    verdict == STORE_CLAIM_LOST
		? "store '%s': job '%s' was changed behind the scheduler's back"
		: "store '%s': it has another owner now, who decides about job '%s'",
	    store->name, op->claim.id);
}

void store_batch_on_unknown(
    struct store_batch *batch, void (*call)(const struct schedd_error *err, void *context))
{
	if (batch)
		batch->unknown = call;
}

void store_batch_unknown(struct store_batch *batch, const struct schedd_error *err)
{
	if (batch->unknown && !batch->told)
		batch->unknown(err, batch->context);
	batch->told = true;
}

/* So much of it as is done at one time. True: all of it. */
static bool batch_hand_out(struct store_batch *batch)
{
	const struct store_op *op = batch->untold;

	for (uint32_t i = 0; op && i < BATCH_PIECE; i++, op = op->next)
		if (op->kind == STORE_OP_CLAIM && op->claim.verdict)
			*op->claim.verdict = op->claim.given;
		else if (op->kind == STORE_OP_PURGE_RUNS && op->purge.more)
			*op->purge.more = op->purge.left;
		else if (op->kind == STORE_OP_ADD_JOB && op->put_job.last_run)
			*op->put_job.last_run = op->put_job.given;
	batch->untold = op;
	return !op;
}

static void batch_reread(const struct store_batch *batch)
{
	struct store *store = batch->store;

	if (!store->watch || !store->ops->jobs->reread || !batch->claim)
		return;
	for (const struct store_op *op = batch->first; op; op = op->next)
		if (op->kind == STORE_OP_CLAIM && op->claim.given == STORE_CLAIM_LOST)
			store->ops->jobs->reread(store, op->claim.id);
}

void store_batch_asked(struct store_batch *batch)
{
	struct store *store = batch->store;

	batch->asked_at = store->clock->mono(store->clock->context).us;
	batch->older = store->newest;
	batch->newer = NULL;
	if (store->newest)
		store->newest->newer = batch;
	else
		store->oldest = batch;
	store->newest = batch;
}

static void batch_answered(struct store_batch *batch)
{
	struct store *store = batch->store;

	if (!batch->asked_at)
		return;
	if (batch->older)
		batch->older->newer = batch->newer;
	else
		store->oldest = batch->newer;
	if (batch->newer)
		batch->newer->older = batch->older;
	else
		store->newest = batch->older;
	batch->asked_at = 0;
}

static void batch_answer_more(struct mailbox_letter *letter);

/* What it is to tell is handed out; it is answered when all of that is. */
static void batch_answer_some(struct store_batch *batch)
{
	struct store *store = batch->store;

	if (!batch_hand_out(batch)) {
		batch->letter.open = batch_answer_more;
		mailbox_post(store->mailbox, &batch->letter);
		return;
	}
	store_answered(store);
	batch_answered(batch);
	if (batch->rc == 0) {
		store->commits++;
	} else {
		store->errors++;
		store->last_error_at = store->clock->wall(store->clock->context);
		memcpy(store->last_error, batch->err.message, sizeof(store->last_error));
	}
	if (batch->done)
		batch->done(batch->rc, batch->rc == 0 ? NULL : &batch->err, batch->context);
	if (batch->rc == 0)
		batch_reread(batch);
	store_batch_free(batch);
}

static void batch_answer_more(struct mailbox_letter *letter)
{
	batch_answer_some(
	    (struct store_batch *)((char *)letter - offsetof(struct store_batch, letter)));
}

void store_batch_answer(struct store_batch *batch)
{
	batch->untold = batch->rc == 0 && batch->tells ? batch->first : NULL;
	batch_answer_some(batch);
}

static void batch_open(struct mailbox_letter *letter)
{
	store_batch_answer(
	    (struct store_batch *)((char *)letter - offsetof(struct store_batch, letter)));
}

void store_batch_post(struct store_batch *batch)
{
	batch->letter.open = batch_open;
	mailbox_post(batch->store->mailbox, &batch->letter);
}

void store_batch_post_chain(struct store_batch *chain)
{
	struct mailbox *mailbox = chain->store->mailbox;
	struct mailbox_letter *newest = NULL, *oldest = &chain->letter;

	while (chain) {
		struct store_batch *next = chain->next;

		chain->letter.open = batch_open;
		chain->letter.next = newest;
		newest = &chain->letter;
		chain = next;
	}
	mailbox_post_chain(mailbox, newest, oldest);
}

void store_batch_put(struct store_batch *batch)
{
	batch->letter.open = batch_open;
	mailbox_put(batch->store->mailbox, &batch->letter);
}
