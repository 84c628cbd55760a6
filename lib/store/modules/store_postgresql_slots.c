/* SPDX-License-Identifier: MIT */
/* Which node has which slot of jobs, and what claims of other nodes have changed of theirs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_postgresql_share.h"

int store_postgresql_read_slots(struct store_link *link, uint32_t owners[NODE_SLOTS],
    struct store_places *places, struct schedd_error *err)
{
	PGresult *result;
	int rc = share_ask(link, "SELECT slot, node FROM schedd_slots", NULL, &result, err);

	if (rc)
		return rc;
	memset(owners, 0, NODE_SLOTS * sizeof(owners[0]));
	for (int row = 0; row < PQntuples(result); row++) {
		int64_t slot = share_number(result, row, 0);
		uint32_t node = (uint32_t)share_number(result, row, 1);

		if (slot >= 0 && slot < NODE_SLOTS)
			owners[slot] = node;
		else if (slot >= 0)
			store_places_add(places, (uint32_t)slot, node);
	}
	PQclear(result);
	return 0;
}

int store_postgresql_load_slots(
    struct store_link *link, struct store_loading *loading, struct schedd_error *err)
{
	struct store_places places = {.count = 0};
	uint32_t owners[NODE_SLOTS];
	PGresult *result;
	int rc = store_postgresql_read_slots(link, owners, &places, err);

	if (rc == 0)
		rc = share_ask(link, "SELECT number FROM schedd_meta WHERE key = 'feed.seq'", NULL,
		    &result, err);
	if (rc == 0) {
		store_nodes_loaded(&pg_of(link)->feed, owners, &places,
		    share_number(result, 0, 0), loading);
		PQclear(result);
	}
	store_places_clear(&places);
	return rc;
}

static int share_state(const PGresult *row, int column)
{
	enum run_state state;

	return !PQgetisnull(row, 0, column) && run_state_parse(PQgetvalue(row, 0, column), &state)
		   ? (int)state
		   : -1;
}

static bool share_counted(PGresult *row, void *context)
{
	const struct store_counted job = {
	    .id = PQgetvalue(row, 0, 0),
	    .next_fire = PQgetisnull(row, 0, 1) ? SCHEDD_TIME_NONE : share_number(row, 0, 1),
	    .next_run_time = PQgetisnull(row, 0, 2) ? SCHEDD_TIME_NONE : share_number(row, 0, 2),
	    .run_count = (uint64_t)share_number(row, 0, 3),
	    .last_run = (uint32_t)share_number(row, 0, 4),
	    .revision = (uint32_t)share_number(row, 0, 5),
	    .running = (uint32_t)share_number(row, 0, 6),
	    .queued = (uint32_t)share_number(row, 0, 7),
	    .last_state = share_state(row, 8),
	};

	store_watching_counted(context, &job);
	return true;
}

static int share_rows(struct store_link *link, const char *text, const struct pg_params *params,
    struct store_watching *watching, struct schedd_error *err)
{
	int rc = store_postgresql_talk_rows(link, text, params, share_counted, watching, err);

	/* libpq would have the first statement of the next pipeline answered row by row, too. */
	return rc ? rc : share_ask(link, "SELECT 1", NULL, NULL, err);
}

#define SHARE_COUNTED                                                                              \
	"SELECT j.id, j.next_fire, j.next_run_time, j.run_count, j.last_run, j.revision, "
#define SHARE_LAST                                                                                 \
	"LEFT JOIN LATERAL (SELECT state FROM schedd_runs r WHERE j.last_run > 0 AND r.job = j.key AND r.done_at IS NOT NULL "  \
	"AND r.state NOT IN ('missed', 'skipped', 'cancelled') ORDER BY r.number DESC LIMIT 1) l ON true "

/* From so many slots on nearly every page of the table has a job of them: the index is a detour then. */
#define SHARE_MANY (NODE_SLOTS / 16)

