/* SPDX-License-Identifier: MIT */
/* What waits for one end's thread: batches in their order, questions; and for how long. */
#include "store/store_remote_parts.h"

/* Batches and entries stored as one. */
#define REMOTE_GROUP_BATCHES 512
#define REMOTE_GROUP_OPS 4096

void store_remote_settle(
    struct remote_end *end, struct store_batch *batch, int rc, const struct schedd_error *err)
{
	batch->rc = rc;
	if (rc < 0)
		batch->err = *err;
	pthread_mutex_lock(&end->lock);
	end->done++;
	pthread_cond_broadcast(&end->settled);
	pthread_mutex_unlock(&end->lock);
	store_batch_post(batch);
}

void store_remote_settle_all(
    struct remote_end *end, struct store_batch *chain, int rc, const struct schedd_error *err)
{
	while (chain) {
		struct store_batch *next = chain->next;

		store_remote_settle(end, chain, rc, err);
		chain = next;
	}
}

void store_remote_wait_again(struct remote_end *end, struct store_batch *chain)
{
	struct store_batch **last = &chain;

	if (!chain)
		return;
	while (*last)
		last = &(*last)->next;
	*last = end->waiting;
	if (!end->waiting)
		end->waiting_end = last;
	end->waiting = chain;
}

/* Takes what holds no more out of the chain, and settles it; what is owed waits on. */
static struct store_batch *queue_refuse(
    struct remote_end *end, struct store_batch *chain, int64_t by, const struct schedd_error *err)
{
	struct store_batch **at = &chain;

	while (*at) {
		struct store_batch *batch = *at;

		if (batch->owed || batch->sent_by > by) {
			at = &batch->next;
			continue;
		}
		*at = batch->next;
		batch->next = NULL;
		store_remote_settle(end, batch, SCHEDD_EFAILED, err);
	}
	return chain;
}

void store_remote_refuse(
    struct remote_end *end, struct store_batch *group, const struct schedd_error *err)
{
	/* Of an epoch that is over nothing is owed any more: all is read anew. */
	if (end->link.fault == STORE_FAULT_FENCED)
		store_remote_settle_all(end, group, SCHEDD_EFAILED, err);
	else
		store_remote_wait_again(end, queue_refuse(end, group, INT64_MAX, err));
}

struct store_batch *store_remote_take_group(struct remote_end *end)
{
	struct store_batch *group = end->waiting, **last = &end->waiting;
	uint32_t batches = 0;
	uint64_t ops = 0;

	while (*last && batches < REMOTE_GROUP_BATCHES &&
	       (batches == 0 || ops + (*last)->count <= REMOTE_GROUP_OPS)) {
		ops += (*last)->count;
		batches++;
		last = &(*last)->next;
	}
	end->waiting = *last;
	if (!end->waiting)
		end->waiting_end = &end->waiting;
	*last = NULL;
	return group;
}

int64_t store_remote_expires_at(const struct remote_end *end)
{
	int64_t at = end->asked ? end->asked->deadline : INT64_MAX;

	for (const struct store_batch *batch = end->waiting; batch; batch = batch->next)
		at = batch->sent_by < at ? batch->sent_by : at;
	return at;
}

void store_remote_expire(struct remote_end *end)
{
	bool hopeless = end->state != STORE_AWAY && end->state != STORE_CONNECTING;
	int64_t now = store_remote_mono();
	struct store_batch *chain = end->waiting;

	end->waiting = NULL;
	end->waiting_end = &end->waiting;
	store_remote_wait_again(end, queue_refuse(end, chain, hopeless ? INT64_MAX : now, &end->why));
	while (end->asked && (hopeless || end->asked->deadline <= now)) {
		struct remote_task *task = end->asked;

		end->asked = task->next;
		if (!end->asked)
			end->asked_end = &end->asked;
		task->rc = SCHEDD_EFAILED;
		task->err = end->why;
		store_letter_post(&task->base);
	}
}
