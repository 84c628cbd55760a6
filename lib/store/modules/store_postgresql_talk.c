/* SPDX-License-Identifier: MIT */
/*
 * libpq without its waiting: the connection is non-blocking, and every wait is
 * a poll() of ours until the link's deadline. No option of libpq's bounds a call
 * to a server that stands still.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "store/modules/store_postgresql.h"
#include "store/store_lookup.h"

/* ---- Parameters ---- */

void pg_params_init(struct pg_params *params)
{
	params->count = 0;
	arena_init(&params->arena);
}

void pg_params_clear(struct pg_params *params)
{
	arena_clear(&params->arena);
}

void pg_params_text(struct pg_params *params, const char *text)
{
	params->texts[params->count++] = text;
}

void pg_params_number(struct pg_params *params, int64_t number)
{
	pg_params_text(params, arena_printf(&params->arena, "%" PRId64, number));
}

void pg_params_time(struct pg_params *params, schedd_time when)
{
	if (when == SCHEDD_TIME_NONE)
		pg_params_text(params, NULL);
	else
		pg_params_number(params, when);
}

/* ---- Failures ---- */

static int talk_gone(struct store_link *link, const char *why, struct schedd_error *err)
{
	const struct pg_link *pg = pg_of(link);

	return store_link_fail(link, pg->sent ? STORE_FAULT_UNKNOWN : STORE_FAULT_GONE, err, "%s%s",
	    why, pg->sent ? "; whether the last change was stored is not known yet" : "");
}

/* By the class or code of the SQL state. */
static const struct {
	const char *state;
	enum store_fault fault;
} talk_states[] = {
    {"08", STORE_FAULT_GONE},        /* connection exception */
    {"57P", STORE_FAULT_GONE},       /* shut down, terminated */
    {"53300", STORE_FAULT_GONE},     /* too many connections */
    {"55P03", STORE_FAULT_GONE},     /* a lock that another holds for too long */
    {"40001", STORE_FAULT_GONE},     /* undone for another's sake: once more */
    {"40P01", STORE_FAULT_GONE},     /* likewise: a deadlock */
    {"25006", STORE_FAULT_READ_ONLY},
    {"25P03", STORE_FAULT_GONE},     /* idle in transaction for too long */
    {"53", STORE_FAULT_READ_ONLY},   /* disk full, out of memory: no writes for now */
    {"22012", STORE_FAULT_FENCED},   /* our own guard: see store_postgresql_commit.c */
    {"28", STORE_FAULT_REFUSED},     /* password, pg_hba */
    {"3D000", STORE_FAULT_REFUSED},  /* no such database */
    {"42501", STORE_FAULT_REFUSED},  /* rights */
    {"42P01", STORE_FAULT_REFUSED},  /* a table is missing */
    {"42703", STORE_FAULT_REFUSED},  /* a column is missing */
    {"3F000", STORE_FAULT_REFUSED},  /* no schema to make tables in */
};

int store_postgresql_talk_failed(
    struct store_link *link, const PGresult *result, struct schedd_error *err)
{
	const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	const char *message =
	    result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;

	if (!message)
		message = PQerrorMessage(pg_of(link)->conn);
	if (PQstatus(pg_of(link)->conn) == CONNECTION_BAD)
		return talk_gone(link, message, err);
	/* What the server answers with an error it has not stored. */
	for (size_t i = 0; state && i < sizeof(talk_states) / sizeof(talk_states[0]); i++) {
		const char *row = talk_states[i].state;

		if (strncmp(state, row, strlen(row)) != 0)
			continue;
		if (talk_states[i].fault == STORE_FAULT_FENCED)
			message = "another schedd has taken it over";
		return store_link_fail(link, talk_states[i].fault, err, "%s", message);
	}
	return schedd_error_set(err, SCHEDD_EFAILED, "store '%s': %s%s%s%s", link->config->name,
	    message, state ? " (" : "", state ? state : "", state ? ")" : "");
}

/* ---- Waiting ---- */

static int talk_wait(struct store_link *link, short events, struct schedd_error *err)
{
	struct pollfd fd = {.fd = PQsocket(pg_of(link)->conn), .events = events};

	for (;;) {
		int left = store_link_left(link), rc = left > 0 ? poll(&fd, 1, left) : 0;

		if (rc > 0)
			return 0;
		if (rc == 0)
			return talk_gone(link,
			    PQstatus(pg_of(link)->conn) == CONNECTION_OK
				? "the server does not answer"
				: "the server does not answer; is it PostgreSQL that listens there?",
			    err);
		if (errno != EINTR)
			return talk_gone(link, strerror(errno), err);
	}
}

