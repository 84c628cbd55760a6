/* SPDX-License-Identifier: MIT */
/*
 * Nodes that share a store on MariaDB or MySQL: how one joins, renews its lease, and what it keeps for
 * others. Who joins has the owner's lock for that long, so that nobody takes the store for himself
 * meanwhile; a lock of the node's own, which the writer's session keeps, shows that the session of
 * before is gone, and with it what it may still have had under way.
 */
#include <mysqld_error.h>
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_mysql.h"

/* Locks have names of the whole server's, at most 64 characters. */
#define SEAT_LOCK "concat('schedd.', ?n, '.', left(sha2(database(), 256), 40))"
#define WHEN(column)                                                                               \
	"date_format(timestampadd(MICROSECOND, " column ", TIMESTAMP '1970-01-01 00:00:00'), '%Y-%m-%dT%H:%i:%sZ')"

/* ---- Joining ---- */

/* Who has the name, and what becomes of us. */
struct seat {
	int64_t node; /* 0: nobody had it */
	int64_t epoch;
	int64_t connection;
	bool same; /* this opening had it, and has it still */
	bool drained; /* in this life, which it stays */
	bool sits; /* whoever had it did not leave, nor was it taken from him */
	struct nodes_moved moved;
	int64_t server; /* that is joined */
};

static int seat_find(struct store_link *link, struct seat *seat, struct schedd_error *err)
{
	struct my_row row = {.fields = NULL};
	bool live, ours;
	MYSQL_RES *rows;
	int rc = store_mysql_talk_ask(link, &rows, err,
	    "SELECT n.node, n.epoch, n.connection, n.life, n.identity, n.dead_since IS NULL AND b.expires_at > " MY_CLOCK
	    ", n.address, " WHEN("n.started_at") ", n.dead_since IS NULL, n.draining FROM schedd_nodes n JOIN schedd_beats b ON b.node = n.node "
	    "WHERE n.name = ?t FOR UPDATE",
	    link->config->node);

	if (rc)
		return rc;
	row.fields = mysql_fetch_row(rows);
	if (row.fields) {
		bool life = strcmp(row.fields[3], link->config->life) == 0;

		seat->node = my_row_number(&row, 0, 0);
		seat->epoch = my_row_number(&row, 1, 0);
		seat->connection = my_row_number(&row, 2, 0);
		seat->drained = life && my_row_number(&row, 9, 0) == 1;
		seat->sits = my_row_number(&row, 8, 0) == 1;
		seat->same = life && (uint64_t)seat->epoch == link->epoch && !my_of(link)->feed.anew;
		ours = life || strcmp(row.fields[4], link->config->identity) == 0;
		live = my_row_number(&row, 5, 0) == 1;
		if (live && !ours)
			rc = store_nodes_held(link, row.fields[6], row.fields[7], err);
	}
	mysql_free_result(rows);
	return rc;
}

/* Those who live must understand us, and we them. */
static int seat_understand(struct store_link *link, struct schedd_error *err)
{
	struct my_row row = {.fields = NULL};
	MYSQL_RES *rows;
	int rc = store_mysql_talk_ask(link, &rows, err,
	    "SELECT n.name, n.version, n.protocol FROM schedd_nodes n JOIN schedd_beats b ON b.node = n.node WHERE "
	    "n.dead_since IS NULL AND b.expires_at > " MY_CLOCK " AND n.name <> ?t AND abs(n.protocol - ?n) > 1 ORDER "
	    "BY n.name LIMIT 1",
	    link->config->node, (int64_t)NODE_PROTOCOL);

	if (rc)
		return rc;
	row.fields = mysql_fetch_row(rows);
	if (row.fields)
		rc = store_nodes_misunderstood(
		    link, row.fields[0], row.fields[1], (uint32_t)my_row_number(&row, 2, 0), err);
	mysql_free_result(rows);
	return rc;
}

