/* SPDX-License-Identifier: MIT */
/* How MariaDB and MySQL are asked for what others have written, see store_nodes.h. */
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_mysql.h"
#include "store/modules/store_mysql_sql.h"

static struct nodes_feed *feed_of(const struct store_link *link)
{
	return &my_of(link)->feed;
}

static int feed_text(struct store_link *link, const char *key, struct store_watching *watching,
    struct schedd_error *err)
{
	struct my_row row = {.fields = NULL};
	MYSQL_RES *rows;
	int rc = store_mysql_talk_ask(
	    link, &rows, err, "SELECT text FROM schedd_meta WHERE `key` = ?t", key);

	if (rc)
		return rc;
	row.fields = mysql_fetch_row(rows);
	store_watching_text(watching, key, row.fields ? row.fields[0] : NULL);
	mysql_free_result(rows);
	return 0;
}

static int feed_lines(struct store_link *link, int64_t after, int64_t most, nodes_line_fn call,
    void *context, int64_t *count, struct schedd_error *err)
{
	struct my_row row = {.fields = NULL};
	MYSQL_RES *rows;
	int rc = store_mysql_talk_ask(link, &rows, err,
	    "SELECT seq, origin, target, kind, id, body FROM schedd_feed WHERE seq > ?n ORDER BY seq LIMIT ?n", after,
	    most);

	if (rc)
		return rc;
	*count = 0;
	while (rc == 0 && (row.fields = mysql_fetch_row(rows))) {
		const struct nodes_line line = {.seq = my_row_number(&row, 0, 0),
		    .origin = (uint32_t)my_row_number(&row, 1, 0),
		    .target = (uint32_t)my_row_number(&row, 2, 0),
		    .kind = row.fields[3],
		    .id = row.fields[4] ? row.fields[4] : "",
		    .body = row.fields[5] ? row.fields[5] : ""};

		++*count;
		rc = call(&line, context, err);
	}
	mysql_free_result(rows);
	return rc;
}

static int feed_slots(struct store_link *link, uint32_t owners[NODE_SLOTS],
    struct store_places *places, struct schedd_error *err)
{
	struct my_row row = {.fields = NULL};
	MYSQL_RES *rows;
	int rc = store_mysql_talk_ask(link, &rows, err, "SELECT slot, node FROM schedd_slots");

	if (rc)
		return rc;
	memset(owners, 0, NODE_SLOTS * sizeof(owners[0]));
	while ((row.fields = mysql_fetch_row(rows))) {
		int64_t slot = my_row_number(&row, 0, -1);
		uint32_t node = (uint32_t)my_row_number(&row, 1, 0);

		if (slot >= 0 && slot < NODE_SLOTS)
			owners[slot] = node;
		else if (slot >= 0)
			store_places_add(places, (uint32_t)slot, node);
	}
	mysql_free_result(rows);
	return 0;
}

/* ---- Counters ---- */

static bool feed_counted(const struct my_row *row, void *context)
{
	enum run_state state;
	const struct store_counted job = {
	    .id = row->fields[0],
	    .next_fire = my_row_number(row, 1, SCHEDD_TIME_NONE),
	    .next_run_time = my_row_number(row, 2, SCHEDD_TIME_NONE),
	    .run_count = (uint64_t)my_row_number(row, 3, 0),
	    .last_run = (uint32_t)my_row_number(row, 4, 0),
	    .revision = (uint32_t)my_row_number(row, 5, 0),
	    .running = (uint32_t)my_row_number(row, 6, 0),
	    .queued = (uint32_t)my_row_number(row, 7, 0),
	    .last_state =
		row->fields[8] && run_state_parse(row->fields[8], &state) ? (int)state : -1,
	};

	store_watching_counted(context, &job);
	return true;
}

#define COUNTED                                                                                    \
	"SELECT j.id, j.next_fire, j.next_run_time, j.run_count, j.last_run, j.revision, "
#define COUNTED_LAST                                                                               \
	"(SELECT r.state FROM schedd_runs r WHERE r.job = j.`key` AND r.done_at IS NOT NULL AND r.state NOT IN "  \
	"('missed', 'skipped', 'cancelled') ORDER BY r.number DESC LIMIT 1) FROM schedd_jobs j "

