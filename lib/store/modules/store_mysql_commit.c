/* SPDX-License-Identifier: MIT */
/* A gathered group is sent, and what became of it found out. */
#include <string.h>
#include <time.h>
#include "store/modules/store_mysql_gather.h"

#define COMMIT_TRIES 5

static const char *const commit_sentences[] = {
    [REASON_LOST] = "store '%s': job '%s' was changed behind the scheduler's back",
    [REASON_CHANGED] = "store '%s': job '%s' was changed by another meanwhile",
    [REASON_REMOVED] = "store '%s': job '%s' was removed by another meanwhile",
    [REASON_RUNS] = "store '%s': runs of a removed job '%s' are still kept, purge them first",
    [REASON_RUNS_ON] = "store '%s': job '%s' has a run that is not over: where it runs can be changed when it has "
		       "ended (wait for it, or kill it)",
    [REASON_THERE] = "store '%s': another has added job '%s' meanwhile",
    [REASON_TAKEN] = "store '%s': another was faster (%s)",
    [REASON_NODE] = "store '%s': there is no node '%s'",
    [REASON_LIVES] = "store '%s': node '%s' lives: stop it, or wait until its lease is over",
};

static void commit_take(uint32_t place, MYSQL_RES *rows, uint64_t changed, void *context)
{
	struct commit *commit = context;

	(void)place;
	if (!commit->at)
		return;
	if (commit->at->take)
		commit->at->take(commit->at, rows, changed);
	commit->at = commit->at->next;
}

/* The statement that failed was one of ours that refuse to go on. */
static int commit_refused(struct commit *commit, struct schedd_error *err)
{
	const struct commit_sent *at = commit->at;
	struct store_link *link = commit->link;

	if (at->reason == REASON_FENCED && link->config->shared)
		return store_nodes_fenced(link, err);
	if (at->reason == REASON_FENCED)
		return store_link_fail(
		    link, STORE_FAULT_FENCED, err, "another schedd has taken it over");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	return schedd_error_set(err, at->reason == REASON_NODE ? SCHEDD_ENOTFOUND : SCHEDD_ECONFLICT,
	    commit_sentences[at->reason], link->config->name, at->id);
#pragma GCC diagnostic pop
}

/* All packets, up to the first failure. *again: another transaction was in the way. */
static int commit_send(struct commit *commit, bool *again, struct schedd_error *err)
{
	struct store_link *link = commit->link;
	struct my_link *my = my_of(link);
	int rc = 0;

	*again = false;
	for (struct commit_packet *packet = commit->packets; packet && rc == 0;
	     packet = packet->next) {
		uint32_t done;

		commit->at = packet->first;
		my->sent = packet->next == NULL;
		rc = store_mysql_talk_packet(link, &packet->text, commit_take, commit, &done, err);
	}
	if (rc == 0)
		return 0;
	/* An error that the server answered is no doubt: nothing behind it was done. */
	if (link->fault != STORE_FAULT_UNKNOWN)
		my->sent = false;
	if (link->fault == STORE_FAULT_NONE && commit->at && commit->at->reason &&
	    store_mysql_raised(my))
		rc = commit_refused(commit, err);
	else if (link->fault == STORE_FAULT_NONE)
		*again = store_mysql_again(my);
	return rc;
}

