/* SPDX-License-Identifier: MIT */
/*
 * Starts: claims, each with the one open run that it starts. Much that is due at
 * once is nearly all of this kind; it goes in columns that the server's function
 * hands on as they are, see store_redis_v2_starts.lua.
 */
#include <stdlib.h>
#include <string.h>
#include "base/strmap.h"
#include "store/modules/store_redis.h"

/* What a start and its claim are marked with; other claims have their number. */
static char starts_mark;

bool store_redis_started(const struct store_op *op)
{
	return op->prepared == &starts_mark;
}

/* What may stand beside starts: nothing that looks at jobs or takes runs away. */
static bool starts_may(const struct store_op *op)
{
	return op->kind == STORE_OP_CLAIM || op->kind == STORE_OP_PUT_RUN ||
	       op->kind == STORE_OP_PUT_NUMBER || op->kind == STORE_OP_PUT_TEXT ||
	       op->kind == STORE_OP_PUT_CHANGE;
}

/* A run that is open, with the claim that gave it its number. */
static bool starts_is(const struct store_op *op)
{
	const struct store_op *claim = op->kind == STORE_OP_PUT_RUN ? op->run.claim : NULL;
	const struct run *run = &op->run.run;

	return claim && !claim->prepared && claim->claim.revision &&
	       strcmp(claim->claim.id, run->job) == 0 && claim->claim.last_run == run->number &&
	       !run->result && store_query_done_at(run) == SCHEDD_TIME_NONE;
}

static const char *starts_claim_id(const void *item)
{
	return ((const struct store_op *)item)->claim.id;
}

/* Columns know no order: no job stands there twice, nor what becomes of a run that begins there. */
static bool starts_apart(struct store_batch *first, struct store_batch *end)
{
	struct strmap claims;
	bool apart = true;

	strmap_init(&claims, starts_claim_id);
	for (struct store_batch *batch = first; batch != end && apart; batch = batch->next)
		for (struct store_op *op = batch->first; op && apart; op = op->next) {
			const struct store_op *claim = NULL;

			if (op->kind == STORE_OP_CLAIM)
				apart = strmap_put(&claims, op) == 0;
			else if (op->kind == STORE_OP_PUT_RUN && !store_redis_started(op))
				claim = strmap_get(&claims, op->run.run.job);
			if (claim && store_redis_started(claim))
				apart = claim->claim.last_run != op->run.run.number;
		}
	strmap_clear(&claims);
	return apart;
}

static void starts_mark_all(
    struct redis_starts *starts, struct store_batch *first, struct store_batch *end)
{
	for (struct store_batch *batch = first; batch != end; batch = batch->next)
		for (struct store_op *op = batch->first; op; op = op->next)
			if (starts_is(op)) {
				struct store_op *claim = (struct store_op *)(uintptr_t)op->run.claim;

				claim->prepared = op->prepared = &starts_mark;
				starts->runs[starts->count++] = op;
			}
}

/* How many runs there are; nothing is marked any more. */
static size_t starts_unmark(struct store_batch *first, struct store_batch *end, bool *may)
{
	size_t runs = 0;

	for (struct store_batch *batch = first; batch != end; batch = batch->next)
		for (struct store_op *op = batch->first; op; op = op->next) {
			op->prepared = NULL;
			runs += op->kind == STORE_OP_PUT_RUN;
			*may = *may && starts_may(op);
		}
	return runs;
}

void store_redis_starts_find(struct redis_starts *starts, struct redis_command *command,
    struct store_batch *first, struct store_batch *end, bool wanted)
{
	size_t runs = starts_unmark(first, end, &wanted);

	starts->count = 0;
	if (!wanted || runs == 0)
		return;
	/* Without memory for it they go as entries. */
	starts->runs = arena_alloc(&command->arena, runs * sizeof(starts->runs[0]));
	if (!starts->runs)
		return;
	starts_mark_all(starts, first, end);
	if (starts_apart(first, end))
		return;
	(void)starts_unmark(first, end, &wanted);
	starts->count = 0;
}

/* How the state ends of a job that is as it was. */
static void starts_expected(struct redis_command *command, const struct store_op *claim)
{
	char text[2 * REDIS_DIGITS_SIZE], *at = text;

	*at++ = ' ';
	at = redis_digits(at, claim->claim.expected);
	*at++ = ' ';
	at = redis_digits(at, claim->claim.revision);
	redis_command_copy(command, text, (size_t)(at - text));
}

/* What its state becomes. */
static void starts_state(struct redis_command *command, const struct store_op *claim)
{
	char text[REDIS_TIMES_SIZE + 2 * REDIS_DIGITS_SIZE], *at;

	at = store_redis_times_write(
	    text, claim->claim.next_fire, claim->claim.next_run_time, claim->claim.run_count);
	*at++ = ' ';
	at = redis_digits(at, claim->claim.last_run);
	*at++ = ' ';
	at = redis_digits(at, claim->claim.revision);
	redis_command_copy(command, text, (size_t)(at - text));
}

static void starts_row(struct redis_command *command, struct strbuf *row, const struct run *run)
{
	strbuf_reset(row);
	store_redis_row_write(row, run, NULL);
	redis_command_copy_buf(command, row);
}

void store_redis_starts_put(const struct redis_starts *starts, struct redis_command *command)
{
	struct strbuf row = STRBUF_EMPTY;

	redis_command_number(command, (int64_t)starts->count);
	for (size_t i = 0; i < starts->count; i++)
		redis_command_text(command, starts->runs[i]->run.run.job);
	for (size_t i = 0; i < starts->count; i++)
		starts_expected(command, starts->runs[i]->run.claim);
	for (size_t i = 0; i < starts->count; i++)
		starts_state(command, starts->runs[i]->run.claim);
	for (size_t i = 0; i < starts->count; i++)
		redis_command_number(command, starts->runs[i]->run.run.number);
	for (size_t i = 0; i < starts->count; i++)
		starts_row(command, &row, &starts->runs[i]->run.run);
	strbuf_clear(&row);
}
