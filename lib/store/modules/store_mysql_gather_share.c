/* SPDX-License-Identifier: MIT */
/*
 * Entries of a store that is shared. The node's row has its epoch, which a commit locks so that
 * commits of a node do not wait for each other, and whoever ends the epoch waits for them; the
 * lease is a row of another table, so that a beat waits for none of them. Looking without a lock
 * would let a commit pass behind a take-over.
 */
#include "store/modules/store_mysql_gather.h"

/* Into a variable, where it is: the condition of MY_RAISE must not take another lock. */
void store_mysql_guard(struct commit *commit, uint64_t serial)
{
	const struct store_link *link = commit->link;

	store_mysql_say(commit, "SET @schedd_node = NULL");
	store_mysql_say(commit,
	    "SELECT node INTO @schedd_node FROM schedd_nodes WHERE node = ?n AND epoch = ?n AND life = ?t LOCK IN "
	    "SHARE MODE",
	    (int64_t)link->node, (int64_t)link->epoch, link->config->life);
	store_mysql_because(
	    store_mysql_say(commit, MY_RAISE "@schedd_node IS NULL)"), REASON_FENCED, NULL);
	store_mysql_say(commit, "UPDATE schedd_batches SET batch = ?n WHERE node = ?n", (int64_t)serial,
	    (int64_t)link->node);
}

void store_mysql_line(struct commit *commit, const char *kind, const char *id, uint32_t target,
    const char *body)
{
	if (!commit->link->config->shared)
		return;
	strbuf_add(&commit->feed, commit->lines ? ",(" : "(");
	/* Behind the last number, which is that of the last line. */
	my_add(&commit->feed, "@schedd_seq + ?n, ", ++commit->lines);
	my_add(&commit->feed, MY_CLOCK ", @schedd_node, nullif(?n, 0), ?t, ?t, ?t)", (int64_t)target, kind, id,
	    body);
}

void store_mysql_send_feed(struct commit *commit)
{
	struct strbuf text = STRBUF_EMPTY;

	if (commit->given)
		store_mysql_line(commit, NODES_LINE_SLOT, NULL, 0, NULL);
	if (commit->lines == 0 || commit->rc)
		return;
	store_mysql_say(commit,
	    "UPDATE schedd_meta SET number = (@schedd_seq := number) + ?n WHERE `key` = ?t", commit->lines,
	    "feed.seq");
	strbuf_add(&text, "INSERT INTO schedd_feed (seq, at, origin, target, kind, id, body) VALUES ");
	strbuf_add_n(&text, strbuf_peek(&commit->feed), commit->feed.length);
	if (strbuf_failed(&text) || strbuf_failed(&commit->feed))
		commit->rc = schedd_error_nomem(&commit->err);
	else
		store_mysql_add_text(commit, &text);
	strbuf_clear(&text);
}

void store_mysql_expect_same(struct commit *commit, struct store_op *op)
{
	const char *id = op->expect.id;
	struct commit_sent *sent;

	if (op->expect.next_fire == SCHEDD_TIME_NONE)
		sent = store_mysql_say(commit,
		    MY_RAISE "EXISTS (SELECT 1 FROM schedd_jobs WHERE id = ?t AND (last_run <> ?n OR next_fire IS "
			     "NOT NULL)))",
		    id, (int64_t)op->expect.last_run);
	else
		sent = store_mysql_say(commit,
		    MY_RAISE "EXISTS (SELECT 1 FROM schedd_jobs WHERE id = ?t AND (last_run <> ?n OR NOT (next_fire "
			     "<=> ?n))))",
		    id, (int64_t)op->expect.last_run, (int64_t)op->expect.next_fire);
	store_mysql_because(sent, REASON_CHANGED, id);
}

/* The job's row is locked by the statement before: no claim comes between. */
void store_mysql_expect_idle(struct commit *commit, struct store_op *op)
{
	const char *id = op->expect.id;

	store_mysql_because(store_mysql_say(commit,
				MY_RAISE "EXISTS (SELECT 1 FROM schedd_jobs j JOIN schedd_runs r ON r.job = j.`key` "
					 "WHERE j.id = ?t AND r.done_at IS NULL))",
				id),
	    REASON_RUNS_ON, id);
}

