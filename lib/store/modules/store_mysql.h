/* SPDX-License-Identifier: MIT */
/* The parts of type "mysql": one link's connection, statements as text, rows on their way. */
#ifndef SCHEDD_STORE_MODULES_STORE_MYSQL_H
#define SCHEDD_STORE_MODULES_STORE_MYSQL_H

#include <mysql.h>
#include "store/modules/store_nodes.h"

/* How often the writer is heard of while nothing happens. */
#define STORE_MYSQL_BEAT (5 * SCHEDD_SECOND)

/* What the writer found when it connected. */
struct my_found {
	int64_t tables;       /* of ours, 5 */
	int64_t meta_columns; /* of the first table that are as we know them, 2 */
	char flush[24], sync[24], log[24], pages[24]; /* settings of durability */
	char semi[8];                                 /* ON: a replica has what is answered */
	char uuid[40], id[24], galera[8];             /* which server it is */
	char engine[32], collation[64];               /* of the jobs' table; "": it is not there */
};

/* Hosts whose names are looked up within the deadline. */
#define MY_LOOKUPS 8
struct store_lookup;

struct my_link {
	struct store_lookup *lookups[MY_LOOKUPS]; /* by host; NULL: none is under way */
	MYSQL *mysql;         /* NULL: none */
	bool mariadb;         /* else MySQL, which writes some things otherwise */
	bool busy;            /* a call is under way or was given up: the end must not be polite */
	bool sent;            /* the end of a transaction was handed to the server */
	int waited;           /* for what the library has waited last, MYSQL_WAIT_… */
	uint64_t max_packet;  /* the server takes no longer one */
	int64_t ticket;       /* of the latest claims, unlike any before */
	int64_t schema;       /* as it was found */
	struct my_found found;
	struct nodes_feed feed;    /* the writer's, where the store is shared */
	struct nodes_place place;  /* likewise */
	struct my_name *names;     /* of nodes, for runs that are read; in the arena */
	uint32_t name_count;
	struct arena names_arena;
};

struct my_name {
	int64_t node;
	const char *text;
};

/* The server's clock in microseconds; now() would stand still in a statement. */
#define MY_CLOCK "timestampdiff(MICROSECOND, TIMESTAMP '1970-01-01 00:00:00', sysdate(6))"

static inline struct my_link *my_of(const struct store_link *link)
{
	return link->state;
}

/* ---- store_mysql_text.c: values in statements are numbers or hexadecimal literals, nothing
 * else ---- */

/* NULL is NULL. */
void my_add_text(struct strbuf *out, const char *text);
void my_add_bytes(struct strbuf *out, const char *bytes, size_t length);
void my_add_number(struct strbuf *out, int64_t number);
/* "?t" stands for a text (const char *, NULL is NULL), "?n" for a number (int64_t). */
void my_add(struct strbuf *out, const char *format, ...);
void my_vadd(struct strbuf *out, const char *format, va_list args);

/* A row of an answer. */
struct my_row {
	MYSQL_ROW fields;
	const unsigned long *lengths;
	const struct my_link *my;
};

int64_t my_row_number(const struct my_row *row, unsigned column, int64_t nothing);
const char *my_row_text(const struct my_row *row, unsigned column);

/* ---- store_mysql_fault.c ---- */

/* Is this the error by which our own statements refuse to go on? See my_raise in _sql.h. */
bool store_mysql_raised(const struct my_link *my);
/* Did another transaction get in the way, so that trying again is the cure? */
bool store_mysql_again(const struct my_link *my);
/* Is the last error none that the server has answered? */
bool store_mysql_of_library(const struct my_link *my);
/* What the last error of the connection means: the fault and the sentence. */
int store_mysql_failed(struct store_link *link, struct schedd_error *err);
/* The connection is gone for that reason. */
int store_mysql_gone(struct store_link *link, const char *why, struct schedd_error *err);

/* ---- store_mysql_talk.c: everything that waits ---- */

/* mysql_real_connect() within the deadline; false: failed or late. */
bool store_mysql_talk_open(struct store_link *link, const char *host, const char *user,
    const char *database, unsigned port, const char *socket);
void store_mysql_talk_close(struct store_link *link);
/* One statement. *out may be NULL; else it is the caller's to mysql_free_result. */
int store_mysql_talk_send(struct store_link *link, const struct strbuf *text, MYSQL_RES **out,
    struct schedd_error *err);
/* The same of my_add()'s format. */
int store_mysql_talk_ask(struct store_link *link, MYSQL_RES **out, struct schedd_error *err,
    const char *format, ...);
/* A number from the first field of the first row; -1 where there is none. */
int store_mysql_talk_number(struct store_link *link, int64_t *out, struct schedd_error *err,
    const char *format, ...);
/* Row after row of a long answer. call returns false to stop: what is left is read and dropped. */
typedef bool (*my_row_fn)(const struct my_row *row, void *context);
int store_mysql_talk_rows(struct store_link *link, const struct strbuf *text, my_row_fn call,
    void *context, struct schedd_error *err);
