/* SPDX-License-Identifier: MIT */
/* What became of a group whose answer did not come. */
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_redis.h"

static void resolve_take(
    struct store_batch *first, struct store_batch *end, const redisReply *states)
{
	size_t at = 0;

	for (struct store_batch *batch = first; batch != end; batch = batch->next)
		for (struct store_op *op = batch->first; op; op = op->next) {
			struct store_counters counters;

			if (!store_redis_state_id(op))
				continue;
			store_redis_state_read(redis_text(states, at++), &counters);
			if (op->kind == STORE_OP_ADD_JOB)
				op->put_job.given = counters.last_run;
			else
				op->claim.given = counters.last_run == op->claim.last_run
						      ? STORE_CLAIM_DONE
						      : STORE_CLAIM_LOST;
		}
}

static int resolve_states(struct store_link *link, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err)
{
	struct redis_command command;
	redisReply *reply;
	int rc, names;

	redis_command_init(&command, "HMGET");
	redis_command_key(&command, link, "state");
	names = command.count;
	for (struct store_batch *batch = first; batch != end; batch = batch->next)
		for (const struct store_op *op = batch->first; op; op = op->next)
			if (store_redis_state_id(op))
				redis_command_text(&command, store_redis_state_id(op));
	if (command.count == names) {
		redis_command_clear(&command);
		return 0;
	}
	rc = store_redis_ask(link, &command, &reply, err);
	if (rc)
		return rc;
	resolve_take(first, end, reply);
	freeReplyObject(reply);
	return 0;
}

/*
 * This connection has become the owner's, by a session that its record names:
 * whatever the one before has sent and the server has not read yet is fenced.
 */
int store_redis_resolve(struct store_link *link, struct store_batch *first,
    struct store_batch *end, bool *stored, struct schedd_error *err)
{
	struct redis_command command;
	const char *life, *batch;
	redisReply *reply;
	int rc;

	*stored = false;
	redis_command_init(&command, "HMGET");
	redis_command_key(&command, link,
	    link->config->shared ? arena_printf(&command.arena, "node:%u", (unsigned)link->node)
				 : "owner");
	redis_command_text(&command, "life");
	redis_command_text(&command, "batch");
	rc = store_redis_ask(link, &command, &reply, err);
	if (rc)
		return rc;
	life = redis_text(reply, 0);
	batch = redis_text(reply, 1);
	*stored = life && batch && strcmp(life, link->config->life) == 0 &&
		  strtoull(batch, NULL, 10) == first->serial;
	freeReplyObject(reply);
	return *stored ? resolve_states(link, first, end, err) : 0;
}
