/* SPDX-License-Identifier: MIT */
#include "store/modules/store_postgresql_fires.h"

#include <stdlib.h>
#include <string.h>

#include "store/modules/store_postgresql_share.h"
#include "store/modules/store_postgresql_sql.h"

#define FIRE_SETS(c, where)                                                                        \
	"UPDATE schedd_jobs j SET next_fire = " c(next_fire, 7, bigint) ", next_run_time = "               \
	c(next_run_time, 8, bigint) ", run_count = " c(run_count, 9, bigint) ", last_run = "               \
	c(last_run, 10, bigint) where " AND j.id = " c(id, 5, text) " AND j.definition IS NOT NULL AND "   \
	"j.last_run = " c(expected, 6, bigint) " AND (" c(revision, 12, bigint) " = 0 OR j.revision = "    \
	c(revision, 12, bigint) ")"
#define FIRE_RUN "number, state, \"trigger\", attempt, scheduled_at, started_at, coalesced, actor"
/* A row that is there already, as of a run of another server, is no more than this one. */
#define FIRE_PUT(node, values, from)                                                               \
	"INSERT INTO schedd_runs (job, " FIRE_RUN node ") SELECT u.key, " values " FROM u" from " ON "     \
	"CONFLICT (job, number) DO UPDATE SET (state, \"trigger\", attempt, scheduled_at, started_at, "    \
	"coalesced, actor, ended_at, done_at, until, count, exit_code, signal, reason, max_rss, cpu_us, "  \
	"output_bytes, output_dropped, pid, pid_start, attempts, result" node ") = (excluded.state, "      \
	"excluded.\"trigger\", excluded.attempt, excluded.scheduled_at, excluded.started_at, "             \
	"excluded.coalesced, excluded.actor, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, " \
	"NULL, NULL, NULL, NULL, NULL"
#define FIRE_NODE ", node, ran"

/*
 * ---- Many: what does not hold is answered by its place; where it must, all fails ----
 *
 * They are compared only if one is missing: the planner, which does not know how many there are, would compare each
 * with each.
 */

#define FIRE_OF(name, place, type) "c." #name
#define FIRES(node, values, excludeds)                                                             \
	"WITH c AS MATERIALIZED (SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], "            \
	"$4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::text[], "  \
	"$11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[]) WITH ORDINALITY c (id, " \
	"expected, next_fire, next_run_time, run_count, last_run, must, revision, state, \"trigger\", "    \
	"attempt, scheduled_at, started_at, coalesced, actor, n)), u AS ("                                 \
	FIRE_SETS(FIRE_OF, " FROM c WHERE true") " RETURNING j.key, c.*), r AS ("                          \
	FIRE_PUT(node, "u.last_run, u.state, u.\"trigger\", u.attempt, u.scheduled_at, u.started_at, "     \
	"u.coalesced, u.actor" values, " ORDER BY u.n") excludeds ")) SELECT CASE WHEN c.must = 1 THEN "   \
	"('lost:' || c.id)::bigint ELSE c.n END FROM c WHERE (SELECT count(*) FROM u) < (SELECT count(*) "  \
	"FROM c) AND NOT EXISTS (SELECT FROM u WHERE u.n = c.n)"
#define THIS_NODE "current_setting('schedd.node')::int"

static const char fires_alone[] = FIRES("", "", "");
static const char fires_shared[] =
    FIRES(FIRE_NODE, ", " THIS_NODE ", " THIS_NODE, ", excluded.node, excluded.ran");

const char *pg_fires_text(const struct store_link *link)
{
	return link->config->shared ? fires_shared : fires_alone;
}

/* ---- One, with its guard ---- */

#define ONE_OF(name, place, type) "$" #place "::" #type
#define ONE_HOLDS " WHERE EXISTS (SELECT FROM n)"
static const char fire_one[] =
    PG_GUARD_SHARED ", u AS (" FIRE_SETS(ONE_OF, ONE_HOLDS) " RETURNING j.key), r AS ("
    FIRE_PUT(FIRE_NODE, "$10::bigint, $13::text, $14::text, $15::bigint, $16::bigint, $17::bigint, "
    "$18::bigint, $19::text, $1::int, $1::int", "") ", excluded.node, excluded.ran)) SELECT 1 / (SELECT "
    "count(*) FROM b), CASE WHEN EXISTS (SELECT FROM u) THEN 1 WHEN $11::bigint = 1 THEN ('lost:' || "
    "$5::text)::bigint ELSE 0 END";

/* ---- Which are so ---- */

static bool fire_begins(const struct run *run)
{
	return !run_ended(run->state) && run->ended_at == SCHEDD_TIME_NONE &&
	       run->until == SCHEDD_TIME_NONE && run->count == 1 && run->exit_code == -1 &&
	       run->signal == 0 && !run->reason && run->max_rss == 0 && run->cpu_us == 0 &&
	       run->output_bytes == 0 && run->output_dropped == 0 && run->pid == 0 &&
	       run->pid_start == 0 && !run->attempts && !run->result;
}