void store_mysql_put_output(struct commit *commit, struct store_op *op)
{
	struct strbuf text = STRBUF_EMPTY;

	store_mysql_flush(commit);
	strbuf_add(&text, "UPDATE schedd_runs r JOIN schedd_jobs j ON j.`key` = r.job SET r.output = ");
	my_add_bytes(&text, op->output.bytes, op->output.length);
	my_add(&text, " WHERE j.id = ?t AND r.number = ?n", op->output.job, (int64_t)op->output.number);
	if (strbuf_failed(&text))
		commit->rc = schedd_error_nomem(&commit->err);
	else
		store_mysql_add_text(commit, &text);
	strbuf_clear(&text);
}

/* Not to one that is dead: who takes over such a one waits for this commit, or this finds it dead. */
void store_mysql_give(struct commit *commit, struct store_op *op)
{
	int64_t slot = op->give.slot, to = op->give.node;

	store_mysql_flush(commit);
	commit->given = true;
	if (to == 0) {
		store_mysql_say(commit,
		    "UPDATE schedd_slots SET node = NULL WHERE slot = ?n AND node = @schedd_node", slot);
		return;
	}
	store_mysql_say(commit, "SET @schedd_to = NULL");
	store_mysql_say(commit,
	    "SELECT node INTO @schedd_to FROM schedd_nodes WHERE node = ?n AND dead_since IS NULL LOCK IN SHARE MODE",
	    to);
	store_mysql_say(commit,
	    "INSERT INTO schedd_slots (slot, node) SELECT ?n, @schedd_to FROM DUAL WHERE @schedd_to IS NOT NULL ON "
	    "DUPLICATE KEY UPDATE node = if(node IS NULL OR node = @schedd_node, VALUES(node), node)",
	    slot);
}

void store_mysql_tell(struct commit *commit, struct store_op *op)
{
	store_mysql_line(commit, op->tell.what, op->tell.id, op->tell.node, op->tell.text);
}

void store_mysql_node(struct commit *commit, struct store_op *op)
{
	static const char *const texts[] = {
	    [STORE_NODE_DRAIN] = "UPDATE schedd_nodes SET draining = 1 WHERE name = ?t",
	    [STORE_NODE_RESUME] = "UPDATE schedd_nodes SET draining = 0 WHERE name = ?t",
	    [STORE_NODE_FORGET] = "DELETE n, b FROM schedd_nodes n JOIN schedd_beats b ON b.node = n.node WHERE n.name "
				  "= ?t",
	    [STORE_NODE_LEAVE] = "UPDATE schedd_nodes n JOIN schedd_beats b ON b.node = n.node SET n.dead_since = "
				 MY_CLOCK ", n.epoch = n.epoch + 1, b.expires_at = 0 WHERE n.name = ?t",
	    [STORE_NODE_SETTLE] = "UPDATE schedd_meta m JOIN schedd_nodes n ON m.`key` = concat('timeline.', n.node) JOIN "
				  "schedd_meta s ON s.`key` = 'timeline' SET m.number = s.number WHERE n.name = ?t",
	};
	const char *name = op->node.name;

	store_mysql_flush(commit);
	store_mysql_because(
	    store_mysql_say(commit, MY_RAISE "NOT EXISTS (SELECT 1 FROM schedd_nodes WHERE name = ?t))", name),
	    REASON_NODE, name);
	if (op->node.verb == STORE_NODE_FORGET)
		store_mysql_because(store_mysql_say(commit,
					MY_RAISE "EXISTS (SELECT 1 FROM schedd_nodes WHERE name = ?t AND dead_since IS "
						 "NULL))",
					name),
		    REASON_LIVES, name);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	store_mysql_say(commit, texts[op->node.verb], name);
#pragma GCC diagnostic pop
}