/*
 * A replica that took the primary's place has another number. What it had not received shows by what we know: our last
 * commit, our epoch, the feed; a life that knows nothing yet sees by what is written of its node which one the life
 * before it was on, and one that had to load all anew that it had not settled what it took. schedd_meta has the number
 * that was joined last as "timeline", that of node N as timeline.N, 0: not settled.
 */
static int seat_compare(struct store_link *link, struct seat *seat, struct schedd_error *err)
{
	struct my_link *my = my_of(link);
	struct my_row row = {.fields = NULL};
	MYSQL_RES *rows;
	int rc = store_mysql_talk_ask(link, &rows, err,
	    "SELECT (SELECT batch FROM schedd_batches WHERE life = ?t LIMIT 1), (SELECT number FROM schedd_meta WHERE "
	    "`key` = ?t), (SELECT number FROM schedd_meta WHERE `key` = concat('timeline.', ?n))",
	    link->config->life, "feed.seq", seat->node);

	if (rc)
		return rc;
	seat->server = store_mysql_server(my);
	row.fields = mysql_fetch_row(rows);
	if (row.fields) {
		seat->moved.replaced = my->place.server && my->place.server != seat->server;
		seat->moved.behind = (uint64_t)my_row_number(&row, 0, 0) < my->place.stored ||
				     (uint64_t)seat->epoch < link->epoch || my_row_number(&row, 1, 0) < my->feed.cursor;
		if (seat->moved.replaced || seat->moved.behind)
			seat->same = false;
		else
			seat->moved.unsure = seat->sits && !seat->same && row.fields[2] &&
					     my_row_number(&row, 2, 0) != seat->server;
	}
	mysql_free_result(rows);
	return 0;
}

/* No epoch and no line of the feed is given twice; and leases are older there than they were. */
static int seat_go_beyond(struct store_link *link, struct seat *seat, struct schedd_error *err)
{
	int rc;

	if (!seat->moved.replaced && !seat->moved.behind && !seat->moved.unsure)
		return 0;
	if ((uint64_t)seat->epoch < link->epoch)
		seat->epoch = (int64_t)link->epoch;
	rc = store_mysql_talk_ask(link, NULL, err,
	    "UPDATE schedd_meta SET number = greatest(number, ?n) WHERE `key` = ?t", my_of(link)->feed.cursor, "feed.seq");
	if (rc == 0)
		rc = store_mysql_talk_ask(link, NULL, err,
		    "UPDATE schedd_beats b JOIN schedd_nodes n ON n.node = b.node SET b.expires_at = greatest(b.expires_at, "
		    MY_CLOCK " + ?n) WHERE n.dead_since IS NULL AND n.name <> ?t",
		    (int64_t)link->config->lease, link->config->node);
	return rc;
}

static int seat_sit(struct store_link *link, struct seat *seat, struct schedd_error *err)
{
	const struct store_remote_config *config = link->config;
	int rc = 0;

	if (seat->node == 0)
		rc = store_mysql_talk_number(link, &seat->node, err,
		    "SELECT coalesce(max(node), 0) + 1 FROM schedd_nodes");
	if (rc == 0 && seat->same)
		return store_mysql_talk_ask(link, NULL, err,
		    "UPDATE schedd_nodes n JOIN schedd_beats b ON b.node = n.node SET b.expires_at = " MY_CLOCK
		    " + ?n, n.connection = connection_id() WHERE n.node = ?n",
		    (int64_t)config->lease, seat->node);
	seat->epoch++;
	if (rc == 0)
		rc = store_mysql_talk_ask(link, NULL, err,
		    "REPLACE INTO schedd_nodes (node, name, epoch, life, identity, address, labels, version, protocol, "
		    "started_at, draining, connection) VALUES (?n, ?t, ?n, ?t, ?t, ?t, ?t, ?t, ?n, " MY_CLOCK
		    ", ?n, connection_id())",
		    seat->node, config->node, seat->epoch, config->life, config->identity, config->holder,
		    config->labels, SCHEDD_VERSION, (int64_t)NODE_PROTOCOL, (int64_t)seat->drained);
	if (rc == 0)
		rc = store_mysql_talk_ask(link, NULL, err,
		    "REPLACE INTO schedd_beats (node, expires_at, seen_at) VALUES (?n, " MY_CLOCK " + ?n, " MY_CLOCK ")",
		    seat->node, (int64_t)config->lease);
	return rc;
}