#define SHARE_GAINED(slots) SHARE_COUNTED "0, 0, l.state FROM schedd_jobs j " SHARE_LAST "WHERE (" slots  \
	" OR j.slot IS NULL) AND j.definition IS NOT NULL"

/* Few as a list, many as a bit each, as get_bit() counts them. */
static const char *share_gained(
    const bool slots[NODE_SLOTS], char list[NODE_SLOTS * 4 + 3], bool *few)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bits[NODE_SLOTS / 8] = {0};
	size_t length = 0;
	int count = 0;

	for (uint32_t slot = 0; slot < NODE_SLOTS; slot++) {
		if (!slots[slot])
			continue;
		bits[slot / 8] |= (unsigned char)(1U << slot % 8);
		length += (size_t)sprintf(list + length, "%c%u", length ? ',' : '{', (unsigned)slot);
		count++;
	}
	strcpy(list + length, length ? "}" : "{}");
	*few = count < SHARE_MANY;
	if (*few)
		return list;
	strcpy(list, "\\x");
	for (size_t i = 0; i < sizeof(bits); i++) {
		list[2 + 2 * i] = digits[bits[i] >> 4];
		list[3 + 2 * i] = digits[bits[i] & 15];
	}
	list[2 + 2 * sizeof(bits)] = '\0';
	return list;
}

int store_postgresql_read_gained(struct store_link *link, const bool slots[NODE_SLOTS],
    struct store_watching *watching, struct schedd_error *err)
{
	static const char of_few[] = SHARE_GAINED("j.slot = ANY ($1::int[])");
	static const char of_many[] = SHARE_GAINED("get_bit($1::bytea, j.slot) = 1");
	char list[NODE_SLOTS * 4 + 3];
	struct pg_params params;
	bool few;
	int rc;

	pg_params_init(&params);
	pg_params_text(&params, share_gained(slots, list, &few));
	rc = share_rows(link, few ? of_few : of_many, &params, watching, err);
	pg_params_clear(&params);
	return rc;
}

/* One, or none. */
static int share_row(struct store_link *link, const char *text, const struct pg_params *params,
    struct store_watching *watching, struct schedd_error *err)
{
	PGresult *result;
	int rc = share_ask(link, text, params, &result, err);

	if (rc)
		return rc;
	if (PQntuples(result))
		(void)share_counted(result, watching);
	PQclear(result);
	return 0;
}

#define SHARE_OTHERS(which)                                                                        \
	"WITH o AS (SELECT job, count(*) FILTER (WHERE state = 'running') AS running, count(*) FILTER (WHERE "  \
	"state <> 'running') AS queued FROM schedd_runs WHERE done_at IS NULL AND node <> $1::int GROUP BY "   \
	"job) " SHARE_COUNTED "coalesce(o.running, 0), coalesce(o.queued, 0), l.state FROM schedd_jobs j "     \
	"LEFT JOIN o ON o.job = j.key " SHARE_LAST "WHERE j.definition IS NOT NULL " which "AND (j.slot IS NULL OR "  \
	"j.slot IN (SELECT slot FROM schedd_slots WHERE node IS DISTINCT FROM $1::int))"

int store_postgresql_read_others(struct store_link *link, const char *id,
    struct store_watching *watching, struct schedd_error *err)
{
	/* In one statement for both, a plan that is good for any id would look at all jobs for one. */
	static const char all[] = SHARE_OTHERS(""), one[] = SHARE_OTHERS("AND j.id = $2 ");
	struct pg_params params;
	int rc;

	pg_params_init(&params);
	pg_params_number(&params, link->node);
	if (id) {
		pg_params_text(&params, id);
		store_postgresql_talk_again(link, one);
		rc = share_row(link, one, &params, watching, err);
	} else {
		rc = share_rows(link, all, &params, watching, err);
	}
	pg_params_clear(&params);
	return rc;
}
