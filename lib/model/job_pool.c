/* SPDX-License-Identifier: MIT */
/*
 * The pool remembers one job in each slot of two small tables, by a hash of
 * what could be shared. It is no index of all: jobs that are alike come one
 * after the other, from one file, one program or one database.
 */
#include "model/job_pool.h"

#include <stdlib.h>
#include <string.h>
#include "base/strmap.h"
#include "model/job_action.h"
#include "model/job_details.h"
#include "model/job_place.h"

#define JOB_POOL_SLOTS 64

struct job_pool {
	/* One reference each; NULL: free. */
	struct schedd_job *actions[JOB_POOL_SLOTS];
	struct schedd_job *details[JOB_POOL_SLOTS];
};

/* What one more job takes besides its id and name. */
_Static_assert(sizeof(struct schedd_job) <= 48, "a job has grown");

struct job_pool *job_pool_new(void)
{
	return calloc(1, sizeof(struct job_pool));
}

void job_pool_free(struct job_pool *pool)
{
	for (int i = 0; pool && i < JOB_POOL_SLOTS; i++) {
		job_unref(pool->actions[i]);
		job_unref(pool->details[i]);
	}
	free(pool);
}

static uint32_t job_pool_mix(uint32_t hash, const char *text)
{
	return hash * 31 + (text ? strmap_hash(text) : 0);
}

static struct schedd_job **job_pool_action_slot(struct job_pool *pool, const struct schedd_job *job)
{
	uint32_t hash = job->kind;

	if (job->kind == JOB_COMMAND)
		for (char **arg = job->argv; *arg; arg++)
			hash = job_pool_mix(hash, *arg);
	else if (job->kind == JOB_SHELL)
		hash = job_pool_mix(hash, job->shell);
	else if (job->kind == JOB_CALL)
		hash = job_pool_mix(
		    job_pool_mix(job_pool_mix(hash, job->call->function), job->call->args),
		    job->call->kwargs);
	return &pool->actions[hash % JOB_POOL_SLOTS];
}

static struct schedd_job **job_pool_details_slot(
    struct job_pool *pool, const struct schedd_job *job)
{
	const struct job_details *details = job->details;
	uint32_t hash = details->max_instances + (uint32_t)details->timeout;

	hash = job_pool_mix(hash, details->executor);
	hash = job_pool_mix(hash, details->owner);
	hash = job_pool_mix(hash, details->description);
	hash = job_pool_mix(hash, details->group);
	return &pool->details[hash % JOB_POOL_SLOTS];
}

static void job_pool_remember(struct schedd_job **slot, struct schedd_job *job)
{
	job_unref(*slot);
	*slot = job_ref(job);
}

static void job_pool_share(struct job_pool *pool, struct schedd_job *job)
{
	struct schedd_job **slot;

	if (job_has_action(job)) {
		slot = job_pool_action_slot(pool, job);
		if (*slot && job_action_equal(*slot, job))
			job_action_share(job, *slot);
		else
			job_pool_remember(slot, job);
	}
	if (job->details && job_details_equal(job->details, job_place_defaults(JOB_IN_DETAILS))) {
		job_details_unref(job->details);
		job->details = NULL;
	}
	if (job->details) {
		slot = job_pool_details_slot(pool, job);
		if (*slot && job_details_equal((*slot)->details, job->details)) {
			job_details_unref(job->details);
			job->details = job_details_ref((*slot)->details);
		} else {
			job_pool_remember(slot, job);
		}
	}
}

struct schedd_job *job_pool_seal(struct job_pool *pool, struct schedd_job *job)
{
	size_t id = strlen(job->id) + 1, name = job->name ? strlen(job->name) + 1 : 0;
	struct schedd_job *sealed = malloc(sizeof(*sealed) + id + name);
	char *text = (char *)(sealed + 1);

	if (!sealed)
		return job;
	*sealed = (struct schedd_job){.refs = 1, .sealed = true};
	sealed->id = memcpy(text, job->id, id);
	sealed->name = job->name ? memcpy(text + id, job->name, name) : NULL;
	sealed->trigger = job->trigger ? trigger_ref(job->trigger) : NULL;
	sealed->details = job_details_ref(job->details);
	job_action_share(sealed, job);
	job_unref(job);
	job_pool_share(pool, sealed);
	return sealed;
}
