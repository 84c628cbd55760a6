/* SPDX-License-Identifier: MIT */
/*
 * A change is answered when it is on the disk, and its jobs are the scheduler's.
 * A table of ten thousand lines is looked at in pieces, and the disk is waited
 * for on another thread: nobody else waits for either.
 */
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_rows.h"

#include <stdlib.h>
#include <string.h>
#include "base/system_user.h"
#include "jobfile/cron_table.h"
#include "loop/offloop.h"
#include "model/job_check.h"
#include "model/job_fields.h"
#include "server/config.h"
#include "server/cron_spool.h"
#include "server/daemon.h"
#include "server/users_guard.h"
#include "server/rpc/rpc_call_turn.h"

#define RPC_CRON_LINES 32 /* read between two looks at the clock */

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
	const char *given = rpc_call_text(call, "account"), *own = call->caller->account;
	const char *name = NULL;
	uid_t uid = call->caller->uid;
	struct system_user user;
	struct schedd_error err;
	int rc = 0;

	/* Who asks for what is his own was asked for at the door. */
	if (own[0] && (!given || strcmp(given, own) == 0))
		name = own;
	else if (given)
		rc = system_user_named(given, &user, &err);
	else if (uid != (uid_t)-1)
		rc = system_user_numbered(uid, &user, &err);
	else
		rc = SCHEDD_ENOTFOUND;
	if (!name && !rc) {
		name = user.name;
		uid = user.uid;
	}
	if (rc == SCHEDD_ENOTFOUND)
		rc = 0;
	if (rc)
		; /* nobody has said it yet */
	else if (call->caller->homeless)
		rc = schedd_error_set(
		    &err, SCHEDD_EPERM, "this token or password has no account, and so no table");
	else if (!cron_tables_on(tables))
		rc = schedd_error_set(&err, SCHEDD_ECONFLICT,
		    "schedd does not run the tables of cron (cron.tables in its config)");
	else if (!name)
		rc = schedd_error_set(
		    &err, SCHEDD_ENOTFOUND, "user `%.64s' unknown", given ? given : "?");
	else if (call->caller->role != USERS_ADMIN && uid != call->caller->uid)
		rc = schedd_error_set(&err, SCHEDD_EPERM, "must be privileged to use -u");
	if (!rc) {
		whose->account = arena_strdup(&call->arena, name);
		whose->uid = uid;
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

/* What is done to the spool, on another thread; it outlives its call if it must. */
struct cron_store {
	struct offloop_work work; /* first */
	struct rpc_call *call;
	char *spool, *account, *source, *text; /* text NULL: the table is removed */
	size_t length;
	uid_t uid;
	struct schedd_error err;
	int rc;
};

/* A change on its way. */
struct cron_change {
	struct cron_whose whose;
	struct rpc_turn turn;
	bool reading;  /* it is stored, and waits until the tables were read again */
	bool checking; /* it is one of those that cron_tables_check() let begin */
	struct cron_table table;
	struct cron_table_reader *reader; /* NULL: all lines were read, or none yet */
	struct value jobs;
	struct diagnostics faults;
	uint32_t at;              /* jobs before it were looked at */
	struct cron_store *store; /* NULL: nothing is being written */
};

static void rpc_cron_check_end(struct rpc_call *call)
{
	struct cron_change *change = call->state;

	cron_table_close(change->reader);
	change->reader = NULL;
	diagnostics_clear(&change->faults);
	if (change->checking)
		cron_tables_checked(daemon_cron(call->daemon));
	change->checking = false;
}

static void rpc_cron_release(struct rpc_call *call)
{
	struct cron_change *change = call->state;

	rpc_turn_leave(connection_rpc(call->connection), &change->turn);
	if (change->reading)
		cron_tables_forget(daemon_cron(call->daemon), call);
	rpc_cron_check_end(call);
	if (change->store)
		offloop_leave(&change->store->work);
	free(change);
}

/* False: there is none, or no memory, and the call was ended. */
static bool rpc_cron_begin(struct rpc_call *call)
{
	struct cron_whose whose;
	struct cron_change *change;
	struct schedd_error err;

	if (!rpc_cron_whose(call, &whose))
		return false;
	change = calloc(1, sizeof(*change));
	if (!change) {
		schedd_error_nomem(&err);
		rpc_call_fail(call, &err);
		return false;
	}
	change->whose = whose;
	change->jobs = value_array();
	diagnostics_init(&change->faults);
	call->state = change;
	call->release = rpc_cron_release;
	return true;
}

static void rpc_cron_answer(struct rpc_call *call)
{
	const struct cron_change *change = call->state;

	call->answer = value_map();
	value_put(&call->arena, &call->answer, "account", value_string_ref(change->whose.account));
}

static void rpc_cron_read(void *context)
{
	struct rpc_call *call = context;
	struct cron_change *change = call->state;

	change->reading = false;
	rpc_call_answer(call, &call->answer);
}

/* ---- The spool ---- */

static void cron_store_run(struct offloop_work *work)
{
	struct cron_store *store = (struct cron_store *)work;

	store->rc = store->text ? cron_spool_write(store->spool, store->account, store->uid,
				      store->source, store->text, store->length, &store->err)
				: cron_spool_remove(store->spool, store->account, &store->err);
}

/* Answers once the table has been read again. */
static void cron_store_done(struct offloop_work *work)
{
	struct cron_store *store = (struct cron_store *)work;
	struct rpc_call *call = store->call;
	struct cron_change *change = call->state;

	change->store = NULL;
	if (store->rc) {
		rpc_call_fail(call, &store->err);
		return;
	}
	rpc_cron_answer(call);
	/* What is applied may wait for long: a stop does not. */
	connection_detach(&call->hook);
	rpc_call_on_cancel(call, rpc_call_turn_cancel);
	change->reading = true;
	cron_tables_read(daemon_cron(call->daemon), change->whose.account, rpc_cron_read, call);
}

static void cron_store_drop(struct offloop_work *work)
{
	struct cron_store *store = (struct cron_store *)work;

	free(store->spool);
	free(store->account);
	free(store->source);
	free(store->text);
	free(store);
}

static const struct offloop_ops cron_store_ops = {cron_store_run, cron_store_done, cron_store_drop};

/* NULL: no memory. text NULL: it is to be removed. */
static struct cron_store *cron_store_new(struct rpc_call *call, const struct value *text)
{
	const struct cron_change *change = call->state;
	const char *source = rpc_call_text(call, "source");
	struct cron_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->work.ops = &cron_store_ops;
	store->call = call;
	store->uid = change->whose.uid;
	store->spool = strdup(change->whose.spool);
	store->account = strdup(change->whose.account);
	store->source = strdup(source ? source : "-");
	if (text) {
		store->length = text->string.length;
		store->text = malloc(store->length + 1);
	}
	if (store->text)
		memcpy(store->text, text->string.text, store->length);
	if (store->spool && store->account && store->source && (!text || store->text))
		return store;
	cron_store_drop(&store->work);
	return NULL;
}

static void rpc_cron_store(struct rpc_call *call, const struct value *text)
{
	struct cron_change *change = call->state;
	struct offloop *offloop = daemon_offloop(call->daemon);
	struct cron_store *store = cron_store_new(call, text);
	struct schedd_error err;

	if (store && offloop && offloop_start(offloop, &store->work)) {
		change->store = store;
		rpc_call_turn_watch(call, &change->turn);
		return;
	}
	if (!store || !offloop)
		schedd_error_nomem(&err);
	else
		/* On the loop all others would wait as well. */
		schedd_error_set(&err, SCHEDD_EFAILED,
		    "the table cannot be written now: too many writes hang already, or there is no thread "
		    "for it; try again");
	if (store)
		cron_store_drop(&store->work);
	rpc_call_fail(call, &err);
}

/* ---- What is wrong with it ---- */

/* As the scheduler will read it. */
static int rpc_cron_check_job(struct rpc_call *call, const struct value *fields, struct schedd_error *err)
{
	const struct cron_change *change = call->state;
	const struct schedd_clock *clock = schedd_clock_system();
	const struct trigger_context trigger = {.zones = scheduler_zones(call->scheduler),
	    .zone = scheduler_zone(call->scheduler)->zone,
	    .now = clock->wall(clock->context)};
	const struct job_fields_context context = {.trigger = &trigger};
	struct schedd_job *job = job_new();
	int rc = job ? job_fields_read(job, NULL, fields, JOB_FIELD_ADD_ONLY, &context, err)
		     : schedd_error_nomem(err);

	if (!rc)
		rc = job_check(job, err);
	/* What it names already it may keep. */
	if (!rc && change->whose.uid != 0)
		rc = users_guard(job, scheduler_job_peek(call->scheduler, job->id),
		    change->whose.account, call->daemon, err);
	job_unref(job);
	if (rc && rc != SCHEDD_ENOMEM) {
		err->code = SCHEDD_EFILE;
		rc = schedd_error_prefix(err, "line %u", fields->line);
	}
	return rc;
}

/* A few lines, or one job: 1: there is more, 0: nothing is wrong with it. */
static int rpc_cron_check_some(struct rpc_call *call, struct schedd_error *err)
{
	struct cron_change *change = call->state;
	int rc;

	if (!change->reader) {
		if (change->at == change->jobs.array.count)
			return 0;
		rc = rpc_cron_check_job(call, &change->jobs.array.items[change->at++], err);
		return rc ? rc : 1;
	}
	rc = cron_table_some(change->reader, RPC_CRON_LINES);
	if (rc < 0)
		return schedd_error_nomem(err);
	if (rc)
		return rc;
	cron_table_close(change->reader);
	change->reader = NULL;
	if (change->table.fault_line)
		return schedd_error_set(
		    err, SCHEDD_EFILE, "line %u: %s", change->table.fault_line, change->table.fault);
	return 1;
}

static int rpc_cron_check_begin(struct rpc_call *call, struct schedd_error *err)
{
	const struct value *text = rpc_call_param(call, "text");
	struct cron_change *change = call->state;

	if (text->string.length > CRON_TABLE_BYTES_MAX)
		return schedd_error_set(err, SCHEDD_EFILE, "line 1: it is larger than %zu MiB",
		    CRON_TABLE_BYTES_MAX >> 20);
	if (memchr(text->string.text, '\0', text->string.length))
		return schedd_error_set(err, SCHEDD_EFILE, "line 1: there is a NUL in it");
	change->table = (struct cron_table){.file = change->whose.account,
	    .account = change->whose.account,
	    .arena = &call->arena,
	    .jobs = &change->jobs,
	    .faults = &change->faults};
	change->reader = cron_table_open(&change->table, text->string.text, text->string.length);
	return change->reader ? 1 : schedd_error_nomem(err);
}

/* crontab(1) installs no table that has a fault. */
static void rpc_cron_check_go(void *context)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t end = clock->mono(clock->context).us + RPC_TURN_PIECE;
	struct rpc_call *call = context;
	struct cron_change *change = call->state;
	struct schedd_error err;
	int rc = 1;

	if (!change->checking) {
		change->checking = cron_tables_check(daemon_cron(call->daemon));
		rc = change->checking ? rpc_cron_check_begin(call, &err) : 1;
	}
	while (rc > 0 && change->checking && clock->mono(clock->context).us < end)
		rc = rpc_cron_check_some(call, &err);
	if (rc > 0) {
		rpc_call_turn_wait(call, &change->turn);
		return;
	}
	rpc_cron_check_end(call);
	if (rc < 0) {
		rpc_call_fail(call, &err);
	} else if (rpc_call_bool(call, "check")) {
		rpc_cron_answer(call);
		rpc_call_answer_built(call, &call->answer);
	} else {
		rpc_cron_store(call, rpc_call_param(call, "text"));
	}
}

void rpc_cron_set(struct rpc_call *call)
{
	struct cron_change *change;

	if (!rpc_cron_begin(call))
		return;
	change = call->state;
	change->turn.go = rpc_cron_check_go;
	change->turn.context = call;
	rpc_cron_check_go(call);
}

void rpc_cron_remove(struct rpc_call *call)
{
	if (rpc_cron_begin(call))
		rpc_cron_store(call, NULL);
}
