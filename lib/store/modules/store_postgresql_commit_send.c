/* SPDX-License-Identifier: MIT */
/* What a commit has gathered, as statements, and what these answer. */
#include "store/modules/store_postgresql_commit.h"

#include <stdlib.h>
#include <string.h>

void pg_commit_put_sent(struct commit *commit, const struct commit_sent *from)
{
	struct commit_sent *sent = arena_alloc(&commit->arena, sizeof(*sent));

	if (!sent)
		return;
	*sent = *from;
	sent->next = NULL;
	sent->ops = arena_alloc(&commit->arena, (from->count + 1) * sizeof(sent->ops[0]));
	if (sent->ops && from->count)
		memcpy(sent->ops, from->ops, from->count * sizeof(sent->ops[0]));
	*commit->last = sent;
	commit->last = &sent->next;
}

/* Every claim is lost until a row says otherwise. */
static void commit_take_claims(const struct commit_sent *sent, const PGresult *result)
{
	for (uint32_t i = 0; i < sent->count; i++)
		sent->ops[i]->claim.given = STORE_CLAIM_LOST;
	for (int i = 0; i < PQntuples(result); i++) {
		uint64_t place = strtoull(PQgetvalue(result, i, 0), NULL, 10);

		if (place >= sent->place && place - sent->place < sent->count)
			sent->ops[place - sent->place]->claim.given = STORE_CLAIM_DONE;
	}
}

static void commit_take_fires(const struct commit_sent *sent, const PGresult *result)
{
	pg_take_fires(sent->ops, sent->count, result);
}

void pg_commit_take_fire(const struct commit_sent *sent, const PGresult *result)
{
	pg_take_fire(sent->ops[0], result);
}

static void commit_take_adds(const struct commit_sent *sent, const PGresult *result)
{
	/* Rows nearly always come as they were sent. */
	for (int i = 0; i < PQntuples(result); i++) {
		const char *id = PQgetvalue(result, i, 0);
		uint32_t at = (uint32_t)i;

		for (uint32_t tries = 0; tries < sent->count; tries++, at++) {
			struct store_op *op = sent->ops[at % sent->count];

			if (strcmp(op->put_job.job->id, id) != 0)
				continue;
			op->put_job.given = (uint32_t)strtoull(PQgetvalue(result, i, 1), NULL, 10);
			break;
		}
	}
}

void pg_commit_fail(struct commit *commit, int rc)
{
	if (rc)
		commit->failed = true;
}

static const char *commit_statement(const struct commit *commit, enum pg_set set)
{
	if (commit->link->config->shared && set == PG_SET_ADDS)
		return pg_sql_adds_shared;
	if (commit->link->config->shared && set == PG_SET_RUNS)
		return pg_sql_runs_shared;
	if (set == PG_SET_ADDS && commit->sets[set].count == 1)
		return pg_sql_add;
	if (commit->link->config->shared && set == PG_SET_META)
		return pg_sql_meta_shared;
	if (set == PG_SET_FIRES)
		return pg_fires_text(commit->link);
	return pg_sql_sets[set];
}

static void commit_send_set(struct commit *commit, enum pg_set set)
{
	struct commit_sent sent = {.place = commit->place - commit->claim_count};

	if (commit->sets[set].count == 0 || commit->failed)
		return;
	if (set == PG_SET_CLAIMS) {
		sent.take = commit_take_claims;
		sent.ops = commit->claims;
		sent.count = commit->claim_count;
		commit->claim_count = 0;
	} else if (set == PG_SET_FIRES) {
		sent.take = commit_take_fires;
		sent.ops = commit->fires;
		sent.count = commit->fire_count;
		commit->fire_count = 0;
	} else if (set == PG_SET_ADDS) {
		sent.take = commit_take_adds;
		sent.ops = commit->adds;
		sent.count = commit->add_count;
		commit->add_count = 0;
	}
	pg_commit_put_sent(commit, &sent);
	pg_commit_fail(commit,
	    pg_rows_send(&commit->sets[set], commit->link, commit_statement(commit, set), &commit->err));
}

void pg_commit_flush(struct commit *commit)
{
	for (int set = 0; set < PG_SETS; set++)
		commit_send_set(commit, (enum pg_set)set);
	strmap_clear(&commit->seen);
	strmap_init(&commit->seen, commit->seen.key);
}

void pg_commit_send(struct commit *commit, const char *text, const struct pg_params *params)
{
	struct commit_sent none = {.take = NULL};

	if (commit->failed)
		return;
	pg_commit_put_sent(commit, &none);
	pg_commit_fail(commit,
	    store_postgresql_talk_send(commit->link, text, params, &commit->err));
}

void pg_commit_alone(struct commit *commit, const char *text, const char *first,
    const char *second, const int64_t *number)
{
	struct pg_params params;

	pg_params_init(&params);
	pg_params_text(&params, first);
	if (second)
		pg_params_text(&params, second);
	if (number)
		pg_params_number(&params, *number);
	pg_commit_send(commit, text, &params);
	pg_params_clear(&params);
}

void pg_commit_once(struct commit *commit, const char *text)
{
	struct commit_key *key = arena_alloc(&commit->arena, sizeof(*key));

	if (!key)
		return;
	key->text = text;
	if (strmap_put(&commit->seen, key) != SCHEDD_ECONFLICT)
		return;
	pg_commit_flush(commit);
	(void)!strmap_put(&commit->seen, key);
}
