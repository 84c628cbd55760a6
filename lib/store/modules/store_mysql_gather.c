/* SPDX-License-Identifier: MIT */
/*
 * A group of batches becomes one packet of statements, which is one transaction
 * and one round trip: so a daemon that is stopped in the middle holds no lock.
 * Its first statement is the owner's guard. Entries of a kind are gathered into
 * statements over sets of rows. What must not be makes a statement fail, for
 * there is no looking before the commit; what stands in its place says why.
 */
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_mysql_gather.h"

/* ---- Entries ---- */

static void commit_job(struct commit *commit, struct store_op *op)
{
	bool add = op->kind == STORE_OP_ADD_JOB;
	enum my_set set = add ? MY_SET_ADDS : MY_SET_PUTS;
	const struct job_state *state = &op->put_job.state;
	struct strbuf text = STRBUF_EMPTY;

	if (commit->link->host->encode(op->put_job.job, state, &text, &commit->err)) {
		commit->rc = SCHEDD_EFAILED;
		return;
	}
	/* Both take the ticket. */
	if (commit->sets[MY_SET_CLAIMS].count)
		store_mysql_flush(commit);
	store_mysql_room(commit, set);
	store_mysql_once(commit, arena_printf(&commit->arena, "j%s", op->put_job.job->id));
	if (add)
		commit->adds[commit->add_count++] = op;
	store_mysql_row_text(commit, set, op->put_job.job->id);
	store_mysql_row_text(commit, set, strbuf_peek(&text));
	store_mysql_row_time(commit, set, state->next_fire);
	store_mysql_row_time(commit, set, state->next_run_time);
	store_mysql_row_number(commit, set, (int64_t)state->run_count);
	store_mysql_row_number(commit, set, state->last_run);
	store_mysql_row_number(commit, set, state->revision);
	store_mysql_row_unless(commit, set, node_job_column(op->put_job.job), SCHEDD_TIME_NONE);
	if (add && commit->link->config->shared)
		store_mysql_row_number(commit, set, commit->ticket);
	store_mysql_row_end(commit, set);
	store_mysql_line(commit, NODES_LINE_JOB, op->put_job.job->id, 0, NULL);
	strbuf_clear(&text);
}

static void commit_claim(struct commit *commit, struct store_op *op)
{
	if (!op->claim.verdict || commit->sets[MY_SET_ADDS].count ||
	    (commit->claim_count && !commit->claims[0]->claim.verdict))
		store_mysql_flush(commit);
	store_mysql_room(commit, MY_SET_CLAIMS);
	store_mysql_once(commit, arena_printf(&commit->arena, "c%s", op->claim.id));
	op->prepared = arena_alloc(&commit->arena, sizeof(commit->ticket));
	if (op->prepared)
		*(int64_t *)op->prepared = commit->ticket;
	op->claim.given = STORE_CLAIM_DONE;
	commit->claims[commit->claim_count++] = op;
	store_mysql_row_text(commit, MY_SET_CLAIMS, op->claim.id);
	store_mysql_row_number(commit, MY_SET_CLAIMS, op->claim.expected);
	store_mysql_row_number(commit, MY_SET_CLAIMS, commit->ticket);
	store_mysql_row_time(commit, MY_SET_CLAIMS, op->claim.next_fire);
	store_mysql_row_time(commit, MY_SET_CLAIMS, op->claim.next_run_time);
	store_mysql_row_number(commit, MY_SET_CLAIMS, (int64_t)op->claim.run_count);
	store_mysql_row_number(commit, MY_SET_CLAIMS, op->claim.last_run);
	if (commit->link->config->shared)
		store_mysql_row_number(commit, MY_SET_CLAIMS, op->claim.revision);
	store_mysql_row_end(commit, MY_SET_CLAIMS);
}

static void commit_ensure_id(struct commit *commit, const char *id)
{
	store_mysql_row_text(commit, MY_SET_ENSURE, id);
	store_mysql_row_end(commit, MY_SET_ENSURE);
}

static void commit_run_rest(struct commit *commit, const struct run *run)
{
	const enum my_set set = MY_SET_RUNS;

	store_mysql_row_unless(commit, set, run->attempt, 1);
	store_mysql_row_time(commit, set, run->scheduled_at);
	store_mysql_row_time(commit, set, run->started_at);
	store_mysql_row_time(commit, set, run->ended_at);
	store_mysql_row_time(commit, set, store_query_done_at(run));
	store_mysql_row_time(commit, set, run->until);
	store_mysql_row_unless(commit, set, (int64_t)run->count, 1);
	store_mysql_row_unless(commit, set, (int64_t)run->coalesced, 0);
	store_mysql_row_unless(commit, set, run->exit_code, -1);
	store_mysql_row_unless(commit, set, run->signal, 0);
	store_mysql_row_text(commit, set, run->reason);
	store_mysql_row_unless(commit, set, run->max_rss, 0);
	store_mysql_row_unless(commit, set, run->cpu_us, 0);
	store_mysql_row_unless(commit, set, (int64_t)run->output_bytes, 0);
	store_mysql_row_unless(commit, set, (int64_t)run->output_dropped, 0);
	store_mysql_row_unless(commit, set, run->pid, 0);
	store_mysql_row_unless(commit, set, (int64_t)run->pid_start, 0);
	store_mysql_row_text(commit, set, run->attempts);
	store_mysql_row_text(commit, set, run->actor);
	store_mysql_row_text(commit, set, run->result);
	store_mysql_row_end(commit, set);
}

