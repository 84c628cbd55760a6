/* SPDX-License-Identifier: MIT */
/*
 * A job that was accepted stays acceptable: what it names already is not looked
 * at again, or an account that is gone would keep its job from being changed.
 */
#include "core/jobs/job_needs.h"

#include <stdlib.h>
#include <string.h>
#include "executor/account.h"
#include "executor/secret.h"
#include "loop/offloop.h"

#define JOB_NEEDS_LOOKS 8                      /* that hang at one time */
#define JOB_NEEDS_PATIENCE (100 * (schedd_span)1000) /* also where both cores are busy */

struct account_cache *job_needs_accounts(struct schedd_scheduler *scheduler)
{
	if (!scheduler->jobs.accounts)
		scheduler->jobs.accounts = account_cache_new(scheduler->loop);
	return scheduler->jobs.accounts;
}

static int job_needs_account(struct schedd_scheduler *scheduler, const char *user,
    const char *known, struct schedd_error *err)
{
	const struct account *account;
	struct schedd_error why = {0};
	int rc;

	if (!user || (known && strcmp(user, known) == 0))
		return 0;
	if (!job_needs_accounts(scheduler))
		return schedd_error_nomem(err);
	rc =
	    account_cache_get(scheduler->jobs.accounts, user, scheduler_mono(scheduler), &account, &why);
	/*
	 * That schedd may not become another user is a matter of who runs it today; what
	 * cannot be known in time is said by the run.
	 */
	if (rc == 0 || rc == SCHEDD_EPERM || rc == SCHEDD_ETIMEOUT)
		return 0;
	if (rc == SCHEDD_ENOMEM)
		return schedd_error_nomem(err);
	/* The way out of others is in their words. */
	return schedd_error_set(err, SCHEDD_EINVAL,
	    strstr(why.message, ": no such ")
		? "%s on the machine schedd runs on: create it first, or name another"
		: "%s",
	    why.message);
}

/* A look at a file, which may be where nothing answers. */
struct job_needs_look {
	struct offloop_work work; /* first */
	struct job_pair secret;   /* owned */
	struct schedd_error err;
	int rc;
	struct schedd_error *out; /* of who waits for it */
	int *out_rc;
};

static void job_needs_look_run(struct offloop_work *work)
{
	struct job_needs_look *look = (struct job_needs_look *)work;

	look->rc = secret_check(&look->secret, &look->err);
}

static void job_needs_look_done(struct offloop_work *work)
{
	struct job_needs_look *look = (struct job_needs_look *)work;

	*look->out_rc = look->rc;
	if (look->rc && look->out)
		*look->out = look->err;
}

static void job_needs_look_drop(struct offloop_work *work)
{
	struct job_needs_look *look = (struct job_needs_look *)work;

	free(look->secret.name);
	free(look->secret.text);
	free(look);
}

static const struct offloop_ops job_needs_look_ops = {
    job_needs_look_run, job_needs_look_done, job_needs_look_drop};

/* What cannot be seen in time is said by the run. */
static int job_needs_secret(
    struct schedd_scheduler *scheduler, const struct job_pair *secret, struct schedd_error *err)
{
	struct job_needs_look *look = calloc(1, sizeof(*look));
	int rc = 0;

	if (!scheduler->jobs.looks)
		scheduler->jobs.looks = offloop_new(scheduler->loop, JOB_NEEDS_LOOKS, err);
	if (look) {
		look->work.ops = &job_needs_look_ops;
		look->secret = (struct job_pair){strdup(secret->name), strdup(secret->text)};
		look->out = err;
		look->out_rc = &rc;
	}
	if (!look || !look->secret.name || !look->secret.text || !scheduler->jobs.looks) {
		if (look)
			job_needs_look_drop(&look->work);
		return schedd_error_nomem(err);
	}
	if (!offloop_start(scheduler->jobs.looks, &look->work))
		job_needs_look_drop(&look->work);
	else if (!offloop_wait(&look->work, JOB_NEEDS_PATIENCE))
		offloop_leave(&look->work);
	return rc;
}

static int job_needs_hook(struct schedd_scheduler *scheduler, char *file, const char *known,
    struct schedd_error *err)
{
	static char name[] = "of hook";
	const struct job_pair secret = {name, file};

	if (known && strcmp(file, known) == 0)
		return 0;
	return job_needs_secret(scheduler, &secret, err);
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
	bool process = job->kind == JOB_COMMAND || job->kind == JOB_SHELL;
	int rc = 0;

	if (process)
		rc = job_needs_account(
		    scheduler, details->user, before ? before->user : NULL, err);
	/* Whether an account can read a file is for the account to find out, not for root. */
	if (job_id_account(job->id))
		return rc;
	if (rc == 0 && details->hook_secret_file)
		rc = job_needs_hook(scheduler, details->hook_secret_file,
		    before ? before->hook_secret_file : NULL, err);
	for (uint32_t i = 0; rc == 0 && process && i < details->secrets.count; i++) {
		const struct job_pair *secret = &details->secrets.items[i];

		if (!job_needs_known(before ? &before->secrets : NULL, secret))
			rc = job_needs_secret(scheduler, secret, err);
	}
	return rc;
}

void job_needs_free(struct schedd_scheduler *scheduler)
{
	account_cache_free(scheduler->jobs.accounts);
	offloop_free(scheduler->jobs.looks);
	scheduler->jobs.looks = NULL;
	scheduler->jobs.accounts = NULL;
}
