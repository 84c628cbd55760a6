/* SPDX-License-Identifier: MIT */
/*
 * What a session is like, and what the server promises. All of it is one packet:
 * a server that is far away is not asked twenty times before it can be used.
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include "store/modules/store_mysql.h"

static int64_t session_seconds(schedd_span span)
{
	return span < SCHEDD_SECOND ? 1 : span / SCHEDD_SECOND;
}

/* ---- Settings ---- */

static const struct {
	const char *name;
	size_t at, size;
} session_words[] = {
#define FOUND(name, member)                                                                        \
	{                                                                                          \
		name, offsetof(struct my_found, member), sizeof(((struct my_found *)NULL)->member)   \
	}
    FOUND("innodb_flush_log_at_trx_commit", flush),
    FOUND("sync_binlog", sync),
    FOUND("log_bin", log),
    FOUND("innodb_doublewrite", pages),
    FOUND("Rpl_semi_sync_master_status", semi), /* MariaDB, MySQL 5.7 */
    FOUND("Rpl_semi_sync_source_status", semi), /* MySQL 8 */
    FOUND("server_uuid", uuid),
    FOUND("server_id", id),
    FOUND("wsrep_on", galera),
    FOUND("schedd.engine", engine),
    FOUND("schedd.collation", collation),
};

static void session_take_word(struct my_found *found, const char *name, const char *text)
{
	for (size_t i = 0; i < sizeof(session_words) / sizeof(session_words[0]); i++)
		if (strcmp(session_words[i].name, name) == 0)
			snprintf((char *)found + session_words[i].at, session_words[i].size, "%s",
			    text);
}

/* Every row is a name and what it is. */
static void session_take(uint32_t place, MYSQL_RES *rows, uint64_t changed, void *context)
{
	struct my_link *my = context;
	struct my_row row;

	(void)place;
	(void)changed;
	while (rows && (row.fields = mysql_fetch_row(rows))) {
		if (!row.fields[0] || !row.fields[1])
			continue;
		if (strcmp(row.fields[0], "max_allowed_packet") == 0)
			my->max_packet = (uint64_t)my_row_number(&row, 1, 0);
		else if (strcmp(row.fields[0], "schedd.tables") == 0)
			my->found.tables = my_row_number(&row, 1, 0);
		else if (strcmp(row.fields[0], "schedd.meta") == 0)
			my->found.meta_columns = my_row_number(&row, 1, 0);
		else
			session_take_word(&my->found, row.fields[0], row.fields[1]);
	}
}

static void session_look(struct strbuf *text)
{
	strbuf_add(text,
	    "; SHOW VARIABLES WHERE variable_name IN ('innodb_flush_log_at_trx_commit', 'sync_binlog', "
	    "'log_bin', 'innodb_doublewrite', 'server_uuid', 'server_id', 'wsrep_on'); SHOW GLOBAL STATUS "
	    "WHERE variable_name IN ('Rpl_semi_sync_master_status', 'Rpl_semi_sync_source_status'); SELECT 'schedd.tables', count(*) FROM "
	    "information_schema.tables WHERE table_schema = database() AND table_name IN "
	    "('schedd_meta', 'schedd_owner', 'schedd_jobs', 'schedd_runs', 'schedd_changes'); SELECT "
	    "'schedd.meta', count(*) FROM information_schema.columns WHERE table_schema = database() "
	    "AND table_name = 'schedd_meta' AND column_name IN ('key', 'number'); SELECT "
	    "'schedd.engine', engine FROM information_schema.tables WHERE table_schema = database() AND "
	    "table_name = 'schedd_jobs' UNION ALL SELECT 'schedd.collation', table_collation FROM "
	    "information_schema.tables WHERE table_schema = database() AND table_name = "
	    "'schedd_jobs'");
}

/* One that stands still in the middle ends by itself, and so does one whose daemon is gone. */
static void session_limits(struct strbuf *text, const struct store_link *link)
{
	const struct store_remote_config *config = link->config;
	schedd_span most = config->shared && config->lease / 3 < config->timeout / 2 ? config->lease / 3
										      : config->timeout / 2;
	int64_t wait = session_seconds(most);

	my_add(text, "; SET SESSION innodb_lock_wait_timeout = ?n, lock_wait_timeout = ?n", wait,
	    wait);
	if (link->writer)
		my_add(text, ", wait_timeout = ?n",
		    session_seconds(config->lease + STORE_MYSQL_BEAT));
	if (!my_of(link)->mariadb)
		return;
	if (link->writer)
		my_add(text, ", idle_transaction_timeout = ?n", session_seconds(config->lease / 3));
	else
		my_add(text, ", max_statement_time = ?n", session_seconds(config->timeout));
}

int store_mysql_session(struct store_link *link, struct schedd_error *err)
{
	struct my_link *my = my_of(link);
	struct strbuf text = STRBUF_EMPTY;
	uint32_t done;
	int rc;

	memset(&my->found, 0, sizeof(my->found));
	my->max_packet = 0;
	if (my->ticket == 0) {
		(void)!getrandom(&my->ticket, sizeof(my->ticket), 0);
		my->ticket = (my->ticket & INT64_MAX) >> 1 | 1;
	}
	my_add(&text,
	    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', "
	    "autocommit = 1; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; SELECT "
	    "'max_allowed_packet', @@max_allowed_packet");
	session_limits(&text, link);
	if (link->writer)
		session_look(&text);
	rc = store_mysql_talk_packet(link, &text, session_take, my, &done, err);
	strbuf_clear(&text);
	return rc;
}

/* ---- What it promises ---- */

static bool session_on(const char *text)
{
	return strcmp(text, "ON") == 0 || strcmp(text, "1") == 0 ||
	       strcmp(text, "DETECT_AND_RECOVER") == 0;
}

/*
 * MySQL has a number of its own that nobody else has; MariaDB that by which its replicas tell it from themselves. Of
 * Galera each has all that was answered.
 */
int64_t store_mysql_server(const struct my_link *my)
{
	const struct my_found *found = &my->found;
	const char *text = session_on(found->galera) ? "galera" : found->uuid[0] ? found->uuid : found->id;
	uint64_t hash = 14695981039346656037u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211u;
	return (int64_t)(hash >> 1 | 1);
}

/* What becomes of it where another server takes this one's place. */
static const char *session_fail_over(const struct my_found *found)
{
	if (session_on(found->galera))
		return ", Galera";
	if (!session_on(found->log))
		return ", no binary log";
	return session_on(found->semi) ? ", semi-synchronous replica" : ", a fail-over may lose some";
}

void store_mysql_promise(struct store_link *link)
{
	const struct my_link *my = my_of(link);
	const struct my_found *found = &my->found;
	/* Tables that were just made are as we ask for them. */
	const char *engine = found->engine[0] ? found->engine : "InnoDB";
	bool safe = strcmp(found->flush, "1") == 0 && strcmp(engine, "InnoDB") == 0;

	snprintf(link->durability, sizeof(link->durability),
	    "%.8s %.40s, %s (engine %.16s, innodb_flush_log_at_trx_commit %.4s, sync_binlog %.9s%s%s, collation %.20s"
	    ", ids are bytes)",
	    my->mariadb ? "MariaDB" : "MySQL", mysql_get_server_info(my->mysql),
	    safe ? "survives a crash of the server" : "a crash of the server may lose changes",
	    engine, found->flush, found->sync,
	    session_fail_over(found),
	    session_on(found->pages) ? "" : ", innodb_doublewrite off",
	    found->collation[0] ? found->collation : "its default");
}