/* What is nobody's is ours; the others are told that we are there; nobody has it alone any more. */
static int seat_settle(struct store_link *link, const struct seat *seat, struct schedd_error *err)
{
	const char *life = link->config->life;
	int rc = store_mysql_talk_ask(link, NULL, err,
	    "INSERT INTO schedd_batches (node, life, batch) VALUES (?n, ?t, 0) ON DUPLICATE KEY UPDATE batch = if(life = "
	    "?t, batch, 0), life = ?t",
	    seat->node, life, life, life);

	if (rc == 0)
		rc = store_mysql_talk_ask(link, NULL, err,
		    "UPDATE schedd_runs SET node = ?n WHERE node IS NULL AND done_at IS NULL", seat->node);
	if (rc == 0)
		rc = store_mysql_talk_ask(
		    link, NULL, err, "UPDATE schedd_slots SET node = ?n WHERE node IS NULL", seat->node);
	if (rc == 0)
		rc = store_mysql_talk_ask(link, NULL, err,
		    "INSERT INTO schedd_owner (one, identity, life, holder, since, epoch, connection, batch) VALUES (1, "
		    "?t, ?t, ?t, " MY_CLOCK ", 1, 0, 0) ON DUPLICATE KEY UPDATE epoch = epoch + (life <> VALUES(life)), "
		    "identity = VALUES(identity), holder = VALUES(holder), connection = 0, batch = 0, life = "
		    "VALUES(life)",
		    "", "shared", "several schedd that share it");
	if (rc == 0)
		rc = store_mysql_talk_ask(link, NULL, err,
		    "UPDATE schedd_meta SET number = (@schedd_seq := number) + 1 WHERE `key` = ?t", "feed.seq");
	if (rc == 0)
		rc = store_mysql_talk_ask(link, NULL, err,
		    "INSERT INTO schedd_feed (seq, at, origin, kind) VALUES (@schedd_seq + 1, " MY_CLOCK ", ?n, ?t)",
		    seat->node, NODES_LINE_SLOT);
	return rc;
}

/* Whose epoch goes on has signed already; one that finds another server signs when it has settled. */
static int seat_sign(struct store_link *link, const struct seat *seat, struct schedd_error *err)
{
	bool moved = seat->moved.replaced || seat->moved.behind || seat->moved.unsure;

	if (seat->same)
		return 0;
	return store_mysql_talk_ask(link, NULL, err,
	    "INSERT INTO schedd_meta (`key`, number) VALUES (?t, ?n), (concat('timeline.', ?n), ?n) ON DUPLICATE KEY UPDATE "
	    "number = VALUES(number)",
	    "timeline", seat->server, seat->node, moved ? (int64_t)0 : seat->server);
}

/* A session of ours from before may still be about to commit something: it is ended first. */
static int seat_alone(struct store_link *link, const struct seat *seat, struct schedd_error *err)
{
	int64_t locked = 0;
	int rc = store_mysql_talk_number(
	    link, &locked, err, "SELECT get_lock(" SEAT_LOCK ", 0)", seat->node);

	while (rc == 0 && locked != 1) {
		rc = store_mysql_talk_ask(link, NULL, err, "KILL CONNECTION ?n", seat->connection);
		/* It may be gone by now. */
		if (rc && link->fault == STORE_FAULT_NONE)
			rc = 0;
		if (rc == 0)
			rc = store_mysql_talk_number(
			    link, &locked, err, "SELECT get_lock(" SEAT_LOCK ", 1)", seat->node);
		if (rc == 0 && locked != 1 && store_link_left(link) == 0)
			rc = store_link_fail(link, STORE_FAULT_GONE, err,
			    "a session of this node's from before does not end");
	}
	return rc;
}