static int feed_gained(struct store_link *link, const bool slots[NODE_SLOTS],
    struct store_watching *watching, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	int rc;

	strbuf_add(&text, COUNTED "0, 0, " COUNTED_LAST "WHERE j.definition IS NOT NULL AND (j.slot IS NULL OR j.slot "
			  "IN (-1");
	for (uint32_t slot = 0; slot < NODE_SLOTS; slot++)
		if (slots[slot])
			strbuf_printf(&text, ",%u", slot);
	strbuf_add(&text, "))");
	rc = store_mysql_talk_rows(link, &text, feed_counted, watching, err);
	strbuf_clear(&text);
	return rc;
}

static int feed_others(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	int64_t node = link->node;
	int rc;

	my_add(&text,
	    COUNTED "coalesce(o.running, 0), coalesce(o.waiting, 0), " COUNTED_LAST
		    "LEFT JOIN (SELECT job, sum(state = 'running') AS running, sum(state <> 'running') AS waiting FROM "
		    "schedd_runs WHERE done_at IS NULL AND node <> ?n GROUP BY job) o ON o.job = j.`key` WHERE "
		    "j.definition IS NOT NULL AND (j.slot IS NULL OR j.slot IN (SELECT slot FROM schedd_slots WHERE "
		    "NOT (node <=> ?n)))",
	    node, node);
	if (id)
		my_add(&text, " AND j.id = ?t", id);
	rc = store_mysql_talk_rows(link, &text, feed_counted, watching, err);
	strbuf_clear(&text);
	return rc;
}

/* ---- Those whose lease is over ---- */

/*
 * It has something to be taken: also a node that left may, a slot that another gave it in the instant
 * in which it went.
 */
#define FEED_NODE_HAS                                                                              \
	"(n.dead_since IS NULL OR EXISTS (SELECT 1 FROM schedd_slots s WHERE s.node = n.node))"

static int feed_dead(
    struct store_link *link, nodes_dead_fn call, void *context, struct schedd_error *err)
{
	struct my_row row = {.fields = NULL};
	MYSQL_RES *rows;
	int rc = store_mysql_talk_ask(link, &rows, err,
	    "SELECT n.node, n.epoch, n.name FROM schedd_nodes n JOIN schedd_beats b ON b.node = n.node WHERE "
	    FEED_NODE_HAS " AND b.expires_at < " MY_CLOCK " AND n.node <> ?n",
	    (int64_t)link->node);

	if (rc)
		return rc;
	while (rc == 0 && (row.fields = mysql_fetch_row(rows)))
		rc = call((uint32_t)my_row_number(&row, 0, 0), (uint64_t)my_row_number(&row, 1, 0),
		    row.fields[2], context, err);
	mysql_free_result(rows);
	return rc;
}

/* Places of the packet that are looked at. */
enum {
	TAKE_FENCED = 3,  /* our own guard raises here */
	TAKE_ALIVE = 6,   /* that one's */
	TAKE_RUNS = 10,
	TAKE_TEXTS = 12,
};

struct take {
	const struct my_link *my;
	struct store_watching *watching;
};

static void take_rows(uint32_t place, MYSQL_RES *rows, uint64_t changed, void *context)
{
	const struct take *take = context;
	struct my_row row = {.my = take->my};

	(void)changed;
	while (rows && (row.fields = mysql_fetch_row(rows))) {
		if (place == TAKE_RUNS) {
			struct run run;

			store_mysql_read_run(&row, &run);
			/* A process of another machine is none of ours. */
			run.pid = 0;
			run.pid_start = 0;
			store_watching_taken_run(take->watching, &run);
		} else if (place == TAKE_TEXTS) {
			store_watching_taken_text(take->watching, row.fields[0], row.fields[1]);
		}
	}
}

/*
 * One packet, one transaction: a taker that stands still in the middle holds no lock. First the node,
 * then what belongs to it, as commits lock the node's row first, too; each statement sees what the
 * one before it had to wait for.
 */