static void commit_run(struct commit *commit, struct store_op *op)
{
	const struct run *run = &op->run.run;
	const enum my_set set = MY_SET_RUNS;

	store_mysql_room(commit, set);
	store_mysql_once(commit,
	    arena_printf(&commit->arena, "r%s/%u", run->job, (unsigned)run->number));
	/* Another claim of the job must not be stored before this one's run was. */
	if (op->run.claim)
		(void)store_mysql_note(commit, arena_printf(&commit->arena, "c%s", run->job));
	else
		commit_ensure_id(commit, run->job);
	store_mysql_row_number(commit, set, (int64_t)commit->order++);
	store_mysql_row_number(commit, set,
	    op->run.claim && op->run.claim->prepared ? *(int64_t *)op->run.claim->prepared : 0);
	store_mysql_row_text(commit, set, run->job);
	store_mysql_row_number(commit, set, run->number);
	store_mysql_row_text(commit, set, run_state_name(run->state));
	store_mysql_row_text(commit, set, run_trigger_name(run->trigger));
	commit_run_rest(commit, run);
}

static void commit_change(struct commit *commit, struct store_op *op)
{
	const enum my_set set = MY_SET_CHANGES;

	store_mysql_room(commit, set);
	if (op->change.job)
		commit_ensure_id(commit, op->change.job);
	store_mysql_row_number(commit, set, (int64_t)commit->order++);
	store_mysql_row_number(commit, set, op->change.when);
	store_mysql_row_text(commit, set, op->change.job);
	store_mysql_row_text(commit, set, op->change.json);
	store_mysql_row_end(commit, set);
}

static void commit_meta_row(
    struct commit *commit, const char *key, const char *text, int64_t number)
{
	store_mysql_room(commit, MY_SET_META);
	store_mysql_once(commit, arena_printf(&commit->arena, "m%s", key));
	store_mysql_row_text(commit, MY_SET_META, key);
	if (text)
		store_mysql_row_text(commit, MY_SET_META, NULL);
	else
		store_mysql_row_number(commit, MY_SET_META, number);
	store_mysql_row_text(commit, MY_SET_META, text);
	store_mysql_row_end(commit, MY_SET_META);
}

/* Every claim says that the scheduler lives; of those that share it, the lease says so. */
static void commit_number(struct commit *commit, struct store_op *op)
{
	if (commit->link->config->shared)
		return;
	commit_meta_row(commit, op->number.key, NULL, op->number.number);
}

/* Of a store that is shared, as store_nodes_note() says. False: it is no such note. */
static bool commit_note(struct commit *commit, const struct store_op *op)
{
	char job[JOB_ID_MAX + 1];
	uint32_t number;

	if (!commit->link->config->shared || strcmp(op->text.text, "lost") == 0 ||
	    !store_nodes_note(op->text.key, job, &number))
		return false;
	store_mysql_say(commit,
	    "INSERT INTO schedd_meta (`key`, text) SELECT ?t, ?t FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM "
	    "schedd_jobs j JOIN schedd_runs r ON r.job = j.`key` WHERE j.id = ?t AND r.number = ?n AND r.state = "
	    "'lost') ON DUPLICATE KEY UPDATE text = VALUES(text)",
	    op->text.key, op->text.text, job, (int64_t)number);
	return true;
}

static void commit_text(struct commit *commit, struct store_op *op)
{
	if (store_nodes_told(op->text.key))
		store_mysql_line(commit, NODES_LINE_TEXT, op->text.key, 0, NULL);
	if (op->text.text && commit_note(commit, op))
		return;
	if (op->text.text) {
		commit_meta_row(commit, op->text.key, op->text.text, 0);
		return;
	}
	store_mysql_flush(commit);
	store_mysql_say(commit, "DELETE FROM schedd_meta WHERE `key` = ?t", op->text.key);
	if (op->text.must)
		store_mysql_because(
		    store_mysql_say(commit, MY_RAISE "row_count() <> 1)"), REASON_TAKEN, op->text.key);
}