int store_mysql_ping(struct store_link *link, struct schedd_error *err)
{
	return store_mysql_talk_ask(link, NULL, err, "SELECT 1");
}

static int join_measure(struct store_link *link, struct schedd_error *err)
{
	static const struct nodes_driver pings = {.ping = store_mysql_ping};

	return store_nodes_measure(link, &pings, err);
}

int store_mysql_join(struct store_link *link, struct schedd_error *err)
{
	struct seat seat = {.node = 0};
	int rc = join_measure(link, err);

	if (rc == 0)
		rc = store_mysql_own_shared(link, err);
	if (rc == 0)
		rc = store_mysql_migrate(link, err);
	if (rc == 0)
		rc = store_mysql_talk_ask(link, NULL, err, "START TRANSACTION");
	if (rc == 0)
		rc = seat_find(link, &seat, err);
	if (rc == 0)
		rc = seat_compare(link, &seat, err);
	if (rc == 0 && !seat.same)
		rc = seat_understand(link, err);
	if (rc == 0)
		rc = seat_go_beyond(link, &seat, err);
	if (rc == 0)
		rc = seat_sit(link, &seat, err);
	if (rc == 0)
		rc = seat_settle(link, &seat, err);
	if (rc == 0)
		rc = seat_sign(link, &seat, err);
	if (rc == 0)
		rc = store_mysql_talk_ask(link, NULL, err, "COMMIT");
	if (rc == 0)
		rc = seat_alone(link, &seat, err);
	if (rc == 0)
		rc = store_mysql_own_release(link, err);
	if (rc) {
		if (link->fault == STORE_FAULT_NONE)
			link->fault = STORE_FAULT_GONE;
		return rc;
	}
	store_nodes_joined(&my_of(link)->feed, seat.same);
	link->node = (uint32_t)seat.node;
	link->epoch = (uint64_t)seat.epoch;
	store_nodes_moved(link, &my_of(link)->place, &seat.moved, seat.server);
	return 0;
}

/* ---- The beat ---- */

struct renewing {
	struct store_renewing *renewing;
	bool ours;
};

static void renew_node(const struct my_row *row, struct renewing *to)
{
	const struct store_node node = {
	    .number = (uint32_t)my_row_number(row, 0, 0),
	    .name = row->fields[1],
	    .epoch = (uint64_t)my_row_number(row, 2, 0),
	    .left = my_row_number(row, 3, 0),
	    .draining = my_row_number(row, 4, 0) != 0,
	    .dead_since = my_row_number(row, 5, SCHEDD_TIME_NONE),
	    .labels = row->fields[6],
	    .version = row->fields[7],
	    .address = row->fields[8],
	    .started_at = my_row_number(row, 9, 0),
	    .seen_at = my_row_number(row, 10, 0),
	    .jobs = my_row_number(row, 11, 0),
	    .running = my_row_number(row, 12, 0),
	    .load = (double)my_row_number(row, 13, 0) / 1000,
	    .offset = my_row_number(row, 14, 0),
	    .protocol = (uint32_t)my_row_number(row, 15, 0),
	    .unheard = my_row_number(row, 17, 0) == 1,
	};

	store_renewing_clock(to->renewing, my_row_number(row, 16, 0));
	store_renewing_node(to->renewing, &node);
}

static void renew_take(uint32_t place, MYSQL_RES *rows, uint64_t changed, void *context)
{
	struct renewing *to = context;
	struct my_row row = {.fields = NULL};

	if (place == 0)
		to->ours = changed > 0;
	while (rows && (row.fields = mysql_fetch_row(rows)))
		renew_node(&row, to);
}

/* What the clock has left behind, as it was put back, is measured anew. */
int store_mysql_renew(
    struct store_link *link, struct store_renewing *renewing, struct schedd_error *err)
{
	const struct store_beat *own = store_renewing_beat(renewing);
	struct renewing to = {.renewing = renewing};
	struct strbuf text = STRBUF_EMPTY;
	int64_t node = own->node;
	uint32_t done;
	int rc;