static void take_text(const struct store_link *link, int64_t node, int64_t epoch, struct strbuf *text)
{
	int64_t own = link->node;

	my_add(text,
	    "START TRANSACTION; SET @schedd_node = NULL, @schedd_dead = NULL; SELECT node INTO @schedd_node FROM "
	    "schedd_nodes WHERE node = ?n AND epoch = ?n AND life = ?t LOCK IN SHARE MODE; " MY_RAISE "@schedd_node IS "
	    "NULL); ",
	    own, (int64_t)link->epoch, link->config->life);
	my_add(text,
	    "SELECT n.node INTO @schedd_dead FROM schedd_nodes n WHERE n.node = ?n AND n.epoch = ?n AND " FEED_NODE_HAS
	    " FOR UPDATE; SELECT node INTO @schedd_node FROM schedd_beats WHERE node = @schedd_dead AND expires_at < " MY_CLOCK
	    " FOR UPDATE; " MY_RAISE "@schedd_dead IS NULL OR @schedd_node <> @schedd_dead); ",
	    node, epoch);
	my_add(text,
	    "UPDATE schedd_nodes SET epoch = epoch + 1, dead_since = " MY_CLOCK " WHERE node = ?n; UPDATE schedd_slots SET "
	    "node = ?n WHERE node = ?n; UPDATE schedd_meta m JOIN schedd_meta s ON s.`key` = 'timeline' JOIN schedd_meta f "
	    "ON f.`key` = concat('timeline.', ?n) AND f.number <> s.number SET m.number = 0 WHERE m.`key` = "
	    "concat('timeline.', ?n); " MY_RUN_SELECT "WHERE r.node = ?n AND r.done_at IS NULL ORDER BY r.serial; UPDATE "
	    "schedd_runs SET node = ?n, pid = NULL, pid_start = NULL WHERE node = ?n AND done_at IS NULL; ",
	    node, own, node, node, own, node, own, node);
	my_add(text,
	    "SELECT `key`, text FROM schedd_meta WHERE text IS NOT NULL AND (`key` LIKE 'after.%' OR `key` LIKE 'run.%'); "
	    "UPDATE schedd_meta SET number = (@schedd_seq := number) + 1 WHERE `key` = ?t; INSERT INTO schedd_feed (seq, "
	    "at, origin, kind) VALUES (@schedd_seq + 1, " MY_CLOCK ", ?n, ?t); COMMIT",
	    "feed.seq", own, NODES_LINE_SLOT);
}

static int feed_take(struct store_link *link, uint32_t node, uint64_t epoch,
    struct store_watching *watching, bool *taken, struct schedd_error *err)
{
	struct take take = {my_of(link), watching};
	struct strbuf text = STRBUF_EMPTY;
	bool raised, again;
	uint32_t done;
	int rc = store_mysql_names(link, err);

	if (rc)
		return rc;
	take_text(link, node, (int64_t)epoch, &text);
	rc = store_mysql_talk_packet(link, &text, take_rows, &take, &done, err);
	strbuf_clear(&text);
	*taken = rc == 0;
	if (rc == 0 || link->fault != STORE_FAULT_NONE)
		return rc;
	raised = store_mysql_raised(my_of(link));
	again = store_mysql_again(my_of(link));
	if (store_mysql_talk_ask(link, NULL, err, "ROLLBACK"))
		return link->fault ? SCHEDD_EFAILED : store_mysql_gone(link, "it cannot be undone", err);
	if (raised && done == TAKE_FENCED)
		return store_nodes_fenced(link, err);
	/* It has renewed its lease, another was faster, or is just about to be: it is looked at again. */
	return raised || again ? 0 : rc;
}

static int feed_tidy(struct store_link *link, schedd_span keep, struct schedd_error *err)
{
	return store_mysql_talk_ask(link, NULL, err,
	    "DELETE FROM schedd_feed WHERE at < " MY_CLOCK " - ?n LIMIT 10000", (int64_t)keep);
}

static const struct nodes_driver feed_nodes = {
    .feed = feed_of,
    .ping = store_mysql_ping,
    .lines = feed_lines,
    .reread = store_mysql_reread,
    .text = feed_text,
    .slots = feed_slots,
    .gained = feed_gained,
    .others = feed_others,
    .dead = feed_dead,
    .take = feed_take,
    .tidy = feed_tidy,
};

int store_mysql_listen(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	return store_nodes_listen(link, &feed_nodes, watching, err);
}

int store_mysql_refresh(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err)
{
	return store_nodes_refresh(link, &feed_nodes, id, watching, err);
}

int store_mysql_load_slots(
    struct store_link *link, struct store_loading *loading, struct schedd_error *err)
{
	struct store_places places = {.count = 0};
	uint32_t owners[NODE_SLOTS];
	int64_t seq = 0;
	int rc = feed_slots(link, owners, &places, err);

	if (rc == 0)
		rc = store_mysql_talk_number(
		    link, &seq, err, "SELECT number FROM schedd_meta WHERE `key` = ?t", "feed.seq");
	if (rc == 0)
		store_nodes_loaded(feed_of(link), owners, &places, seq, loading);
	store_places_clear(&places);
	return rc;
}
