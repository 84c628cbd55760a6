/* SPDX-License-Identifier: MIT */
/* A change is answered when it is on the disk, and its jobs are the scheduler's. */
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_rows.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include "jobfile/cron_table.h"
#include "model/job_check.h"
#include "model/job_fields.h"
#include "server/config.h"
#include "server/cron_spool.h"
#include "server/daemon.h"
#include "server/users_guard.h"

/* Whose table it is about. */
struct cron_whose {
	const char *account; /* in the call's arena */
	uid_t uid;
	const char *spool;
};

/* The caller's own table; another's for admins alone, of whom root is one. False: the call was ended. */
static bool rpc_cron_whose(struct rpc_call *call, struct cron_whose *whose)
{
	const struct cron_tables *tables = daemon_cron(call->daemon);
	const struct config *config = daemon_config(call->daemon);
	const char *given = rpc_call_text(call, "account");
	const struct passwd *entry = given ? getpwnam(given) : NULL;
	struct schedd_error err;
	int rc = 0;

	if (!given && call->caller->uid != (uid_t)-1)
		entry = getpwuid(call->caller->uid);
	if (call->caller->homeless)
		rc = schedd_error_set(
		    &err, SCHEDD_EPERM, "this token or password has no account, and so no table");
	else if (!cron_tables_on(tables))
		rc = schedd_error_set(&err, SCHEDD_ECONFLICT,
		    "schedd does not run the tables of cron (cron.tables in its config)");
	else if (!entry)
		rc = schedd_error_set(
		    &err, SCHEDD_ENOTFOUND, "user `%.64s' unknown", given ? given : "?");
	else if (call->caller->role != USERS_ADMIN && entry->pw_uid != call->caller->uid)
		rc = schedd_error_set(&err, SCHEDD_EPERM, "must be privileged to use -u");
	if (!rc) {
		whose->account = arena_strdup(&call->arena, entry->pw_name);
		whose->uid = entry->pw_uid;
		whose->spool = cron_tables_spool(tables);
		rc = whose->account ? cron_spool_allowed(config->cron.root ? config->cron.root : "",
					  whose->account, whose->uid, &err)
				    : schedd_error_nomem(&err);
	}
	if (rc)
		rpc_call_fail(call, &err);
	return rc == 0;
}

void rpc_cron_get(struct rpc_call *call)
{
	struct value answer = value_map();
	struct cron_whose whose;
	struct schedd_error err;
	size_t length;
	char *text;

	if (!rpc_cron_whose(call, &whose))
		return;
	if (cron_spool_read(whose.spool, whose.account, &text, &length, &err)) {
		rpc_call_fail(call, &err);
		return;
	}
	value_put(&call->arena, &answer, "account", value_string_ref(whose.account));
	value_put(&call->arena, &answer, "text", value_string_n(&call->arena, text, length));
	free(text);
	rpc_call_answer_built(call, &answer);
}

/* ---- Changes ---- */

static void rpc_cron_cancelled(struct rpc_call *call)
{
	struct schedd_error err;

	cron_tables_forget(daemon_cron(call->daemon), call);
	schedd_error_set(&err, SCHEDD_EFAILED, "the connection ended");
	rpc_call_fail(call, &err);
}

static void rpc_cron_read(void *context)
{
	struct rpc_call *call = context;

	rpc_call_answer_done(call, &call->answer);
}

/* Answers once the table has been read again. */
static void rpc_cron_finish(struct rpc_call *call, const struct cron_whose *whose)
{
	call->answer = value_map();
	value_put(&call->arena, &call->answer, "account", value_string_ref(whose->account));
	rpc_call_on_cancel(call, rpc_cron_cancelled);
	cron_tables_read(daemon_cron(call->daemon), whose->account, rpc_cron_read, call);
}

/* As the scheduler will read them. */
static int rpc_cron_check_jobs(struct rpc_call *call, const struct cron_whose *whose,
    const struct value *jobs, struct schedd_error *err)
{
	const struct schedd_clock *clock = schedd_clock_system();
	const struct trigger_context trigger = {.zones = scheduler_zones(call->scheduler),
	    .zone = scheduler_zone(call->scheduler)->zone,
	    .now = clock->wall(clock->context)};
	const struct job_fields_context context = {.trigger = &trigger};
	int rc = 0;

	for (uint32_t i = 0; i < jobs->array.count && !rc; i++) {
		struct schedd_job *job = job_new();

		rc = job ? job_fields_read(
			       job, NULL, &jobs->array.items[i], JOB_FIELD_ADD_ONLY, &context, err)
			 : schedd_error_nomem(err);
		if (!rc)
			rc = job_check(job, err);
		/* What it names already it may keep. */
		if (!rc && whose->uid != 0)
			rc = users_guard(job, scheduler_job_peek(call->scheduler, job->id),
			    whose->account, call->daemon, err);
		job_unref(job);
		if (rc && rc != SCHEDD_ENOMEM) {
			err->code = SCHEDD_EFILE;
			rc = schedd_error_prefix(err, "line %u", jobs->array.items[i].line);
		}
	}
	return rc;
}

/* crontab(1) installs no table that has a fault. */
static int rpc_cron_check(struct rpc_call *call, const struct cron_whose *whose,
    const struct value *text, struct schedd_error *err)
{
	struct value jobs = value_array();
	struct diagnostics faults;
	struct cron_table table = {.file = whose->account,
	    .account = whose->account,
	    .arena = &call->arena,
	    .jobs = &jobs,
	    .faults = &faults};
	int rc = 0;

	if (text->string.length > CRON_TABLE_BYTES_MAX)
		return schedd_error_set(err, SCHEDD_EFILE, "line 1: it is larger than %zu MiB",
		    CRON_TABLE_BYTES_MAX >> 20);
	if (memchr(text->string.text, '\0', text->string.length))
		return schedd_error_set(err, SCHEDD_EFILE, "line 1: there is a NUL in it");
	diagnostics_init(&faults);
	if (cron_table_read(&table, text->string.text, text->string.length))
		rc = schedd_error_nomem(err);
	if (!rc && table.fault_line)
		rc = schedd_error_set(
		    err, SCHEDD_EFILE, "line %u: %s", table.fault_line, table.fault);
	diagnostics_clear(&faults);
	return rc ? rc : rpc_cron_check_jobs(call, whose, &jobs, err);
}

void rpc_cron_set(struct rpc_call *call)
{
	const struct value *text = rpc_call_param(call, "text");
	const char *source = rpc_call_text(call, "source");
	struct cron_whose whose;
	struct schedd_error err;
	int rc;

	if (!rpc_cron_whose(call, &whose))
		return;
	rc = rpc_cron_check(call, &whose, text, &err);
	if (!rc && !rpc_call_bool(call, "check"))
		rc = cron_spool_write(whose.spool, whose.account, whose.uid, source ? source : "-",
		    text->string.text, text->string.length, &err);
	if (rc) {
		rpc_call_fail(call, &err);
	} else if (rpc_call_bool(call, "check")) {
		call->answer = value_map();
		value_put(&call->arena, &call->answer, "account", value_string_ref(whose.account));
		rpc_call_answer_built(call, &call->answer);
	} else {
		rpc_cron_finish(call, &whose);
	}
}

void rpc_cron_remove(struct rpc_call *call)
{
	struct cron_whose whose;
	struct schedd_error err;

	if (!rpc_cron_whose(call, &whose))
		return;
	if (cron_spool_remove(whose.spool, whose.account, &err))
		rpc_call_fail(call, &err);
	else
		rpc_cron_finish(call, &whose);
}