	my_add(&text,
	    "UPDATE schedd_beats b JOIN schedd_nodes n ON n.node = b.node SET b.expires_at = " MY_CLOCK
	    " + ?n, b.seen_at = " MY_CLOCK ", b.jobs = ?n, b.running = ?n, b.`load` = ?n, b.clock = ?n WHERE n.node = ?n "
	    "AND n.epoch = ?n AND n.life = ?t; UPDATE schedd_beats SET expires_at = " MY_CLOCK
	    " + expires_at - seen_at, seen_at = " MY_CLOCK " WHERE seen_at > " MY_CLOCK " + 1000000; UPDATE schedd_nodes "
	    "SET started_at = " MY_CLOCK " WHERE node = ?n AND started_at > " MY_CLOCK " + 1000000; SELECT n.node, n.name, "
	    "n.epoch, if(n.node = ?n, ?n, b.expires_at - " MY_CLOCK "), n.draining, n.dead_since, n.labels, n.version, "
	    "n.address, n.started_at, b.seen_at, b.jobs, b.running, b.`load`, b.clock, n.protocol, " MY_CLOCK
	    ", m.number <> (SELECT o.number FROM schedd_meta o WHERE o.`key` = ?t) "
	    "FROM schedd_nodes n JOIN schedd_beats b ON b.node = n.node LEFT JOIN schedd_meta m "
	    "ON m.`key` = concat('timeline.', n.node) ORDER BY n.name",
	    (int64_t)link->config->lease, own->jobs, own->running, (int64_t)(own->load * 1000),
	    (int64_t)own->offset, node, (int64_t)own->epoch, link->config->life, node, node,
	    (int64_t)link->config->lease, "timeline");
	rc = store_mysql_talk_packet(link, &text, renew_take, &to, &done, err);
	strbuf_clear(&text);
	if (rc && link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_GONE;
	if (rc)
		return rc;
	return to.ours ? 0 : store_nodes_fenced(link, err);
}

/* ---- What is kept for others ---- */

int store_mysql_output(struct store_link *link, const char *job, uint32_t number,
    struct store_kept *kept, struct schedd_error *err)
{
	struct my_row row = {.fields = NULL};
	MYSQL_RES *rows;
	int rc = store_mysql_talk_ask(link, &rows, err,
	    "SELECT r.output FROM schedd_runs r JOIN schedd_jobs j ON j.`key` = r.job WHERE j.id = ?t AND r.number = ?n "
	    "AND r.output IS NOT NULL",
	    job, (int64_t)number);

	if (rc)
		return rc;
	row.fields = mysql_fetch_row(rows);
	if (row.fields)
		store_kept_output(kept, row.fields[0], mysql_fetch_lengths(rows)[0]);
	mysql_free_result(rows);
	return 0;
}

int store_mysql_names(struct store_link *link, struct schedd_error *err)
{
	struct my_link *my = my_of(link);
	struct my_row row = {.fields = NULL};
	uint32_t count = 0;
	MYSQL_RES *rows;
	int rc;

	if (!link->config->shared)
		return 0;
	rc = store_mysql_talk_ask(link, &rows, err, "SELECT node, name FROM schedd_nodes");
	if (rc)
		return rc;
	arena_clear(&my->names_arena);
	arena_init(&my->names_arena);
	my->names = arena_alloc(&my->names_arena, (mysql_num_rows(rows) + 1) * sizeof(my->names[0]));
	while (my->names && (row.fields = mysql_fetch_row(rows))) {
		my->names[count].node = my_row_number(&row, 0, 0);
		my->names[count].text = arena_strdup(&my->names_arena, row.fields[1]);
		count += my->names[count].text != NULL;
	}
	my->name_count = count;
	mysql_free_result(rows);
	return 0;
}