/* Also of what a lock that was waited for too long has left: the statement alone is undone then. */
static int commit_undo(struct store_link *link, int rc)
{
	struct schedd_error later;

	/* What is undone when the time is up is undone all the same. */
	if (store_link_left(link) < 500)
		link->deadline += SCHEDD_SECOND;
	if (store_mysql_talk_ask(link, NULL, &later, "ROLLBACK") &&
	    link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_GONE;
	return rc;
}

/* Not as long as others that are in the same way. */
static void commit_pause(const struct commit *commit, int tries)
{
	struct timespec pause = {0, (long)(tries * 5 + commit->ticket % 10) * 1000000};

	nanosleep(&pause, NULL);
}

static int commit_group(struct commit *commit, struct schedd_error *err)
{
	struct store_link *link = commit->link;
	bool again = true;
	int rc = 0;

	for (int tries = 1; again && tries <= COMMIT_TRIES; tries++) {
		rc = commit_send(commit, &again, err);
		if (rc && link->fault == STORE_FAULT_NONE)
			rc = commit_undo(link, rc);
		/* As long as the server may wait for a lock: see store_mysql_session.c. */
		if (link->fault != STORE_FAULT_NONE ||
		    store_link_left(link) < link->config->timeout / 2000 + 200)
			break;
		if (again)
			commit_pause(commit, tries);
	}
	return rc;
}

/* ---- Claims that did not all hold ---- */

static int commit_judge(
    struct store_link *link, const struct commit_sent *sent, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	struct my_row row;
	MYSQL_RES *rows;
	int rc;

	my_add(&text, "SELECT id FROM schedd_jobs WHERE claim = ?n AND id IN (NULL", sent->ticket);
	for (uint32_t i = 0; i < sent->count; i++) {
		sent->ops[i]->claim.given = STORE_CLAIM_LOST;
		my_add(&text, ",?t", sent->ops[i]->claim.id);
	}
	strbuf_add_char(&text, ')');
	rc = store_mysql_talk_send(link, &text, &rows, err);
	strbuf_clear(&text);
	if (rc)
		return rc;
	while ((row.fields = mysql_fetch_row(rows)))
		for (uint32_t i = 0; i < sent->count; i++)
			if (strcmp(sent->ops[i]->claim.id, row.fields[0]) == 0)
				sent->ops[i]->claim.given = STORE_CLAIM_DONE;
	mysql_free_result(rows);
	return 0;
}

static int commit_judge_all(struct commit *commit, struct schedd_error *err)
{
	int rc = 0;

	for (struct commit_packet *packet = commit->packets; packet; packet = packet->next)
		for (struct commit_sent *sent = packet->first; sent && rc == 0; sent = sent->next)
			if (sent->partly)
				rc = commit_judge(commit->link, sent, err);
	/* It is stored: only what became of it must be asked again. */
	if (rc && commit->link->fault != STORE_FAULT_UNKNOWN)
		commit->link->fault = STORE_FAULT_UNKNOWN;
	return rc;
}

int store_mysql_commit(struct store_link *link, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err)
{
	struct commit commit;
	int rc = store_mysql_gather(&commit, link, first, end, err);

	if (rc == 0)
		rc = commit_group(&commit, err);
	if (rc == 0)
		rc = commit_judge_all(&commit, err);
	if (rc == 0) {
		my_of(link)->sent = false;
		my_of(link)->place.stored = first->serial;
	}
	link->told = commit.lines > 0;
	store_mysql_gather_clear(&commit);
	return rc;
}

/* ---- What became of it ---- */

/* Taking the owner's lock has shown that the connection of before is gone for good. */
int store_mysql_resolve(struct store_link *link, struct store_batch *first,
    struct store_batch *end, bool *stored, struct schedd_error *err)
{
	static const char last[] = "SELECT last_run FROM schedd_jobs WHERE id = ?t";
	int64_t number = -1;
	int rc = store_mysql_talk_number(link, &number, err,
	    link->config->shared ? "SELECT batch FROM schedd_batches WHERE life = ?t"
				 : "SELECT batch FROM schedd_owner WHERE life = ?t",
	    link->config->life);

	*stored = rc == 0 && number == (int64_t)first->serial;
	if (rc || !*stored)
		return rc;
	my_of(link)->place.stored = first->serial;
	for (struct store_batch *batch = first; batch != end && rc == 0; batch = batch->next)
		for (struct store_op *op = batch->first; op && rc == 0; op = op->next) {
			if (op->kind == STORE_OP_CLAIM) {
				rc = store_mysql_talk_number(link, &number, err, last, op->claim.id);
				op->claim.given = number == op->claim.last_run ? STORE_CLAIM_DONE
									       : STORE_CLAIM_LOST;
			} else if (op->kind == STORE_OP_ADD_JOB) {
				rc = store_mysql_talk_number(
				    link, &number, err, last, op->put_job.job->id);
				if (number > op->put_job.given)
					op->put_job.given = (uint32_t)number;
			}
		}
	return rc;
}
