/* SPDX-License-Identifier: MIT */
/*
 * A job that was accepted stays acceptable: what it names already is not looked
 * at again, or an account that is gone would keep its job from being changed.
 */
#include "core/jobs/job_needs.h"

#include <string.h>
#include "executor/account.h"
#include "executor/secret.h"

static int job_needs_account(struct schedd_scheduler *scheduler, const char *user,
    const char *known, struct schedd_error *err)
{
	const struct account *account;
	struct schedd_error why = {0};
	int rc;

	if (!user || (known && strcmp(user, known) == 0))
		return 0;
	if (!scheduler->jobs.accounts)
		scheduler->jobs.accounts = account_cache_new();
	if (!scheduler->jobs.accounts)
		return schedd_error_nomem(err);
	rc =
	    account_cache_get(scheduler->jobs.accounts, user, scheduler_mono(scheduler), &account, &why);
	/* That schedd may not become another user is a matter of who runs it today. */
	if (rc == 0 || rc == SCHEDD_EPERM)
		return 0;
	if (rc == SCHEDD_ENOMEM)
		return schedd_error_nomem(err);
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "%s on the machine schedd runs on: create it first, or name another", why.message);
}

static bool job_needs_known(const struct job_pairs *pairs, const struct job_pair *pair)
{
	for (uint32_t i = 0; pairs && i < pairs->count; i++)
		if (strcmp(pairs->items[i].name, pair->name) == 0 &&
		    strcmp(pairs->items[i].text, pair->text) == 0)
			return true;
	return false;
}

int job_needs_check(struct schedd_scheduler *scheduler, const struct schedd_job *job,
    const struct schedd_job *old, struct schedd_error *err)
{
	const struct job_details *details = job_details(job);
	const struct job_details *before = old ? job_details(old) : NULL;
	int rc = 0;

	if (job->kind != JOB_COMMAND && job->kind != JOB_SHELL)
		return 0;
	rc = job_needs_account(scheduler, details->user, before ? before->user : NULL, err);
	for (uint32_t i = 0; rc == 0 && i < details->secrets.count; i++) {
		const struct job_pair *secret = &details->secrets.items[i];

		if (!job_needs_known(before ? &before->secrets : NULL, secret))
			rc = secret_check(secret, err);
	}
	return rc;
}

void job_needs_free(struct schedd_scheduler *scheduler)
{
	account_cache_free(scheduler->jobs.accounts);
	scheduler->jobs.accounts = NULL;
}