/*
 * Many statements as one packet; of each that was done the rows (NULL: none) and how many it has
 * changed. After a failed one no other is done, *done counts those before it.
 */
typedef void (*my_done_fn)(uint32_t place, MYSQL_RES *rows, uint64_t changed, void *context);
int store_mysql_talk_packet(struct store_link *link, const struct strbuf *text, my_done_fn call,
    void *context, uint32_t *done, struct schedd_error *err);

/* ---- store_mysql_connect.c ---- */

int store_mysql_check(const struct store_remote_config *config, struct schedd_error *err);
int store_mysql_connect(struct store_link *link, struct schedd_error *err);

/* ---- store_mysql_session.c ---- */

/* Brings the session's settings, whatever the server's are; the writer also looks around. */
int store_mysql_session(struct store_link *link, struct schedd_error *err);
/* link->durability of what was found. */
void store_mysql_promise(struct store_link *link);
/* Which server it is: another has another number. */
int64_t store_mysql_server(const struct my_link *my);

/* ---- store_mysql_schema.c, _owner.c ---- */

/* Makes or brings up to date what is there; refuses what is newer or foreign. */
int store_mysql_schema(struct store_link *link, struct schedd_error *err);
/* Brings an older one up to date, once it is ours to do. */
int store_mysql_migrate(struct store_link *link, struct schedd_error *err);
/* Takes the owner's lock; sets link->epoch. */
int store_mysql_own(struct store_link *link, struct schedd_error *err);
/* The same lock, for as long as we join those that share it: who has it alone has it till he ends. */
int store_mysql_own_shared(struct store_link *link, struct schedd_error *err);
int store_mysql_own_release(struct store_link *link, struct schedd_error *err);
/* Is it still there, and ours? */
int store_mysql_idle(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err);

/* ---- store_mysql_share.c ---- */

/* The writer's link: takes our name's lease, sets link->node and epoch. */
int store_mysql_join(struct store_link *link, struct schedd_error *err);
int store_mysql_renew(
    struct store_link *link, struct store_renewing *renewing, struct schedd_error *err);
/* On the asker's link: what commits kept of a run's output. */
int store_mysql_output(struct store_link *link, const char *job, uint32_t number,
    struct store_kept *kept, struct schedd_error *err);
/* What nodes are called, for runs that are read next; nothing where the store is not shared. */
int store_mysql_names(struct store_link *link, struct schedd_error *err);

/* ---- store_mysql_feed.c ---- */

/* What others wrote since, and whose lease is over. */
int store_mysql_listen(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err);
/* The server is heard of, and nothing else. */
int store_mysql_ping(struct store_link *link, struct schedd_error *err);
int store_mysql_refresh(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err);
/* While everything is loaded, in its transaction: the slots, and where the feed stands. */
int store_mysql_load_slots(
    struct store_link *link, struct store_loading *loading, struct schedd_error *err);

/* A run as RUN_SELECT of store_mysql.h answers it; its texts are the row's. */
void store_mysql_read_run(const struct my_row *row, struct run *run);
/* What calls returned may be long: told of one run alone. */
#define MY_RUN_SELECT_WITH(result)                                                                 \
	"SELECT j.id, r.serial, r.number, r.state, r.`trigger`, r.attempt, r.scheduled_at, "       \
	"r.started_at, r.ended_at, r.until, r.count, r.coalesced, r.exit_code, r.`signal`, "       \
	"r.reason, r.max_rss, r.cpu_us, r.output_bytes, r.output_dropped, r.pid, r.pid_start, "    \
	"r.attempts, r.actor, " result                                                             \
	", r.ran FROM schedd_runs r STRAIGHT_JOIN schedd_jobs j ON j.`key` = r.job "
#define MY_RUN_SELECT MY_RUN_SELECT_WITH("NULL")

/* ---- store_mysql_commit.c, _read.c, _retain.c: the driver's functions ---- */

int store_mysql_commit(struct store_link *link, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err);
int store_mysql_resolve(struct store_link *link, struct store_batch *first,
    struct store_batch *end, bool *stored, struct schedd_error *err);
/* before: called first in its transaction, where the store is shared. */
int store_mysql_load(struct store_link *link, struct store_loading *loading,
    int (*before)(struct store_link *, struct store_loading *, struct schedd_error *),
    struct schedd_error *err);
int store_mysql_reread(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err);
int store_mysql_last_run(
    struct store_link *link, const char *id, int64_t *out, struct schedd_error *err);
int store_mysql_runs(struct store_link *link, const struct store_query *query,
    struct store_asked *asked, struct schedd_error *err);
int store_mysql_changes(struct store_link *link, const char *job, schedd_time since,
    uint64_t limit, struct store_asked *asked, struct schedd_error *err);
int store_mysql_stats(struct store_link *link, const char *job, schedd_time since,
    struct store_asked *asked, struct schedd_error *err);
int store_mysql_retain(struct store_link *link, const struct store_rules *rules, uint32_t budget,
    schedd_time now, uint32_t *deleted, struct schedd_error *err);
int store_mysql_sizes(
    struct store_link *link, int64_t *runs, int64_t *bytes, struct schedd_error *err);

#endif
