/* SPDX-License-Identifier: MIT */
/*
 * Type "postgresql": a driver over libpq. A group of batches is one pipeline
 * and one transaction; the owner is a row with an epoch, guarded by an advisory
 * lock that dies with the writer's session.
 */
#include "store/modules/store_postgresql.h"

#include <schedd/export.h>
#include <schedd/module.h>
#include <string.h>

static const char *const postgresql_params[] = {"host", "hostaddr", "sslmode", "sslrootcert",
    "sslcert", "sslkey", "sslcrl", "sslpassword", "target_session_attrs", "service", "passfile",
    "channel_binding", "gssencmode", "krbsrvname", NULL};

static int postgresql_check(const struct store_remote_config *config, struct schedd_error *err)
{
	if (strchr(config->url.path, '/'))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "url: '%.64s' is no name of a database, write a / in it as %%2F",
		    config->url.path);
	if (config->prefix)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "option 'prefix' is not for type 'postgresql': use a database of its own");
	return 0;
}

static int postgresql_connect(struct store_link *link, struct schedd_error *err)
{
	int rc = store_postgresql_talk_connect(link, err);

	if (rc == 0 && !link->writer)
		return store_postgresql_talk_ask(link,
		    "SET default_transaction_isolation = 'read committed'", NULL, NULL, err);
	if (rc)
		return rc;
	rc = store_postgresql_promise(link, err);
	if (rc == 0)
		rc = store_postgresql_schema(link, err);
	if (rc == 0)
		rc = store_postgresql_own(link, err);
	return rc;
}

/* Is it still there, and ours? */
static int postgresql_idle(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	struct pg_params params;
	PGresult *result;
	bool ours;
	int rc;

	(void)watching;
	pg_params_init(&params);
	pg_params_number(&params, (int64_t)link->epoch);
	pg_params_text(&params, link->config->life);
	rc = store_postgresql_talk_ask(link,
	    "SELECT count(*) FROM schedd_owner WHERE epoch = $1::bigint AND life = $2", &params,
	    &result, err);
	pg_params_clear(&params);
	if (rc) {
		/* A connection that cannot answer this is of no use. */
		if (link->fault == STORE_FAULT_NONE)
			link->fault = STORE_FAULT_GONE;
		return rc;
	}
	ours = strcmp(PQgetvalue(result, 0, 0), "1") == 0;
	PQclear(result);
	return ours ? 0
		    : store_link_fail(
			  link, STORE_FAULT_FENCED, err, "another schedd has taken it over");
}

static int postgresql_fd(const struct store_link *link)
{
	return PQsocket(pg_of(link)->conn);
}

static const struct store_driver postgresql_driver = {
    .size = sizeof(struct pg_link),
    .params = postgresql_params,
    .schemes = "postgresql, postgres",
    .check = postgresql_check,
    .connect = postgresql_connect,
    .disconnect = store_postgresql_talk_close,
    .commit = store_postgresql_commit,
    .resolve = store_postgresql_resolve,
    .load = store_postgresql_load,
    .reread = store_postgresql_reread,
    .last_run = store_postgresql_last_run,
    .beat = 5 * SCHEDD_SECOND,
    .idle = postgresql_idle,
    .fd = postgresql_fd,
    .runs = store_postgresql_runs,
    .changes = store_postgresql_changes,
    .stats = store_postgresql_stats,
    .retain = store_postgresql_retain,
    .sizes = store_postgresql_sizes,
};

static const struct store_ops postgresql_ops = STORE_REMOTE_OPS("postgresql", &postgresql_driver);

SCHEDD_API const struct schedd_module schedd_module = {
    .abi = SCHEDD_MODULE_ABI,
    .name = "store_postgresql",
    .version = SCHEDD_VERSION,
    .store = &postgresql_ops,
};
