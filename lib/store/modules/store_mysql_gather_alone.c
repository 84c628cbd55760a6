/* SPDX-License-Identifier: MIT */
/* Entries that are statements of their own; what was gathered goes before them. */
#include "store/modules/store_mysql_gather.h"

/* The row stays, to remember. */
void store_mysql_delete_job(struct commit *commit, struct store_op *op)
{
	int64_t last = op->delete_job.last_run;
	const char *id = op->delete_job.id;

	store_mysql_flush(commit);
	store_mysql_say(commit,
	    "UPDATE schedd_jobs SET definition = NULL, next_fire = NULL, next_run_time = NULL, run_count "
	    "= 0, revision = 0, last_run = if(?n = 0, 0, greatest(last_run, ?n)) WHERE id = ?t",
	    last, last, id);
	if (last)
		store_mysql_say(commit,
		    "INSERT INTO schedd_jobs (id, last_run, revision) VALUES (?t, ?n, 0) ON DUPLICATE "
		    "KEY UPDATE last_run = greatest(last_run, VALUES(last_run))",
		    id, last);
	store_mysql_line(commit, NODES_LINE_JOB, id, 0, NULL);
}

void store_mysql_expect_job(struct commit *commit, struct store_op *op)
{
	const char *id = op->expect.id;

	store_mysql_flush(commit);
	if (op->expect.idle) {
		store_mysql_expect_idle(commit, op);
		return;
	}
	/* Locked, so that it holds until the commit. */
	if (commit->link->config->shared)
		store_mysql_say(commit, "SELECT 1 FROM schedd_jobs WHERE id = ?t FOR UPDATE", id);
	store_mysql_because(store_mysql_say(commit,
			   MY_RAISE "NOT EXISTS (SELECT 1 FROM schedd_jobs WHERE id = ?t AND "
				    "definition IS NOT NULL))",
			   id),
	    REASON_REMOVED, id);
	store_mysql_because(store_mysql_say(commit,
			   MY_RAISE "EXISTS (SELECT 1 FROM schedd_jobs WHERE id = ?t AND revision <> "
				    "?n))",
			   id, (int64_t)op->expect.revision),
	    REASON_CHANGED, id);
	if (op->expect.same)
		store_mysql_expect_same(commit, op);
}

void store_mysql_purge_runs(struct commit *commit, struct store_op *op)
{
	int64_t number = op->purge.number;

	store_mysql_flush(commit);
	if (op->purge.job)
		store_mysql_say(commit,
		    "DELETE FROM schedd_runs WHERE job = (SELECT `key` FROM schedd_jobs WHERE id = ?t) "
		    "AND (?n = 0 OR number = ?n)",
		    op->purge.job, number, number);
	else
		store_mysql_say(commit, "DELETE FROM schedd_runs WHERE ?n = 0 OR number = ?n", number,
		    number);
}
