/* SPDX-License-Identifier: MIT */
/*
 * The take-over of a node whose lease is over: one pipeline, one transaction,
 * so that a taker who stands still in the middle holds no lock. First the
 * nodes, then what belongs to them, as commits lock the node's row first, too;
 * each statement sees what the one before it had to wait for.
 */
#include <string.h>
#include "base/log.h"
#include "store/modules/store_postgresql_share.h"
#include "store/modules/store_postgresql_sql.h"

struct take {
	struct store_link *link;
	struct store_watching *watching;
	bool alive; /* it has renewed its lease, or another was faster */
};

static void take_runs(struct take *take, const PGresult *result)
{
	for (int line = 0; line < PQntuples(result); line++) {
		struct run run;

		store_postgresql_read_run(result, line, &run);
		store_watching_taken_run(take->watching, &run);
	}
}

static void take_texts(struct take *take, const PGresult *result)
{
	for (int line = 0; line < PQntuples(result); line++)
		store_watching_taken_text(
		    take->watching, PQgetvalue(result, line, 0), PQgetvalue(result, line, 1));
}

/* What a statement is given, in order. */
enum take_param {
	TAKE_NOTHING,
	TAKE_NODE,
	TAKE_EPOCH,
	TAKE_ME,
};

static const struct take_step {
	const char *text;
	enum take_param params[2];
	void (*take)(struct take *take, const PGresult *result);
} take_steps[] = {
    {pg_sql_take_fence, {TAKE_NODE, TAKE_EPOCH}, NULL},
    {pg_sql_take_unsettled, {TAKE_NODE, TAKE_ME}, NULL},
    {pg_sql_take_slots, {TAKE_NODE, TAKE_ME}, NULL},
    {pg_sql_take_runs, {TAKE_NODE, TAKE_ME}, take_runs},
    {pg_sql_take_texts, {TAKE_NOTHING}, take_texts},
    {pg_sql_take_tell, {TAKE_ME}, NULL},
};

#define TAKE_STEPS (sizeof(take_steps) / sizeof(take_steps[0]))

static int take_send(struct take *take, int64_t node, int64_t epoch, struct schedd_error *err)
{
	struct store_link *link = take->link;
	const int64_t numbers[] = {
	    [TAKE_NODE] = node, [TAKE_EPOCH] = epoch, [TAKE_ME] = link->node};
	struct pg_params params;
	int rc;

	pg_params_init(&params);
	pg_params_number(&params, link->node);
	pg_params_number(&params, (int64_t)link->epoch);
	pg_params_text(&params, link->config->life);
	rc = store_postgresql_talk_send(link, pg_sql_guard_take, &params, err);
	pg_params_clear(&params);
	for (size_t i = 0; i < TAKE_STEPS && rc == 0; i++) {
		pg_params_init(&params);
		for (size_t k = 0; k < 2 && take_steps[i].params[k] != TAKE_NOTHING; k++)
			pg_params_number(&params, numbers[take_steps[i].params[k]]);
		rc = store_postgresql_talk_send(link, take_steps[i].text, &params, err);
		pg_params_clear(&params);
	}
	return rc;
}

static int take_read(struct take *take, struct schedd_error *err)
{
	struct store_link *link = take->link;
	int rc = 0;

	for (size_t i = 0; i <= TAKE_STEPS; i++) {
		struct schedd_error later;
		PGresult *result = store_postgresql_talk_next(link, rc ? &later : err);
		const char *message;

		if (!result)
			return SCHEDD_EFAILED;
		message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
		if (PQresultStatus(result) == PGRES_TUPLES_OK && i > 0 && take_steps[i - 1].take)
			take_steps[i - 1].take(take, result);
		else if (message && strstr(message, "\"alive:"))
			take->alive = true; /* what comes behind it was not done */
		else if (PQresultStatus(result) == PGRES_FATAL_ERROR && rc == 0)
			rc = store_postgresql_talk_failed(link, result, err);
		PQclear(result);
	}
	{
		struct schedd_error later;
		int end = store_postgresql_talk_end(link, rc ? &later : err);

		return rc ? rc : end;
	}
}

int store_postgresql_take(struct store_link *link, uint32_t node, uint64_t epoch,
    struct store_watching *watching, bool *taken, struct schedd_error *err)
{
	PGconn *conn = pg_of(link)->conn;
	struct take take = {.link = link, .watching = watching};
	int rc;

	if (!PQenterPipelineMode(conn))
		return store_link_fail(link, STORE_FAULT_GONE, err, "%s", PQerrorMessage(conn));
	rc = take_send(&take, node, (int64_t)epoch, err);
	if (rc == 0 && !PQpipelineSync(conn))
		rc = store_link_fail(link, STORE_FAULT_GONE, err, "%s", PQerrorMessage(conn));
	if (rc == 0)
		rc = take_read(&take, err);
	if (link->fault == STORE_FAULT_NONE)
		(void)PQexitPipelineMode(conn);
	*taken = rc == 0 && !take.alive;
	return take.alive ? 0 : rc;
}