static int talk_flush(struct store_link *link, struct schedd_error *err)
{
	PGconn *conn = pg_of(link)->conn;

	for (;;) {
		int rc = PQflush(conn);

		if (rc == 0)
			return 0;
		if (rc < 0)
			return talk_gone(link, PQerrorMessage(conn), err);
		/* It may want to be read before it can go on. */
		if (talk_wait(link, POLLIN | POLLOUT, err))
			return SCHEDD_EFAILED;
		if (!PQconsumeInput(conn))
			return talk_gone(link, PQerrorMessage(conn), err);
	}
}

static int talk_ready(struct store_link *link, struct schedd_error *err)
{
	PGconn *conn = pg_of(link)->conn;
	int rc = talk_flush(link, err);

	while (rc == 0 && PQisBusy(conn)) {
		rc = talk_wait(link, POLLIN, err);
		if (rc == 0 && !PQconsumeInput(conn))
			rc = talk_gone(link, PQerrorMessage(conn), err);
	}
	return rc;
}

/* ---- Connecting ---- */

#define TALK_KEYS 20

struct talk_keys {
	const char *names[TALK_KEYS + 16];
	const char *texts[TALK_KEYS + 16];
	int count;
};

static void talk_key(struct talk_keys *keys, const char *name, const char *text)
{
	if (!text || keys->count >= TALK_KEYS + 15)
		return;
	keys->names[keys->count] = name;
	keys->texts[keys->count++] = text;
	keys->names[keys->count] = NULL;
	keys->texts[keys->count] = NULL;
}

struct talk_hosts {
	struct strbuf names, addresses, ports;
	uint32_t count; /* of addresses */
	bool any;       /* one is named */
};

static void talk_host(
    struct talk_hosts *hosts, const struct store_url_host *host, const char *address)
{
	const char *comma = hosts->count++ ? "," : "";

	hosts->any = hosts->any || host->name[0] || host->port;
	strbuf_printf(&hosts->names, "%s%s", comma, host->name);
	strbuf_printf(&hosts->addresses, "%s%s", comma, address);
	strbuf_printf(&hosts->ports, "%s%u", comma, host->port ? (unsigned)host->port : 5432U);
}

/* What libpq would look up for as long as it takes is looked up here, within the deadline. */
static int talk_look_up(struct store_link *link, struct talk_hosts *hosts, uint32_t at,
    struct schedd_error *err)
{
	const struct store_url_host *host = &link->config->url.hosts[at];
	struct addrinfo *list = NULL;
	char address[INET6_ADDRSTRLEN];
	int rc;

	if (!host->name[0] || host->name[0] == '/' || at >= PG_LOOKUPS) {
		talk_host(hosts, host, "");
		return 0;
	}
	rc = store_lookup_host(link, &pg_of(link)->lookups[at], host->name,
	    host->port ? host->port : 5432, &list, err);
	for (struct addrinfo *one = list; one; one = one->ai_next)
		if (getnameinfo(one->ai_addr, one->ai_addrlen, address, sizeof(address), NULL, 0,
			NI_NUMERICHOST) == 0)
			talk_host(hosts, host, address);
	if (list)
		freeaddrinfo(list);
	return rc;
}

/* The hosts' addresses; those that are not found are passed over where another one is. */
static int talk_find(struct store_link *link, struct talk_hosts *hosts, struct schedd_error *err)
{
	const struct store_url *url = &link->config->url;
	bool named = store_url_param(url, "hostaddr") || store_url_param(url, "host");
	int64_t deadline = link->deadline;
	int rc = 0;

	for (uint32_t i = 0; i < url->host_count; i++) {
		uint32_t left = url->host_count - i;

		if (named) {
			talk_host(hosts, &url->hosts[i], "");
			continue;
		}
		link->deadline = deadline - store_link_left(link) * 1000LL * (left - 1) / left;
		rc = talk_look_up(link, hosts, i, err);
		link->deadline = deadline;
	}
	if (hosts->count == 0 && rc)
		return rc;
	link->fault = STORE_FAULT_NONE;
	return 0;
}