bool pg_fire_is(const struct store_op *claim)
{
	const struct store_op *run = claim->next, *then;

	if (claim->kind != STORE_OP_CLAIM || !run || run->kind != STORE_OP_PUT_RUN ||
	    run->run.claim != claim || run->run.run.number != claim->claim.last_run ||
	    strcmp(run->run.run.job, claim->claim.id) != 0 || !fire_begins(&run->run.run))
		return false;
	then = run->next;
	return !then || then->kind != STORE_OP_PUT_RUN || then->run.claim != claim;
}

struct store_op *pg_fire_only(
    const struct store_link *link, const struct store_batch *first, const struct store_batch *end)
{
	struct store_op *claim = first->first;

	if (!link->config->shared || first->next != end || !claim || !pg_fire_is(claim))
		return NULL;
	/* That the scheduler lives is told by its lease. */
	for (const struct store_op *op = claim->next->next; op; op = op->next)
		if (op->kind != STORE_OP_PUT_NUMBER)
			return NULL;
	return claim;
}

/* ---- Sending ---- */

void pg_rows_fire(struct pg_rows *rows, const struct store_op *claim, bool shared)
{
	const struct run *run = &claim->next->run.run;

	pg_rows_text(rows, claim->claim.id);
	pg_rows_number(rows, claim->claim.expected);
	pg_rows_time(rows, claim->claim.next_fire);
	pg_rows_time(rows, claim->claim.next_run_time);
	pg_rows_number(rows, (int64_t)claim->claim.run_count);
	pg_rows_number(rows, claim->claim.last_run);
	pg_rows_number(rows, claim->claim.verdict == NULL);
	pg_rows_number(rows, shared ? claim->claim.revision : 0);
	pg_rows_text(rows, run_state_name(run->state));
	pg_rows_text(rows, run_trigger_name(run->trigger));
	pg_rows_unless(rows, run->attempt, 1);
	pg_rows_time(rows, run->scheduled_at);
	pg_rows_time(rows, run->started_at);
	pg_rows_unless(rows, (int64_t)run->coalesced, 0);
	pg_rows_text(rows, run->actor);
	pg_rows_end(rows);
}

static void fire_number(struct pg_params *params, int64_t number, int64_t nothing)
{
	if (number == nothing)
		pg_params_text(params, NULL);
	else
		pg_params_number(params, number);
}

int pg_fire_send(struct store_link *link, const struct store_op *claim, uint64_t serial,
    struct schedd_error *err)
{
	const struct run *run = &claim->next->run.run;
	struct pg_params params;
	int rc;

	pg_params_init(&params);
	pg_params_number(&params, link->node);
	pg_params_number(&params, (int64_t)link->epoch);
	pg_params_text(&params, link->config->life);
	pg_params_number(&params, (int64_t)serial);
	pg_params_text(&params, claim->claim.id);
	pg_params_number(&params, claim->claim.expected);
	pg_params_time(&params, claim->claim.next_fire);
	pg_params_time(&params, claim->claim.next_run_time);
	pg_params_number(&params, (int64_t)claim->claim.run_count);
	pg_params_number(&params, claim->claim.last_run);
	pg_params_number(&params, claim->claim.verdict == NULL);
	pg_params_number(&params, claim->claim.revision);
	pg_params_text(&params, run_state_name(run->state));
	pg_params_text(&params, run_trigger_name(run->trigger));
	fire_number(&params, run->attempt, 1);
	pg_params_time(&params, run->scheduled_at);
	pg_params_time(&params, run->started_at);
	fire_number(&params, (int64_t)run->coalesced, 0);
	pg_params_text(&params, run->actor);
	rc = store_postgresql_talk_send(link, fire_one, &params, err);
	pg_params_clear(&params);
	return rc;
}

/* ---- Reading ---- */

void pg_take_fires(struct store_op **ops, uint32_t count, const PGresult *result)
{
	for (uint32_t i = 0; i < count; i++)
		ops[i]->claim.given = STORE_CLAIM_DONE;
	for (int line = 0; line < PQntuples(result); line++) {
		uint64_t place = strtoull(PQgetvalue(result, line, 0), NULL, 10);

		if (place >= 1 && place <= count)
			ops[place - 1]->claim.given = STORE_CLAIM_LOST;
	}
}

void pg_take_fire(struct store_op *claim, const PGresult *result)
{
	bool held = PQntuples(result) == 1 && strcmp(PQgetvalue(result, 0, 1), "1") == 0;

	claim->claim.given = held ? STORE_CLAIM_DONE : STORE_CLAIM_LOST;
}
