/* SPDX-License-Identifier: MIT */
/* What a commit says to the other nodes, and of them. */
#include "store/modules/store_postgresql_commit.h"

#include <stdlib.h>
#include <string.h>
#include "store/modules/store_postgresql_share.h"

void pg_commit_guard(struct commit *commit, uint64_t serial)
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
	pg_commit_send(commit, link->config->shared ? pg_sql_guard_shared : pg_sql_guard, &params);
	pg_params_clear(&params);
}

static void commit_take_feed(const struct commit_sent *sent, const PGresult *result)
{
	*sent->last = PQntuples(result) ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : 0;
}

void pg_commit_send_feed(struct commit *commit)
{
	struct commit_sent sent = {.take = commit_take_feed, .last = &commit->line};

	if (commit->given)
		pg_commit_feed(commit, NODES_LINE_SLOT, NULL, 0, NULL);
	if (commit->feed.count == 0 || commit->failed)
		return;
	commit->told = commit->feed.count;
	pg_commit_put_sent(commit, &sent);
	pg_commit_fail(commit, pg_rows_send(&commit->feed, commit->link, pg_sql_feed, &commit->err));
}

void pg_commit_feed(struct commit *commit, const char *kind, const char *id, uint32_t target,
    const char *body)
{
	struct pg_rows *rows = &commit->feed;

	if (!commit->link->config->shared)
		return;
	commit->own |= strcmp(kind, NODES_LINE_JOB) != 0 && strcmp(kind, NODES_LINE_TEXT) != 0;
	pg_rows_text(rows, kind);
	pg_rows_text(rows, id);
	pg_rows_number(rows, target);
	pg_rows_text(rows, body);
	pg_rows_end(rows);
}

void pg_commit_give(struct commit *commit, struct store_op *op)
{
	struct pg_params params;

	pg_params_init(&params);
	pg_params_number(&params, op->give.slot);
	pg_params_number(&params, op->give.node);
	pg_commit_flush(commit);
	pg_commit_send(commit, pg_sql_give, &params);
	pg_params_clear(&params);
	commit->given = true;
}

void pg_commit_tell(struct commit *commit, struct store_op *op)
{
	pg_commit_feed(commit, op->tell.what, op->tell.id, op->tell.node, op->tell.text);
}

void pg_commit_node(struct commit *commit, struct store_op *op)
{
	pg_commit_flush(commit);
	pg_commit_alone(commit, pg_sql_node[op->node.verb], op->node.name, NULL, NULL);
}

bool pg_commit_told(const struct commit *commit)
{
	struct pg_link *pg = pg_of(commit->link);
	struct nodes_feed *feed = &pg->feed;
	PGnotify *notify;
	bool told = false;

	if (!commit->link->config->shared)
		return false;
	/* What came while the commit was waited for is not seen at the socket any more. */
	while ((notify = PQnotifies(pg->conn))) {
		told |= notify->be_pid != PQbackendPID(pg->conn);
		PQfreemem(notify);
	}
	if (!commit->told)
		return told;
	/* Its own lines need no reading where all before them are read. */
	if (commit->own || !feed->read || feed->cursor + commit->told != commit->line)
		return true;
	feed->cursor = commit->line;
	return told;
}