static int talk_hosts(struct store_link *link, struct arena *arena, struct talk_keys *keys,
    struct schedd_error *err)
{
	struct talk_hosts hosts = {STRBUF_EMPTY, STRBUF_EMPTY, STRBUF_EMPTY, 0, false};
	int rc = talk_find(link, &hosts, err);

	if (rc == 0 && hosts.any && !strbuf_failed(&hosts.names) &&
	    !strbuf_failed(&hosts.addresses) && !strbuf_failed(&hosts.ports)) {
		if (hosts.names.length > hosts.count - 1)
			talk_key(keys, "host", arena_strdup(arena, strbuf_peek(&hosts.names)));
		if (hosts.addresses.length > hosts.count - 1)
			talk_key(keys, "hostaddr",
			    arena_strdup(arena, strbuf_peek(&hosts.addresses)));
		talk_key(keys, "port", arena_strdup(arena, strbuf_peek(&hosts.ports)));
	}
	strbuf_clear(&hosts.names);
	strbuf_clear(&hosts.addresses);
	strbuf_clear(&hosts.ports);
	return rc == 0 && arena_failed(arena) ? schedd_error_nomem(err) : rc;
}

/* A failed log-in has a sentence and no state: what it says tells whether waiting helps. */
static int talk_refused(struct store_link *link, struct schedd_error *err)
{
	static const char *const hopeless[] = {"password", "authentication", "pg_hba.conf", "role \"",
	    "database \"", "certificate", "SSL", "unsupported", "expected authentication",
	    "invalid response", "received invalid", NULL};
	/* Another kind of server: libpq tells where it was surprised. */
	static const char *const strange[] = {"invalid response", "during SSL exchange",
	    "expected authentication", "received invalid", "closed the connection unexpectedly", NULL};
	const char *message = PQerrorMessage(pg_of(link)->conn), *ask = "";
	enum store_fault fault = STORE_FAULT_GONE;

	for (const char *const *word = hopeless; *word; word++)
		if (strstr(message, *word))
			fault = STORE_FAULT_REFUSED;
	for (const char *const *word = strange; *word; word++)
		if (strstr(message, *word))
			ask = "; is it PostgreSQL that listens there?";
	return store_link_fail(link, fault, err, "%.*s%s",
	    (int)(strlen(message) - (message[0] && message[strlen(message) - 1] == '\n')), message, ask);
}

/* Remarks of the server's would go to stderr. */
static void talk_notice(void *context, const char *message)
{
	(void)context;
	(void)message;
}

static int talk_start(struct store_link *link, struct arena *arena, struct schedd_error *err)
{
	const struct store_remote_config *config = link->config;
	const struct store_url *url = &config->url;
	struct talk_keys keys = {.count = 0};
	struct pg_link *pg = pg_of(link);

	talk_key(&keys, "dbname", url->path[0] ? url->path : NULL);
	talk_key(&keys, "user", url->user && url->user[0] ? url->user : NULL);
	talk_key(&keys, "password", url->password);
	talk_key(&keys, "sslrootcert", config->tls_ca);
	talk_key(&keys, "sslcert", config->tls_cert);
	talk_key(&keys, "sslkey", config->tls_key);
	if (config->tls_ca && !store_url_param(url, "sslmode"))
		talk_key(&keys, "sslmode", "verify-full");
	/* A session that died must not own the store for longer than this. */
	talk_key(&keys, "tcp_user_timeout",
	    arena_printf(arena, "%lld", (long long)(config->lease / 1000)));
	talk_key(&keys, "keepalives_idle", "5");
	talk_key(&keys, "keepalives_interval", "2");
	talk_key(&keys, "keepalives_count", "3");
	talk_key(&keys, "application_name", "schedd");
	talk_key(&keys, "client_encoding", "UTF8");
	if (talk_hosts(link, arena, &keys, err))
		return SCHEDD_EFAILED;
	for (uint32_t i = 0; i < url->param_count; i++)
		talk_key(&keys, url->params[i].name, url->params[i].text);
	pg->sent = false;
	pg->kept_count = pg->commits = 0;
	pg->conn = PQconnectStartParams(keys.names, keys.texts, 0);
	if (!pg->conn)
		return schedd_error_nomem(err);
	PQsetNoticeProcessor(pg->conn, talk_notice, NULL);
	return PQstatus(pg->conn) == CONNECTION_BAD ? talk_refused(link, err) : 0;
}

