/* SPDX-License-Identifier: MIT */
#include "core/jobs/job_account.h"

#include <stdlib.h>
#include <string.h>

int job_account_settle(struct schedd_job *job, struct schedd_error *err)
{
	size_t length = job->id ? job_id_account(job->id) : 0;
	const char *user = job_details(job)->user;
	struct job_details *details;

	if (length == 0)
		return 0;
	if (user && strlen(user) == length && memcmp(user, job->id, length) == 0)
		return 0;
	if (user)
		return schedd_error_set(err, SCHEDD_EPERM,
		    "job %s: user: it belongs to %.*s and runs as that account, not as '%.64s': an "
		    "administrator decides, whose jobs may run as anybody",
		    job->id, (int)length, job->id, user);
	details = job_details_edit(job);
	if (details)
		details->user = strndup(job->id, length);
	return details && details->user ? 0 : schedd_error_nomem(err);
}

void scheduler_set_guard(
    struct schedd_scheduler *scheduler, scheduler_guard_fn guard, void *context)
{
	scheduler->jobs.guard = guard;
	scheduler->jobs.guard_context = context;
}

int job_account_guard(const struct schedd_scheduler *scheduler,
    const struct scheduler_actor *actor, const struct schedd_job *job,
    const struct schedd_job *old, struct schedd_error *err)
{
	size_t length = job_id_account(job->id);

	if (!actor->account)
		return 0;
	if (strlen(actor->account) != length || memcmp(job->id, actor->account, length) != 0)
		return schedd_error_set(
		    err, SCHEDD_EPERM, "job %s: it is not %s's", job->id, actor->account);
	return scheduler->jobs.guard
		   ? scheduler->jobs.guard(
			 job, old, actor->account, scheduler->jobs.guard_context, err)
		   : 0;
}

int job_account_rename(const char *id, const char *to, struct schedd_error *err)
{
	size_t length = job_id_account(id);

	if (job_id_account(to) == length && memcmp(id, to, length) == 0)
		return 0;
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "job %s stays with its account: '%s' would be another's", id, to);
}
