/* SPDX-License-Identifier: MIT */
/*
 * A group of batches is one call of a function: its starts in columns, then its
 * entries as a list of words, each kind led by a letter. The function answers
 * what became of claims and added jobs in their order, or why nothing was stored.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_redis.h"

/* So often within a lease commits renew it; what stands still does so by its beat. */
#define COMMIT_RENEWALS 10

struct commit {
	struct store_link *link;
	struct redis_command command;
	struct redis_starts starts;
	int64_t begin; /* monotonic */
	bool renews;   /* the lease */
	int64_t claims; /* so far, without those of starts */
	bool told;      /* the other nodes are */
	struct schedd_error err;
	int rc;
};

/* ---- Entries ---- */

/* A line for the other nodes. */
static void commit_feed(struct commit *commit, const char *kind, const char *id, uint32_t target,
    const char *body)
{
	struct redis_command *command = &commit->command;

	if (!commit->link->config->shared)
		return;
	redis_command_text(command, "F");
	redis_command_text(command, kind);
	redis_command_text(command, id ? id : "");
	redis_command_number(command, target);
	redis_command_text(command, body ? body : "");
	commit->told = true;
}

static void commit_times(struct redis_command *command, schedd_time next_fire,
    schedd_time next_run_time, uint64_t run_count)
{
	char text[REDIS_TIMES_SIZE];

	redis_command_copy(command, text,
	    (size_t)(store_redis_times_write(text, next_fire, next_run_time, run_count) - text));
}

static void commit_job(struct commit *commit, struct store_op *op)
{
	struct redis_command *command = &commit->command;
	const struct job_state *state = &op->put_job.state;
	struct strbuf text = STRBUF_EMPTY;

	commit->rc =
	    commit->link->host->encode(op->put_job.job, state, &text, &commit->err);
	if (commit->rc)
		return;
	redis_command_text(command, op->kind == STORE_OP_ADD_JOB ? "A" : "J");
	redis_command_text(command, op->put_job.job->id);
	redis_command_copy_buf(command, &text);
	strbuf_clear(&text);
	commit_times(command, state->next_fire, state->next_run_time, state->run_count);
	redis_command_number(command, state->last_run);
	redis_command_number(command, state->revision);
	/* Those of places are few: they are no set of their own. */
	if (node_job_column(op->put_job.job) == SCHEDD_TIME_NONE)
		redis_command_text(command, "-");
	else
		redis_command_number(command, node_job_column(op->put_job.job));
	commit_feed(commit, NODES_LINE_JOB, op->put_job.job->id, 0, NULL);
}

static void commit_expect(struct commit *commit, struct store_op *op)
{
	struct redis_command *command = &commit->command;

	if (op->expect.idle) {
		redis_command_text(command, "I");
		redis_command_text(command, op->expect.id);
		return;
	}
	redis_command_text(command, op->expect.same ? "S" : "E");
	redis_command_text(command, op->expect.id);
	redis_command_number(command, op->expect.revision);
	if (!op->expect.same)
		return;
	redis_command_number(command, op->expect.last_run);
	if (op->expect.next_fire == SCHEDD_TIME_NONE)
		redis_command_text(command, "-");
	else
		redis_command_number(command, op->expect.next_fire);
}

static void commit_claim(struct commit *commit, struct store_op *op)
{
	struct redis_command *command = &commit->command;

	if (store_redis_started(op))
		return;
	op->prepared = (void *)(uintptr_t)++commit->claims;
	redis_command_text(command, "C");
	redis_command_text(command, op->claim.id);
	redis_command_number(command, op->claim.expected);
	commit_times(
	    command, op->claim.next_fire, op->claim.next_run_time, op->claim.run_count);
	redis_command_number(command, op->claim.last_run);
	redis_command_text(command, op->claim.verdict ? "0" : "1");
	redis_command_number(command, commit->link->config->shared ? op->claim.revision : 0);
}

static void commit_delete(struct commit *commit, struct store_op *op)
{
	redis_command_text(&commit->command, "D");
	redis_command_text(&commit->command, op->delete_job.id);
	redis_command_number(&commit->command, op->delete_job.last_run);
	commit_feed(commit, NODES_LINE_JOB, op->delete_job.id, 0, NULL);
}

