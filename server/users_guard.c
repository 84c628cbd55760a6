/* SPDX-License-Identifier: MIT */
/* What the job had before is not judged again, or a job that root has changed could not be. */
#include "server/users_guard.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include "server/daemon.h"
#include "server/users.h"
#include "trigger/trigger.h"

#define USERS_TIMES 3 /* run times of a trigger that are looked at */

bool users_store_open(const struct config *config, const char *name)
{
	for (uint32_t i = 0; i < config->store_count; i++)
		if (strcmp(config->stores[i].name, name) == 0)
			return config->stores[i].users;
	return strcmp(name, "default") == 0;
}

bool users_executor_open(const struct config *config, const char *name)
{
	for (uint32_t i = 0; i < config->executor_count; i++)
		if (strcmp(config->executors[i].name, name) == 0)
			return config->executors[i].users &&
			       (strcmp(config->executors[i].type, "subprocess") == 0 ||
				   strcmp(config->executors[i].type, "worker") == 0);
	return strcmp(name, "default") == 0;
}

bool users_group_open(const struct config *config, const char *name)
{
	for (uint32_t i = 0; i < config->group_count; i++)
		if (strcmp(config->groups[i].name, name) == 0)
			return config->groups[i].users;
	return false;
}

static int users_guard_part(const char *field, const char *name, const char *before, bool open,
    struct schedd_error *err)
{
	if (open || (before && strcmp(before, name) == 0))
		return 0;
	return schedd_error_set(err, SCHEDD_EPERM,
	    "%s: '%.64s' is not open to users: an administrator decides (%ss.%.64s.users of the "
	    "config)",
	    field, name, field, name);
}

static int users_guard_group(const struct config *config, const struct schedd_job *job,
    const struct schedd_job *old, struct schedd_error *err)
{
	const char *group = job_details(job)->group;

	return group ? users_guard_part("group", group, old ? job_details(old)->group : NULL,
			   users_group_open(config, group), err)
		     : 0;
}

static int users_guard_parts(const struct config *config, const struct schedd_job *job,
    const struct schedd_job *old, struct schedd_error *err)
{
	const char *store = job_store(job), *executor = job_executor(job);
	int rc = users_guard_part("store", store, old ? job_store(old) : NULL,
	    users_store_open(config, store), err);

	if (!rc)
		rc = users_guard_part("executor", executor, old ? job_executor(old) : NULL,
		    users_executor_open(config, executor), err);
	return rc ? rc : users_guard_group(config, job, old, err);
}

static int users_guard_rlimits(const struct job_details *details, struct schedd_error *err)
{
	for (uint32_t i = 0; i < details->rlimit_count; i++) {
		const struct job_rlimit *wanted = &details->rlimits[i];
		struct rlimit have;

		if (getrlimit((__rlimit_resource_t)wanted->resource, &have) < 0 ||
		    have.rlim_max == RLIM_INFINITY || wanted->hard <= have.rlim_max)
			continue;
		return schedd_error_set(err, SCHEDD_EPERM,
		    "rlimits: a limit above %llu, which is the hard one here, is for root's jobs "
		    "alone: an administrator decides",
		    (unsigned long long)have.rlim_max);
	}
	return 0;
}

static uint32_t users_count(int64_t limit)
{
	return limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX;
}

void users_judge_account(const char *account, struct scheduler_account *out, void *context)
{
	struct daemon *daemon = context;
	const struct config *config = daemon_config(daemon);
	struct config_limits limits = users_limits(&config->users, account);
	char why[sizeof(out->why)];
	enum users_may may = users_may_run(&config->users, account, false, why, sizeof(why));

	if (may == USERS_MAY_BE) {
		/* It stays as it was; one that was never judged waits for it. */
		daemon_accounts_again(daemon);
		if (!out->judged)
			out->held = true;
		if (!out->why[0])
			snprintf(out->why, sizeof(out->why), "%s", why);
	} else {
		out->judged = true;
		out->held = may == USERS_MAY_NOT;
		snprintf(out->why, sizeof(out->why), "%s", out->held ? why : "");
		/* Under cron, too, a table goes on whose account may not change it any more. */
		out->tables = out->held && config->cron.tables &&
			      users_may_run(&config->users, account, true, why, sizeof(why)) == USERS_MAY;
	}
	out->running = users_count(limits.running);
	out->queued = users_count(limits.queued);
	out->history = limits.history;
	out->output = limits.output;
}