int store_postgresql_talk_connect(struct store_link *link, struct schedd_error *err)
{
	struct pg_link *pg = pg_of(link);
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	struct arena arena;
	int rc;

	arena_init(&arena);
	rc = talk_start(link, &arena, err);
	while (rc == 0 && status != PGRES_POLLING_OK) {
		rc = talk_wait(link, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, err);
		if (rc == 0)
			status = PQconnectPoll(pg->conn);
		if (rc == 0 && status == PGRES_POLLING_FAILED)
			rc = talk_refused(link, err);
	}
	arena_clear(&arena);
	if (rc == 0 && PQsetnonblocking(pg->conn, 1))
		rc = store_link_fail(link, STORE_FAULT_GONE, err, "%s", PQerrorMessage(pg->conn));
	if (rc == 0 && PQserverVersion(pg->conn) < 120000)
		rc = store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "the server is PostgreSQL %d, it must be 12 or later",
		    PQserverVersion(pg->conn) / 10000);
	return rc;
}

void store_postgresql_talk_close(struct store_link *link)
{
	struct pg_link *pg = pg_of(link);

	PQfinish(pg->conn);
	pg->conn = NULL;
}

/* ---- Talking ---- */

/* Its place among those that are kept; negative: nowhere. */
static int talk_place(struct pg_link *pg, const char *text, bool add)
{
	for (int i = 0; i < pg->kept_count; i++)
		if (pg->kept[i].text == text)
			return i;
	if (!add || pg->kept_count == PG_KEPT)
		return -1;
	pg->kept[pg->kept_count] = (struct pg_kept){text, false};
	return pg->kept_count++;
}

#define TALK_NAME_SIZE 16

static const char *talk_name(char name[TALK_NAME_SIZE], int place)
{
	snprintf(name, TALK_NAME_SIZE, "schedd%d", place);
	return name;
}

void store_postgresql_talk_again(struct store_link *link, const char *text)
{
	(void)talk_place(pg_of(link), text, true);
}

/* Those of a pipeline come again and again. */
static bool talk_send_kept(struct pg_link *pg, const char *text, const struct pg_params *params)
{
	int place = talk_place(pg, text, PQpipelineStatus(pg->conn) == PQ_PIPELINE_ON);
	char name[TALK_NAME_SIZE];

	return place >= 0 && pg->kept[place].ready &&
	       PQsendQueryPrepared(pg->conn, talk_name(name, place), params->count, params->texts,
		   NULL, NULL, 0);
}

int store_postgresql_talk_send(struct store_link *link, const char *text,
    const struct pg_params *params, struct schedd_error *err)
{
	struct pg_link *pg = pg_of(link);

	if (params && arena_failed(&params->arena))
		return schedd_error_nomem(err);
	if (params && talk_send_kept(pg, text, params))
		return 0;
	/* Outside a pipeline a text without parameters may be several statements. */
	if (!params && PQpipelineStatus(pg->conn) == PQ_PIPELINE_OFF && PQsendQuery(pg->conn, text))
		return 0;
	if (PQsendQueryParams(pg->conn, text, params ? params->count : 0, NULL,
		params ? params->texts : NULL, NULL, NULL, 0))
		return 0;
	return talk_gone(link, PQerrorMessage(pg->conn), err);
}

/* Reads to the end of an answer outside a pipeline. */
static int talk_drain(struct store_link *link, struct schedd_error *err)
{
	PGresult *result;
	int rc;

	while ((rc = talk_ready(link, err)) == 0 && (result = PQgetResult(pg_of(link)->conn)))
		PQclear(result);
	return rc;
}

static bool talk_good(const PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_SINGLE_TUPLE:
	case PGRES_EMPTY_QUERY:
		return true;
	default:
		return false;
	}
}

/* Of several statements the last one's result, or the first that failed; NULL: the connection did. */
static PGresult *talk_last(struct store_link *link, struct schedd_error *err)
{
	PGresult *result = NULL, *next;
	struct schedd_error later;

	while ((!result || talk_good(result)) && talk_ready(link, result ? &later : err) == 0 &&
	       (next = PQgetResult(pg_of(link)->conn))) {
		PQclear(result);
		result = next;
	}
	if (!result && link->fault == STORE_FAULT_NONE)
		store_postgresql_talk_failed(link, NULL, err);
	return result;
}