static void commit_run(struct commit *commit, struct store_op *op)
{
	struct redis_command *command = &commit->command;
	const struct run *run = &op->run.run;
	struct strbuf row = STRBUF_EMPTY;
	char when[REDIS_WHEN_SIZE];

	if (store_redis_started(op))
		return;
	store_redis_when(store_query_done_at(run), when);
	/* One that is lost was elsewhere, as its row of before says. */
	store_redis_row_write(&row, run,
	    commit->link->config->shared && run->state != RUN_LOST ? commit->link->config->node
								   : NULL);
	redis_command_text(command, "R");
	redis_command_number(command, op->run.claim && !store_redis_started(op->run.claim)
					  ? (int64_t)(uintptr_t)op->run.claim->prepared
					  : 0);
	redis_command_text(command, run->job);
	redis_command_number(command, run->number);
	redis_command_text(command, arena_strdup(&command->arena, when));
	redis_command_copy_buf(command, &row);
	redis_command_text(command, run->result ? run->result : "");
	redis_command_text(command, run_state_name(run->state));
	strbuf_clear(&row);
}

static void commit_purge(struct commit *commit, struct store_op *op)
{
	redis_command_text(&commit->command, "P");
	redis_command_text(&commit->command, op->purge.job ? op->purge.job : "");
	redis_command_number(&commit->command, op->purge.number);
}

static void commit_rename(struct commit *commit, struct store_op *op)
{
	redis_command_text(&commit->command, "N");
	redis_command_text(&commit->command, op->rename.id);
	redis_command_text(&commit->command, op->rename.to);
	commit_feed(commit, NODES_LINE_JOB, op->rename.id, 0, NULL);
	commit_feed(commit, NODES_LINE_JOB, op->rename.to, 0, NULL);
}

static void commit_number(struct commit *commit, struct store_op *op)
{
	struct redis_command *command = &commit->command;

	/* Every claim says that the scheduler lives; of those that share it, the lease says so. */
	if (commit->link->config->shared)
		return;
	redis_command_text(command, "V");
	redis_command_text(command, op->number.key);
	redis_command_text(command,
	    arena_printf(&command->arena, "n%lld", (long long)op->number.number));
}

static void commit_text(struct commit *commit, struct store_op *op)
{
	struct redis_command *command = &commit->command;

	if (store_nodes_told(op->text.key))
		commit_feed(commit, NODES_LINE_TEXT, op->text.key, 0, NULL);
	redis_command_text(command, op->text.text ? "V" : op->text.must ? "T" : "X");
	redis_command_text(command, op->text.key);
	if (op->text.text)
		redis_command_text(
		    command, arena_printf(&command->arena, "t%s", op->text.text));
}

static void commit_change(struct commit *commit, struct store_op *op)
{
	redis_command_text(&commit->command, "H");
	redis_command_number(&commit->command, op->change.when);
	redis_command_text(&commit->command, op->change.job ? op->change.job : "");
	redis_command_text(&commit->command, op->change.json);
}

static void commit_output(struct commit *commit, struct store_op *op)
{
	redis_command_text(&commit->command, "O");
	redis_command_text(&commit->command, op->output.job);
	redis_command_number(&commit->command, op->output.number);
	redis_command_bytes(&commit->command, op->output.bytes, op->output.length);
}

static void commit_give(struct commit *commit, struct store_op *op)
{
	redis_command_text(&commit->command, "G");
	redis_command_number(&commit->command, op->give.slot);
	redis_command_number(&commit->command, op->give.node);
	commit->told = true;
}

static void commit_tell(struct commit *commit, struct store_op *op)
{
	commit_feed(commit, op->tell.what, op->tell.id, op->tell.node, op->tell.text);
}

static void commit_node(struct commit *commit, struct store_op *op)
{
	static const char *const words[] = {
	    [STORE_NODE_DRAIN] = "drain",
	    [STORE_NODE_RESUME] = "resume",
	    [STORE_NODE_FORGET] = "forget",
	    [STORE_NODE_LEAVE] = "leave",
	    [STORE_NODE_SETTLE] = "settle",
	};

	redis_command_text(&commit->command, "M");
	redis_command_text(&commit->command, op->node.name);
	redis_command_text(&commit->command, words[op->node.verb]);
}

