/* SPDX-License-Identifier: MIT */
/*
 * The life of a job's definition: made, cloned for a change, shared by the
 * scheduler and its runs, freed with the last reference.
 */
#include "model/job.h"

#include <stdlib.h>
#include <string.h>
#include "model/job_action.h"
#include "model/job_details.h"
#include "model/job_place.h"

const char *const job_coalesce_words[] = {"latest", "earliest", "all", NULL};
const char *const job_partition_words[] = {"keep", "kill", NULL};
const char *const job_overlap_words[] = {"skip", "queue", "replace", NULL};

struct schedd_job *job_new(void)
{
	struct schedd_job *job = malloc(sizeof(*job));

	if (job)
		memcpy(job, job_place_defaults(JOB_IN_JOB), sizeof(*job));
	return job;
}

struct schedd_job *job_ref(struct schedd_job *job)
{
	if (job)
		__atomic_add_fetch(&job->refs, 1, __ATOMIC_RELAXED);
	return job;
}

void job_unref(struct schedd_job *job)
{
	if (!job || __atomic_sub_fetch(&job->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	job_clear_action(job);
	trigger_unref(job->trigger);
	job_details_unref(job->details);
	if (!job->sealed) {
		free(job->id);
		free(job->name);
	}
	free(job);
}

static int job_copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !*to == !from ? 0 : SCHEDD_ENOMEM;
}

struct schedd_job *job_clone(const struct schedd_job *job)
{
	struct schedd_job *clone = job_new();

	if (!clone)
		return NULL;
	clone->trigger = job->trigger ? trigger_ref(job->trigger) : NULL;
	clone->details = job_details_ref(job->details);
	job_action_share(clone, job);
	if (job_copy_text(&clone->id, job->id) || job_copy_text(&clone->name, job->name)) {
		job_unref(clone);
		return NULL;
	}
	return clone;
}

const char *job_title(const struct schedd_job *job)
{
	return job->name ? job->name : job->id;
}

const char *job_executor(const struct schedd_job *job)
{
	const char *executor = job_details(job)->executor;

	return executor ? executor : "default";
}

const char *job_store(const struct schedd_job *job)
{
	const char *store = job_details(job)->store;

	return store ? store : "default";
}

bool job_is_of_table(const struct schedd_job *job)
{
	const char *owner = job_details(job)->owner;

	return owner && strncmp(owner, JOB_TABLE_OWNER, strlen(JOB_TABLE_OWNER)) == 0;
}