/* The numbers of the old id are not given twice. */
static void commit_rename_job(struct commit *commit, struct store_op *op)
{
	const char *from = op->rename.id, *to = op->rename.to;

	commit_ensure_id(commit, from);
	store_mysql_flush(commit);
	store_mysql_because(store_mysql_say(commit,
			   MY_RAISE "EXISTS (SELECT 1 FROM schedd_jobs k JOIN schedd_runs r ON r.job = "
				    "k.`key` WHERE k.id = ?t))",
			   to),
	    REASON_RUNS, to);
	store_mysql_say(commit, "DELETE FROM schedd_jobs WHERE id = ?t", to);
	store_mysql_say(commit, "UPDATE schedd_jobs SET id = ?t WHERE id = ?t", to, from);
	store_mysql_say(commit,
	    "INSERT INTO schedd_jobs (id, last_run, revision) SELECT ?t, greatest(j.last_run, "
	    "coalesce((SELECT max(number) FROM schedd_runs r WHERE r.job = j.`key`), 0)), 0 FROM "
	    "schedd_jobs j WHERE j.id = ?t",
	    from, to);
	store_mysql_line(commit, NODES_LINE_JOB, from, 0, NULL);
	store_mysql_line(commit, NODES_LINE_JOB, to, 0, NULL);
}

static void (*const commit_verbs[STORE_OP_COUNT])(struct commit *, struct store_op *) = {
    [STORE_OP_PUT_JOB] = commit_job,
    [STORE_OP_ADD_JOB] = commit_job,
    [STORE_OP_EXPECT] = store_mysql_expect_job,
    [STORE_OP_CLAIM] = commit_claim,
    [STORE_OP_DELETE_JOB] = store_mysql_delete_job,
    [STORE_OP_PUT_RUN] = commit_run,
    [STORE_OP_PURGE_RUNS] = store_mysql_purge_runs,
    [STORE_OP_RENAME] = commit_rename_job,
    [STORE_OP_PUT_NUMBER] = commit_number,
    [STORE_OP_PUT_TEXT] = commit_text,
    [STORE_OP_PUT_CHANGE] = commit_change,
    [STORE_OP_GIVE] = store_mysql_give,
    [STORE_OP_TELL] = store_mysql_tell,
    [STORE_OP_NODE] = store_mysql_node,
    [STORE_OP_PUT_OUTPUT] = store_mysql_put_output,
};

/* ---- A group ---- */

static const char *commit_seen_key(const void *item)
{
	return ((const struct commit_key *)item)->text;
}

static int gather_begin(struct commit *commit, const struct store_batch *first)
{
	struct store_link *link = commit->link;

	if (!store_mysql_new_packet(commit))
		return schedd_error_nomem(&commit->err);
	store_mysql_say(commit, "START TRANSACTION");
	if (link->config->shared) {
		store_mysql_guard(commit, first->serial);
		return commit->rc;
	}
	store_mysql_say(commit,
	    "UPDATE schedd_owner SET batch = ?n WHERE one = 1 AND epoch = ?n AND life = ?t",
	    (int64_t)first->serial, (int64_t)link->epoch, link->config->life);
	store_mysql_because(store_mysql_say(commit, MY_RAISE "row_count() <> 1)"), REASON_FENCED, NULL);
	return commit->rc;
}

int store_mysql_gather(struct commit *commit, struct store_link *link, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err)
{
	memset(commit, 0, sizeof(*commit));
	commit->link = link;
	strmap_init(&commit->seen, commit_seen_key);
	arena_init(&commit->arena);
	commit->claims = arena_alloc(&commit->arena, (COMMIT_ROWS + 1) * sizeof(commit->claims[0]));
	commit->adds = arena_alloc(&commit->arena, (COMMIT_ROWS + 1) * sizeof(commit->adds[0]));
	commit->ticket = ++my_of(link)->ticket;
	commit->order = 1;
	if (arena_failed(&commit->arena))
		return schedd_error_nomem(err);
	commit->rc = gather_begin(commit, first);
	for (struct store_batch *batch = first; batch != end; batch = batch->next)
		for (struct store_op *op = batch->first; op && commit->rc == 0; op = op->next)
			commit_verbs[op->kind](commit, op);
	store_mysql_flush(commit);
	store_mysql_send_feed(commit);
	store_mysql_say(commit, "COMMIT");
	if (commit->rc == 0 && arena_failed(&commit->arena))
		commit->rc = schedd_error_nomem(&commit->err);
	if (commit->rc)
		*err = commit->err;
	return commit->rc;
}

void store_mysql_gather_clear(struct commit *commit)
{
	for (struct commit_packet *packet = commit->packets; packet; packet = packet->next)
		strbuf_clear(&packet->text);
	for (int set = 0; set < MY_SETS; set++)
		strbuf_clear(&commit->sets[set].text);
	strbuf_clear(&commit->feed);
	strmap_clear(&commit->seen);
	arena_clear(&commit->arena);
}
