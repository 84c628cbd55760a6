/* SPDX-License-Identifier: MIT */
/* What a commit says to the other nodes, and of them. */
#include "store/modules/store_postgresql_commit.h"
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

void pg_commit_send_feed(struct commit *commit)
{
	struct commit_sent none = {.take = NULL};

	if (commit->given)
		pg_commit_feed(commit, NODES_LINE_SLOT, NULL, 0, NULL);
	if (commit->feed.count == 0 || commit->failed)
		return;
	commit->told = true;
	pg_commit_put_sent(commit, &none);
	pg_commit_fail(commit, pg_rows_send(&commit->feed, commit->link, pg_sql_feed, &commit->err));
}

void pg_commit_feed(struct commit *commit, const char *kind, const char *id, uint32_t target,
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
	/* What came while the commit was waited for is not seen at the socket any more. */
	PGnotify *notify = commit->link->config->shared ? PQnotifies(pg_of(commit->link)->conn) : NULL;
	bool told = notify != NULL;

	PQfreemem(notify);
	return told || commit->told;
}