static void (*const commit_verbs[STORE_OP_COUNT])(struct commit *, struct store_op *) = {
    [STORE_OP_PUT_JOB] = commit_job,
    [STORE_OP_ADD_JOB] = commit_job,
    [STORE_OP_EXPECT] = commit_expect,
    [STORE_OP_CLAIM] = commit_claim,
    [STORE_OP_DELETE_JOB] = commit_delete,
    [STORE_OP_PUT_RUN] = commit_run,
    [STORE_OP_PURGE_RUNS] = commit_purge,
    [STORE_OP_RENAME] = commit_rename,
    [STORE_OP_PUT_NUMBER] = commit_number,
    [STORE_OP_PUT_TEXT] = commit_text,
    [STORE_OP_PUT_CHANGE] = commit_change,
    [STORE_OP_GIVE] = commit_give,
    [STORE_OP_TELL] = commit_tell,
    [STORE_OP_NODE] = commit_node,
    [STORE_OP_PUT_OUTPUT] = commit_output,
};

/* ---- What all of it will look up ---- */

const char *store_redis_state_id(const struct store_op *op)
{
	return op->kind == STORE_OP_CLAIM     ? op->claim.id
	       : op->kind == STORE_OP_ADD_JOB ? op->put_job.job->id
					      : NULL;
}

/* The same of entries alone. */
static const char *commit_id_of_entry(const struct store_op *op)
{
	return store_redis_started(op) ? NULL : store_redis_state_id(op);
}

static const char *commit_id_of_key(const struct store_op *op)
{
	return store_redis_started(op)                ? NULL
	       : op->kind == STORE_OP_PUT_RUN      ? op->run.run.job
	       : op->kind == STORE_OP_PUT_CHANGE ? op->change.job
	       : op->kind == STORE_OP_ADD_JOB    ? op->put_job.job->id
						 : NULL;
}

static void commit_ids(struct redis_command *command, struct store_batch *first,
    struct store_batch *end, const char *(*id_of)(const struct store_op *))
{
	int64_t count = 0;

	for (struct store_batch *batch = first; batch != end; batch = batch->next)
		for (const struct store_op *op = batch->first; op; op = op->next)
			count += id_of(op) != NULL;
	redis_command_number(command, count);
	for (struct store_batch *batch = first; batch != end; batch = batch->next)
		for (const struct store_op *op = batch->first; op; op = op->next)
			if (id_of(op))
				redis_command_text(command, id_of(op));
}

/* ---- Answers ---- */

/* Why nothing was stored. */
static int commit_refused(struct store_link *link, const redisReply *reply, struct schedd_error *err)
{
	static const struct {
		const char *word, *sentence;
		int code;
	} reasons[] = {
	    {"lost", "store '%s': job '%s' was changed behind the scheduler's back", SCHEDD_ECONFLICT},
	    {"changed", "store '%s': job '%s' was changed by another meanwhile", SCHEDD_ECONFLICT},
	    {"removed", "store '%s': job '%s' was removed by another meanwhile", SCHEDD_ECONFLICT},
	    {"runs", "store '%s': runs of a removed job '%s' are still kept, purge them first",
		SCHEDD_ECONFLICT},
	    {"there", "store '%s': another has added job '%s' meanwhile", SCHEDD_ECONFLICT},
	    {"taken", "store '%s': another was faster (%s)", SCHEDD_ECONFLICT},
	    {"runs on", "store '%s': job '%s' has a run that is not over: where it runs can be changed when it has ended "
		"(wait for it, or kill it)",
		SCHEDD_ECONFLICT},
	    {"lives", "store '%s': node '%s' lives: stop it, or wait until its lease is over",
		SCHEDD_ECONFLICT},
	    {"node", "store '%s': there is no node '%s'", SCHEDD_ENOTFOUND},
	};
	const char *word = redis_text(reply, 0), *id = redis_text(reply, 1);

	if (word && strcmp(word, "fenced") == 0)
		return link->config->shared
			   ? store_nodes_fenced(link, err)
			   : store_link_fail(
				 link, STORE_FAULT_FENCED, err, "another schedd has taken it over");
	for (size_t i = 0; word && id && i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(word, reasons[i].word) == 0) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			return schedd_error_set(
			    err, reasons[i].code, reasons[i].sentence, link->config->name, id);
#pragma GCC diagnostic pop
		}
	return store_redis_nonsense(link, err);
}