int store_postgresql_talk_ask(struct store_link *link, const char *text,
    const struct pg_params *params, PGresult **out, struct schedd_error *err)
{
	PGresult *result = NULL;
	struct schedd_error rest;
	int rc = store_postgresql_talk_send(link, text, params, err);

	if (rc == 0)
		rc = talk_ready(link, err);
	if (rc)
		return rc;
	result = talk_last(link, err);
	if (!result)
		return SCHEDD_EFAILED;
	if (!talk_good(result))
		rc = store_postgresql_talk_failed(link, result, err);
	if (talk_drain(link, &rest) && rc == 0) {
		*err = rest;
		rc = SCHEDD_EFAILED;
	}
	if (rc == 0 && out)
		*out = result;
	else
		PQclear(result);
	return rc;
}

int store_postgresql_talk_rows(struct store_link *link, const char *text,
    const struct pg_params *params, pg_row_fn call, void *context, struct schedd_error *err)
{
	PGconn *conn = pg_of(link)->conn;
	int rc = store_postgresql_talk_send(link, text, params, err), first = 0;
	bool more = true;
	PGresult *row;

	if (rc == 0 && !PQsetSingleRowMode(conn))
		rc = talk_gone(link, PQerrorMessage(conn), err);
	while (rc == 0 && (first = talk_ready(link, err)) == 0 && (row = PQgetResult(conn))) {
		if (!talk_good(row))
			rc = store_postgresql_talk_failed(link, row, err);
		else if (more && PQresultStatus(row) == PGRES_SINGLE_TUPLE)
			more = call(row, context);
		PQclear(row);
	}
	if (rc && link->fault == STORE_FAULT_NONE) {
		struct schedd_error rest;

		(void)talk_drain(link, &rest);
	}
	return rc ? rc : first;
}

PGresult *store_postgresql_talk_next(struct store_link *link, struct schedd_error *err)
{
	PGconn *conn = pg_of(link)->conn;
	PGresult *result = NULL, *end;

	if (talk_ready(link, err))
		return NULL;
	result = PQgetResult(conn);
	if (!result) {
		talk_gone(link, PQerrorMessage(conn), err);
		return NULL;
	}
	/* Each answer but the pipeline's end has a NULL behind it. */
	if (PQresultStatus(result) == PGRES_PIPELINE_SYNC)
		return result;
	if (talk_ready(link, err)) {
		PQclear(result);
		return NULL;
	}
	end = PQgetResult(conn);
	PQclear(end);
	return result;
}

int store_postgresql_talk_end(struct store_link *link, struct schedd_error *err)
{
	int rc = 0;

	for (;;) {
		struct schedd_error later;
		PGresult *result = store_postgresql_talk_next(link, rc ? &later : err);
		ExecStatusType status;

		if (!result)
			return SCHEDD_EFAILED;
		status = PQresultStatus(result);
		if (status != PGRES_PIPELINE_SYNC && status != PGRES_PIPELINE_ABORTED &&
		    !talk_good(result) && rc == 0)
			rc = store_postgresql_talk_failed(link, result, err);
		PQclear(result);
		if (status == PGRES_PIPELINE_SYNC)
			return rc;
	}
}

#define TALK_COMMITS 4 /* then it is worth a round trip */

static bool talk_send_keep(struct pg_link *pg)
{
	char name[TALK_NAME_SIZE];
	bool sent = PQenterPipelineMode(pg->conn);

	for (int i = 0; i < pg->kept_count && sent; i++)
		if (!pg->kept[i].ready)
			sent = PQsendPrepare(
			    pg->conn, talk_name(name, i), pg->kept[i].text, 0, NULL);
	return sent && PQpipelineSync(pg->conn);
}

void store_postgresql_talk_leave(struct store_link *link, bool stored)
{
	struct pg_link *pg = pg_of(link);
	struct schedd_error err;
	int ready = 0;

	(void)PQexitPipelineMode(pg->conn);
	if (!stored)
		return;
	for (int i = 0; i < pg->kept_count; i++)
		ready += pg->kept[i].ready;
	if (++pg->commits % TALK_COMMITS || ready == pg->kept_count)
		return;
	if (talk_send_keep(pg) && store_postgresql_talk_end(link, &err) == 0 &&
	    PQexitPipelineMode(pg->conn)) {
		for (int i = 0; i < pg->kept_count; i++)
			pg->kept[i].ready = true;
		return;
	}
	/* Nobody knows what it has: the next commit finds the connection closed, and makes another. */
	link->fault = STORE_FAULT_NONE;
	(void)shutdown(PQsocket(pg->conn), SHUT_RDWR);
}
