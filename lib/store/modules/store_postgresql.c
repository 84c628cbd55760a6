/* SPDX-License-Identifier: MIT */
/*
 * Type "postgresql": a driver over libpq. A group of batches is one pipeline
 * and one transaction; the owner is a row with an epoch, guarded by an advisory
 * lock that dies with the writer's session.
 */
#include "store/modules/store_postgresql_share.h"

#include <schedd/export.h>
#include <schedd/module.h>
#include <stdio.h>
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

/* No transaction of a node that stands still may hold up the others for longer. */
static int postgresql_bound(struct store_link *link, struct schedd_error *err)
{
	long long third = (long long)(link->config->lease / 3000);
	char text[160];

	snprintf(text, sizeof(text), "SELECT set_config('lock_timeout', '%lld', false), "
	    "set_config('idle_in_transaction_session_timeout', '%lld', false)", third, third);
	return store_postgresql_talk_ask(link, text, NULL, NULL, err);
}

static int postgresql_connect(struct store_link *link, struct schedd_error *err)
{
	int64_t tables = 0, version = 0;
	bool nodes = false;
	int rc = store_postgresql_talk_connect(link, err);

	if (rc == 0 && !link->writer)
		rc = store_postgresql_talk_ask(link,
		    "SET default_transaction_isolation = 'read committed'", NULL, NULL, err);
	if (rc == 0 && link->config->shared)
		rc = postgresql_bound(link, err);
	if (rc || !link->writer)
		return rc;
	rc = store_postgresql_promise(link, &tables, err);
	if (rc == 0)
		rc = store_postgresql_schema(link, tables, &version, err);
	if (rc == 0 && link->config->shared)
		rc = store_postgresql_own_shared(link, err);
	else if (rc == 0)
		rc = store_postgresql_own(link, &nodes, err);
	if (rc == 0)
		rc = store_postgresql_migrate(link, version, err);
	if (rc == 0 && link->config->shared)
		rc = store_postgresql_join(link, err);
	else if (rc == 0 && nodes)
		rc = store_postgresql_own_nodes(link, err);
	return rc;
}

static int postgresql_load(
    struct store_link *link, struct store_loading *loading, struct schedd_error *err)
{
	return store_postgresql_load(link, loading, store_postgresql_load_slots, err);
}

/* Is it still there, and ours? */
static int postgresql_idle(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	struct pg_params params;
	PGresult *result;
	bool ours;
	int rc;

	if (link->config->shared)
		return store_postgresql_listen(link, watching, err);
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

static const struct store_share_driver postgresql_share = {
    .renew = store_postgresql_renew,
    .refresh = store_postgresql_refresh,
    .output = store_postgresql_output,
};

static const struct store_driver postgresql_driver = {
    .size = sizeof(struct pg_link),
    .params = postgresql_params,
    .schemes = "postgresql, postgres",
    .check = postgresql_check,
    .connect = postgresql_connect,
    .disconnect = store_postgresql_talk_close,
    .commit = store_postgresql_commit,
    .resolve = store_postgresql_resolve,
    .load = postgresql_load,
    .reread = store_postgresql_reread,
    .last_run = store_postgresql_last_run,
    .beat = 5 * SCHEDD_SECOND,
    .idle = postgresql_idle,
    .fd = postgresql_fd,
    .share = &postgresql_share,
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