/* Does it fire more often than the account's jobs may? Its next times tell. */
static int users_guard_every(const struct schedd_job *job, const struct trigger_context *context,
    schedd_span every, struct schedd_error *err)
{
	schedd_time last = SCHEDD_TIME_NONE, at = context->now;

	for (int i = 0; i < USERS_TIMES; i++) {
		schedd_time next = trigger_next(job->trigger, at);

		if (next == SCHEDD_TIME_NONE)
			return 0;
		if (last != SCHEDD_TIME_NONE && next - last < every)
			return schedd_error_set(err, SCHEDD_ECONFLICT,
			    "trigger: two runs %.6g s apart are more than the account may have: one "
			    "in %.6g s: an administrator decides (users.limits.every)",
			    (double)(next - last) / (double)SCHEDD_SECOND,
			    (double)every / (double)SCHEDD_SECOND);
		last = next;
		at = next + 1;
	}
	return 0;
}

static int users_guard_output(const struct schedd_job *job, const struct schedd_job *old,
    const struct config_limits *limits, const char *account, struct schedd_error *err)
{
	int64_t wanted = job_details(job)->output_max;

	if (wanted <= limits->output || (old && job_details(old)->output_max == wanted))
		return 0;
	return schedd_error_set(err, SCHEDD_ECONFLICT,
	    "output_max: %lld bytes of one run are more than all output of account %s may take: "
	    "%lld bytes: an administrator decides (users.limits.output)",
	    (long long)wanted, account, (long long)limits->output);
}

static int users_guard_limits(struct daemon *daemon, const struct schedd_job *job,
    const struct schedd_job *old, const char *account, struct schedd_error *err)
{
	struct schedd_scheduler *scheduler = daemon_scheduler(daemon);
	struct config_limits limits = users_limits(&daemon_config(daemon)->users, account);

	if (!old && scheduler_account_jobs(scheduler, account) >= limits.jobs)
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "account %s has %u jobs, which is its limit (users.limits.jobs): remove some, or "
		    "ask an administrator",
		    account, scheduler_account_jobs(scheduler, account));
	if (users_guard_output(job, old, &limits, account, err))
		return SCHEDD_ECONFLICT;
	if (old && trigger_equal(old->trigger, job->trigger))
		return 0;
	return users_guard_every(job, scheduler_trigger_context(scheduler), limits.every, err);
}

/* Store and executor are none of what its table can say, and a table has as many lines as cron takes. */
static int users_guard_table(struct daemon *daemon, const struct schedd_job *job,
    const struct schedd_job *old, const char *account, struct schedd_error *err)
{
	const struct config *config = daemon_config(daemon);
	struct config_limits limits = users_limits(&config->users, account);
	int rc = users_guard_group(config, job, old, err);

	return rc ? rc : users_guard_output(job, old, &limits, account, err);
}

int users_guard(const struct schedd_job *job, const struct schedd_job *old, const char *account,
    void *context, struct schedd_error *err)
{
	const struct job_details *details = job_details(job);
	const struct job_details *before = old ? job_details(old) : NULL;
	int rc;

	if (job_is_of_table(job))
		return users_guard_table(context, job, old, account, err);
	rc = users_guard_parts(daemon_config(context), job, old, err);
	if (!rc && details->nice < 0 && (!before || before->nice != details->nice))
		rc = schedd_error_set(err, SCHEDD_EPERM,
		    "nice: only root's jobs may go before those of others (nice below 0): an "
		    "administrator decides");
	if (!rc)
		rc = users_guard_rlimits(details, err);
	return rc ? rc : users_guard_limits(context, job, old, account, err);
}