static void commit_take(struct store_batch *first, struct store_batch *end, const redisReply *reply)
{
	size_t at = 1;

	for (struct store_batch *batch = first; batch != end; batch = batch->next)
		for (struct store_op *op = batch->first; op; op = op->next) {
			const char *text;

			if (op->kind == STORE_OP_CLAIM && store_redis_started(op))
				op->claim.given = STORE_CLAIM_DONE;
			if (!commit_id_of_entry(op))
				continue;
			text = redis_text(reply, at++);
			if (op->kind == STORE_OP_ADD_JOB)
				op->put_job.given = text ? (uint32_t)strtoul(text, NULL, 10) : 0;
			else
				op->claim.given = text && text[0] == '1' ? STORE_CLAIM_DONE
									 : STORE_CLAIM_LOST;
		}
}

static int commit_fill(struct commit *commit, struct store_batch *first, struct store_batch *end)
{
	struct store_link *link = commit->link;
	struct redis_command *command = &commit->command;

	redis_command_number(command, link->config->shared ? link->node : 0);
	redis_command_number(command, (int64_t)link->epoch);
	redis_command_text(command, redis_of(link)->session);
	redis_command_text(command, link->config->life);
	redis_command_number(command, commit->renews ? link->config->lease / 1000 : 0);
	redis_command_number(command, (int64_t)first->serial);
	store_redis_starts_put(&commit->starts, command);
	commit_ids(command, first, end, commit_id_of_entry);
	commit_ids(command, first, end, commit_id_of_key);
	for (struct store_batch *batch = first; batch != end; batch = batch->next)
		for (struct store_op *op = batch->first; op && !commit->rc; op = op->next)
			commit_verbs[op->kind](commit, op);
	return commit->rc;
}

static int commit_ask(struct store_link *link, struct redis_command *command, uint64_t serial,
    redisReply **out, struct schedd_error *err)
{
	struct redis_link *redis = redis_of(link);
	int rc = store_redis_send(link, command, err);

	if (rc)
		return rc;
	/* Of a command that did not arrive whole nothing is done. */
	redis->sent = true;
	redis->handed = serial;
	rc = store_redis_receive(link, out, err);
	if (link->fault != STORE_FAULT_UNKNOWN)
		redis->sent = false;
	return rc;
}

/* *again: it has starts that are to be judged one by one. */
static int commit_send(struct store_link *link, struct store_batch *first,
    struct store_batch *end, bool *again, struct schedd_error *err)
{
	struct redis_link *redis = redis_of(link);
	struct commit commit = {.link = link};
	redisReply *reply = NULL;
	const char *word;
	int rc;

	commit.begin = link->clock->mono(link->clock->context).us;
	commit.renews = commit.begin - redis->renewed >= link->config->lease / COMMIT_RENEWALS;
	redis_command_function(&commit.command, link, REDIS_FUNCTION("commit"));
	/* Of a store that is shared more stands beside a run than columns have. */
	store_redis_starts_find(
	    &commit.starts, &commit.command, first, end, !*again && !link->config->shared);
	*again = false;
	if (commit_fill(&commit, first, end)) {
		redis_command_clear(&commit.command);
		*err = commit.err;
		return commit.rc;
	}
	rc = commit_ask(link, &commit.command, first->serial, &reply, err);
	if (rc)
		return rc;
	word = redis_text(reply, 0);
	link->told = commit.told;
	if (word && strcmp(word, "ok") == 0) {
		redis->place.stored = first->serial;
		if (commit.renews)
			redis->renewed = commit.begin;
		commit_take(first, end, reply);
	} else if (word && strcmp(word, "again") == 0 && commit.starts.count) {
		*again = true;
	} else {
		rc = commit_refused(link, reply, err);
	}
	freeReplyObject(reply);
	return rc;
}

int store_redis_commit(struct store_link *link, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err)
{
	bool again = false;
	int rc = commit_send(link, first, end, &again, err);

	return rc == 0 && again ? commit_send(link, first, end, &again, err) : rc;
}
