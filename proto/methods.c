/* SPDX-License-Identifier: MIT */
/*
 * The rows of the protocol and how a call is checked against them. The rows are
 * the one list of methods: the server's dispatch, its refusals and the tables
 * in PROTOCOL.md follow them (a test compares the document with the rows).
 */
#include "proto/methods.h"
#include "proto/methods_store.h"

#include <string.h>
#include "base/suggest.h"
#include "model/job_fields.h"


/* Which jobs: the same parameters wherever jobs are chosen; left out they choose all. */
#define JOB_FILTERS                                                                                \
	{"patterns", METHOD_IDS, MAYBE, "ids or globs; any of them"},                            \
	    {"tags", METHOD_TEXTS, MAYBE, "K or K=V; all of them"},                                \
	    {"states", METHOD_TEXTS, MAYBE, "states of jobs; any of them"},                        \
	    {"group", METHOD_TEXT, MAYBE, "only of that group"},                                   \
	    {"store", METHOD_TEXT, MAYBE, "only in that store"},                                   \
	    {"owner", METHOD_TEXT, MAYBE, "only what that owner applied"},                         \
	    {"due_before", METHOD_TIME, MAYBE, "only with a next run at or before"},               \
	    {"failed", METHOD_BOOL, MAYBE, "only where the last run ended without success"},       \
	    {"limit", METHOD_INT, MAYBE, "jobs in one answer: 1 to 10000, 1000 if left out"},      \
	{                                                                                          \
		"after", METHOD_TEXT, MAYBE, "go on where the last answer ended: its `next`"       \
	}

#define FIELDS(text)                                                                               \
	{                                                                                          \
		"…", METHOD_FIELDS, MAYBE, text                                                    \
	}

static const struct method_param hello_params[] = {
    {"client", METHOD_TEXT, MAYBE, "the client's name and version, for the log"},
    {"protocol", METHOD_INT, MAYBE, "the version the client speaks"},
    {"account", METHOD_TEXT, MAYBE,
	"whose ids stand without an account on this connection, which sees nothing else; `*`: all"},
    END_OF_PARAMS,
};
#define OF_NODE {"node", METHOD_TEXT, MAYBE, "that of another node of a shared store"}
static const struct method_param status_params[] = {OF_NODE, END_OF_PARAMS};
static const struct method_param stats_params[] = {
    {"id", METHOD_ID, MAYBE, "of this job alone"},
    {"since", METHOD_TIME, MAYBE, "count runs from then on; 24 hours ago if left out"},
    OF_NODE,
    END_OF_PARAMS,
};
static const struct method_param reload_params[] = {
    {"exec", METHOD_BOOL, MAYBE, "run the installed schedd anew in this process; jobs go on"},
    END_OF_PARAMS,
};
static const struct method_param shutdown_params[] = {
    {"wait", METHOD_BOOL, MAYBE, "wait for running jobs without limit"},
    {"now", METHOD_BOOL, MAYBE, "end running jobs at once"},
    END_OF_PARAMS,
};
static const struct method_param job_add_params[] = {
    {"replace", METHOD_BOOL, MAYBE, "change an existing job of that id into this one"},
    {"if_absent", METHOD_BOOL, MAYBE, "leave an existing job of that id alone and answer it"},
    {"allow_past", METHOD_BOOL, MAYBE, "accept a date that is over; it is due at once"},
    {"dry_run", METHOD_BOOL, MAYBE, "check and answer, change nothing"},
    FIELDS("the job's fields, flat; without a trigger it runs once, now"),
    END_OF_PARAMS,
};
static const struct method_param job_apply_params[] = {
    {"jobs", METHOD_JOBS, ALWAYS, "maps of job fields, each with its id"},
    {"owner", METHOD_TEXT, MAYBE, "whose jobs these are"},
    {"prune", METHOD_BOOL, MAYBE, "remove the owner's jobs that are not among these"},
    {"paused", METHOD_BOOL, MAYBE, "jobs that are new begin paused"},
    {"dry_run", METHOD_BOOL, MAYBE, "answer what would be done"},
    {"apply", METHOD_TEXT, MAYBE, "token: one of several parts on this connection"},
    {"last", METHOD_BOOL, MAYBE, "with apply: the last part, which commits them all"},
    END_OF_PARAMS,
};
static const struct method_param job_id_params[] = {
    {"id", METHOD_ID, ALWAYS, "the job"},
    END_OF_PARAMS,
};
static const struct method_param job_list_params[] = {
    JOB_FILTERS,
    {"node", METHOD_TEXT, MAYBE, "only what that node of a shared store has now"},
    {"order", METHOD_TEXT, MAYBE, "id, or next: by next run, paused jobs last; id if left out"},
    {"fields", METHOD_TEXTS, MAYBE, "only these members of each job; all if left out"},
    END_OF_PARAMS,
};
static const struct method_param job_modify_params[] = {
    {"id", METHOD_ID, ALWAYS, "the job"},
    {"revision", METHOD_INT, MAYBE, "conflict unless the job still has this revision"},
    FIELDS("fields to change; nil sets one back to its default"),
    END_OF_PARAMS,
};
static const struct method_param job_reschedule_params[] = {
    {"id", METHOD_ID, ALWAYS, "the job"},
    {"trigger", METHOD_ANY, ALWAYS, "the new trigger; the next run is computed from now"},
    {"revision", METHOD_INT, MAYBE, "conflict unless the job still has this revision"},
    END_OF_PARAMS,
};
static const struct method_param job_rename_params[] = {
    {"id", METHOD_ID, ALWAYS, "the job"},
    {"to", METHOD_NEW_ID, ALWAYS, "its new id"},
    END_OF_PARAMS,
};
static const struct method_param job_remove_params[] = {
    {"id", METHOD_ID, ALWAYS, "the job"},
    {"purge", METHOD_BOOL, MAYBE, "delete its history and output too"},
    {"kill", METHOD_BOOL, MAYBE, "end its runs; otherwise they go on"},
    END_OF_PARAMS,
};
static const struct method_param job_pause_params[] = {
    {"id", METHOD_ID, ALWAYS, "the job"},
    {"for", METHOD_SPAN, MAYBE, "resume by itself after that long"},
    {"until", METHOD_TIME, MAYBE, "resume by itself then"},
    {"reason", METHOD_TEXT, MAYBE, "why, shown with the job"},
    END_OF_PARAMS,
};
static const struct method_param job_resume_params[] = {
    {"id", METHOD_ID, ALWAYS, "the job"},
    {"run_missed", METHOD_BOOL, MAYBE, "treat what fell due meanwhile as after downtime"},
    END_OF_PARAMS,
};
static const struct method_param job_run_params[] = {
    {"id", METHOD_ID, ALWAYS, "the job"},
    {"force", METHOD_BOOL, MAYBE, "also beyond max_instances"},
    {"node", METHOD_TEXT, MAYBE, "of a job on all nodes: on that one alone"},
    {"env", METHOD_MAP, MAYBE, "environment for this run alone: name to text"},
    {"traceparent", METHOD_TEXT, MAYBE, "the trace it is a part of, in its environment as TRACEPARENT"},
    END_OF_PARAMS,
};
static const struct method_param job_why_params[] = {
    {"id", METHOD_ID, ALWAYS, "the job"},
    {"at", METHOD_TIME, MAYBE, "the time in question; lately if left out"},
    END_OF_PARAMS,
};
static const struct method_param job_export_params[] = {
    JOB_FILTERS,
    END_OF_PARAMS,
};
static const struct method_param job_import_params[] = {
    {"jobs", METHOD_JOBS, ALWAYS, "maps of job fields, as job.export answers them"},
    {"replace", METHOD_BOOL, MAYBE, "change jobs that exist; otherwise they are a conflict"},
    {"if_absent", METHOD_BOOL, MAYBE, "leave jobs that exist alone"},
    {"skip", METHOD_BOOL, MAYBE, "leave out what cannot be a job, with the action refused"},
    {"paused", METHOD_BOOL, MAYBE, "jobs that are new begin paused"},
    {"dry_run", METHOD_BOOL, MAYBE, "answer what would be done"},
    {"import", METHOD_TEXT, MAYBE, "token: one of several parts on this connection"},
    {"last", METHOD_BOOL, MAYBE, "with import: the last part, which commits them all"},
    END_OF_PARAMS,
};
static const struct method_param run_list_params[] = {
    {"jobs", METHOD_IDS, MAYBE, "ids or globs of jobs; all if left out"},
    {"states", METHOD_TEXTS, MAYBE, "states of runs; any of them"},
    {"since", METHOD_TIME, MAYBE, "scheduled, started or ended at or after"},
    {"until", METHOD_TIME, MAYBE, "scheduled at or before"},
    {"limit", METHOD_INT, MAYBE, "runs in one answer: 1 to 10000, 100 if left out"},
    {"after", METHOD_TEXT, MAYBE, "go on behind: the `next` of the last answer"},
    END_OF_PARAMS,
};
static const struct method_param run_get_params[] = {
    {"run", METHOD_RUN, ALWAYS, "JOB/N, or JOB for its latest run"},
    END_OF_PARAMS,
};
static const struct method_param run_log_params[] = {
    {"run", METHOD_RUN, ALWAYS, "JOB/N, or JOB for its latest run"},
    {"stream", METHOD_TEXT, MAYBE, "stdout or stderr alone; both if left out"},
    {"offset", METHOD_INT, MAYBE, "kept bytes to skip: the `next` of the last answer"},
    {"tail", METHOD_INT, MAYBE, "only so many last lines; `offset` does not count then"},
    {"limit", METHOD_INT, MAYBE, "bytes in one answer, 1 MiB if left out and at most"},
    {"follow", METHOD_BOOL, MAYBE, "send what comes later as run.output, the end as run.end"},
    END_OF_PARAMS,
};
static const struct method_param run_kill_params[] = {
    {"run", METHOD_RUN, ALWAYS, "JOB/N, or JOB for all its runs"},
    {"signal", METHOD_ANY, MAYBE, "name or number; the job's kill_signal, then KILL, if left out"},
    END_OF_PARAMS,
};
static const struct method_param run_retry_params[] = {
    {"run", METHOD_RUN, ALWAYS, "JOB/N of a run that has ended"},
    {"env", METHOD_MAP, MAYBE, "environment for this run alone: name to text"},
    {"traceparent", METHOD_TEXT, MAYBE, "the trace it is a part of, in its environment as TRACEPARENT"},
    END_OF_PARAMS,
};
static const struct method_param run_wait_params[] = {
    {"run", METHOD_RUN, ALWAYS, "JOB/N, or JOB for its latest run, the first if it has none"},
    {"for", METHOD_TEXT, MAYBE, "done (if left out), success, running or idle"},
    {"timeout", METHOD_SPAN, MAYBE, "answer the error `timeout` after that long"},
    END_OF_PARAMS,
};
static const struct method_param run_purge_params[] = {
    {"run", METHOD_RUN, MAYBE, "JOB/N, or JOB for all its history"},
    {"all", METHOD_BOOL, MAYBE, "the history of all jobs"},
    END_OF_PARAMS,
};
static const struct method_param group_set_params[] = {
    {"name", METHOD_TEXT, ALWAYS, "the group"},
    {"parallel", METHOD_INT, ALWAYS, "runs of it at one time, 1 or more"},
    END_OF_PARAMS,
};
static const struct method_param node_params[] = {
    {"name", METHOD_TEXT, ALWAYS, "the node"},
    END_OF_PARAMS,
};
static const struct method_param trigger_next_params[] = {
    {"trigger", METHOD_ANY, MAYBE, "any form of a trigger"},
    {"id", METHOD_ID, MAYBE, "the job whose trigger it is; with trigger: the id that H hashes"},
    {"timezone", METHOD_TEXT, MAYBE, "for forms that name none; the daemon's if left out"},
    {"from", METHOD_TIME, MAYBE, "first time looked at; now if left out"},
    {"until", METHOD_TIME, MAYBE, "last time looked at"},
    {"n", METHOD_INT, MAYBE, "fire times wanted: 1 to 10000, 5 if left out"},
    END_OF_PARAMS,
};
static const struct method_param event_subscribe_params[] = {
    {"events", METHOD_TEXTS, MAYBE, "names of events; all if left out"},
    {"jobs", METHOD_IDS, MAYBE, "ids or globs: only events of these jobs"},
    {"tags", METHOD_TEXTS, MAYBE, "K or K=V, all of them: only events of jobs tagged so"},
    {"since", METHOD_INT, MAYBE, "send what came after this seq first"},
    {"node", METHOD_TEXT, MAYBE, "only events of this node; of all nodes if left out"},
    END_OF_PARAMS,
};
static const struct method_param event_unsubscribe_params[] = {
    {"subscription", METHOD_INT, MAYBE, "which; all of this connection if left out"},
    END_OF_PARAMS,
};
static const struct method_param executor_add_params[] = {
    {"name", METHOD_TEXT, ALWAYS, "its alias"},
    {"type", METHOD_TEXT, ALWAYS, "subprocess, worker, function, threadpool or http"},
    {"max_workers", METHOD_INT, MAYBE, "runs at one time, of type worker processes; 0: the type's default"},
    END_OF_PARAMS,
};
static const struct method_param executor_remove_params[] = {
    {"name", METHOD_TEXT, ALWAYS, "its alias"},
    END_OF_PARAMS,
};
static const struct method_param token_add_params[] = {
    {"name", METHOD_TEXT, ALWAYS, "what it is called"},
    {"role", METHOD_TEXT, ALWAYS, "user, operator or admin"},
    {"account", METHOD_TEXT, MAYBE, "whose jobs it adds; the role user needs one"},
    END_OF_PARAMS,
};
static const struct method_param token_remove_params[] = {
    {"name", METHOD_TEXT, ALWAYS, "what it is called"},
    END_OF_PARAMS,
};
static const struct method_param cron_whose_params[] = {
    {"account", METHOD_TEXT, MAYBE, "whose table; the caller's own if left out"},
    END_OF_PARAMS,
};
static const struct method_param cron_set_params[] = {
    {"account", METHOD_TEXT, MAYBE, "whose table; the caller's own if left out"},
    {"text", METHOD_TEXT, ALWAYS, "the whole table"},
    {"source", METHOD_TEXT, MAYBE, "where it comes from, for its head"},
    {"check", METHOD_BOOL, MAYBE, "say what is wrong with it, change nothing"},
    END_OF_PARAMS,
};
static const struct method_param config_get_params[] = {
    {"key", METHOD_TEXT, MAYBE, "that setting, or all below it"},
    END_OF_PARAMS,
};

static const struct method method_rows[] = {
    {"server.hello", "Names both sides.", "{server, version, protocol, pid, role, account}", hello_params,
	METHOD_FOR_USERS},
    {"server.ping", "Is it there?", "{ready, time}", NULL, METHOD_FOR_USERS},
    {"server.status", "What it is doing.", "the status, a map", status_params,
	METHOD_FOR_USERS},
    {"server.stats", "Counters, and figures of runs by job.", "{since, counters, jobs}",
	stats_params, METHOD_FOR_USERS},
    {"server.reload", "Reads the config again.", "{changed, restart, exec}", reload_params,
	METHOD_FOR_ADMINS},
    {"server.backup", "Copies a store while it runs.", "{path, store, bytes}", backup_params,
	METHOD_FOR_ADMINS},
    {"server.restore", "Reads a logical backup into a store.", "{path, store, jobs, runs}",
	restore_params, METHOD_FOR_ADMINS},
    {"server.shutdown", "Stops schedd.", "{mode, running}", shutdown_params, METHOD_FOR_ADMINS},
    {"scheduler.pause", "Starts nothing more until resumed, also after a restart.", "{paused}",
	NULL, METHOD_FOR_ADMINS},
    {"scheduler.resume", "Ends scheduler.pause.", "{paused}", NULL, METHOD_FOR_ADMINS},
    {"job.add", "Adds a job.", "the job", job_add_params, METHOD_FOR_OWNERS},
    {"job.apply", "Makes jobs what a file says, all or nothing a store.",
	"[{id, action, fields}], or {apply, received} before the last part", job_apply_params,
	METHOD_FOR_OWNERS},
    {"job.get", "One job.", "the job", job_id_params, METHOD_FOR_USERS},
    {"job.list", "Jobs, page by page.", "{jobs, next}", job_list_params, METHOD_FOR_USERS},
    {"job.modify", "Changes fields of a job.", "the job", job_modify_params, METHOD_FOR_OWNERS},
    {"job.reschedule", "Changes the trigger and plans anew.", "the job", job_reschedule_params,
	METHOD_FOR_OWNERS},
    {"job.rename", "Gives a job another id; its history goes with it.", "the job",
	job_rename_params, METHOD_FOR_OWNERS},
    {"job.remove", "Removes a job; its history stays.", "the job as it was", job_remove_params,
	METHOD_FOR_OWNERS},
    {"job.pause", "Keeps a job from starting.", "the job", job_pause_params, METHOD_FOR_USERS},
    {"job.resume", "Ends job.pause.", "the job", job_resume_params, METHOD_FOR_USERS},
    {"job.run", "Runs a job now, paused or not.", "{run}", job_run_params, METHOD_FOR_USERS},
    {"job.why", "Why it ran or did not run, from recorded facts.", "the explanation, a map",
	job_why_params,
	METHOD_FOR_USERS},
    {"job.export", "Definitions without state, as job files have them.", "{jobs, next}",
	job_export_params,
	METHOD_FOR_USERS},
    {"job.import", "Adds many jobs, all or nothing a store.",
	"[{id, action, fields}], or {import, received} before the last part", job_import_params,
	METHOD_FOR_OWNERS},
    {"run.list", "Runs, newest first.", "{runs, next}", run_list_params,
	METHOD_FOR_USERS},
    {"run.get", "One run with its attempts.", "the run", run_get_params,
	METHOD_FOR_USERS},
    {"run.log", "What a run wrote.", "{run, state, pieces, next, follow, note}", run_log_params,
	METHOD_FOR_USERS},
    {"run.kill", "Ends runs, or takes them out of the queue.", "{runs}", run_kill_params,
	METHOD_FOR_USERS},
    {"run.retry", "Runs the job again as a new run.", "{run}", run_retry_params,
	METHOD_FOR_USERS},
    {"run.wait", "Answers when it has happened.", "the run; for idle the job", run_wait_params,
	METHOD_FOR_USERS},
    {"run.purge", "Deletes history and output.", "{purged}", run_purge_params,
	METHOD_FOR_OWNERS},
    {"group.list", "Groups and their limits.", "[{name, parallel, running, queued}]", NULL,
	METHOD_FOR_USERS},
    {"group.set", "Sets the limit of a group.", "the group", group_set_params,
	METHOD_FOR_ADMINS},
    {"node.list", "The daemons that share a store, this one among them.", "[node…]", NULL, METHOD_FOR_USERS},
    {"node.drain", "A node starts nothing more, and hands its jobs over.", "{name}", node_params,
	METHOD_FOR_ADMINS},
    {"node.resume", "Ends node.drain.", "{name}", node_params, METHOD_FOR_ADMINS},
    {"node.forget", "Takes a dead node out of the list.", "{name}", node_params, METHOD_FOR_ADMINS},
    {"trigger.next", "Fire times to come, of a trigger or a job.",
	"{trigger, timezone, text, words, remarks, fire_times}", trigger_next_params,
	METHOD_FOR_USERS},
    {"cron.table_get", "An account's own table of cron.", "{account, text}", cron_whose_params,
	METHOD_FOR_USERS},
    {"cron.table_set", "Puts a table in its place, as crontab(1) does.", "{account}", cron_set_params,
	METHOD_FOR_OWNERS},
    {"cron.table_remove", "Removes it.", "{account}", cron_whose_params,
	METHOD_FOR_OWNERS},
    {"event.subscribe", "Sends events as they happen.", "{subscription, seq, first}",
	event_subscribe_params,
	METHOD_FOR_USERS},
    {"event.unsubscribe", "Ends event.subscribe.", "{ended}", event_unsubscribe_params,
	METHOD_FOR_USERS},
    {"store.list", "Job stores.", "[store]", NULL,
	METHOD_FOR_USERS},
    {"store.add", "Opens a store until the next restart.", "the store", store_add_params,
	METHOD_FOR_ADMINS},
    {"store.remove", "Closes a store without jobs.", "{name}", store_remove_params,
	METHOD_FOR_ADMINS},
    {"store.check", "Writes to a store, reads, removes, and tells what it promises.",
	"{name, type, address, path, state, durable, durability, connect, write, read, remove}",
	store_check_params,
	METHOD_FOR_ADMINS},
    {"store.move", "Has jobs live in another store.",
	"{to, moved, failed, jobs: [{id, action, store, code, error}]}", store_move_params,
	METHOD_FOR_ADMINS},
    {"store.copy", "Has all jobs of a store live in another one.",
	"{from, to, moved, failed, jobs: [{id, action, store, code, error}]}", store_copy_params,
	METHOD_FOR_ADMINS},
    {"executor.list", "Executors.", "[executor]", NULL,
	METHOD_FOR_USERS},
    {"executor.add", "Makes an executor until the next restart.", "the executor",
	executor_add_params,
	METHOD_FOR_ADMINS},
    {"executor.remove", "Removes an executor no job uses.", "{name}", executor_remove_params,
	METHOD_FOR_ADMINS},
    {"executor.restart", "Replaces the workers of an executor, after their calls.", "the executor",
	executor_remove_params,
	METHOD_FOR_ADMINS},
    {"token.add", "Makes a token for HTTP; it is shown this once.", "{name, role, account, token}",
	token_add_params,
	METHOD_FOR_ADMINS},
    {"token.list", "Tokens for HTTP, without themselves.", "[{name, role, account}]", NULL,
	METHOD_FOR_ADMINS},
    {"token.remove", "Takes a token away at once.", "{name}", token_remove_params,
	METHOD_FOR_ADMINS},
    {"config.get", "Settings with their values and where these come from.", "{files, settings}",
	config_get_params,
	METHOD_FOR_ADMINS},
        {NULL, NULL, NULL, NULL, METHOD_FOR_ADMINS},
};

const struct method *methods_all(void)
{
	return method_rows;
}

const struct method *methods_find(const char *name)
{
	const struct method *row;

	for (row = method_rows; row->name; row++) {
		if (strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

const char *methods_role_name(enum method_role role)
{
	static const char *const names[] = {[METHOD_FOR_USERS] = "users",
	    [METHOD_FOR_OWNERS] = "owners",
	    [METHOD_FOR_ADMINS] = "admins"};

	return names[role];
}

/* ---- Checking a call ---- */

static bool method_is_texts(const struct value *value)
{
	if (value->type == VALUE_STRING)
		return true;
	if (value->type != VALUE_ARRAY)
		return false;
	for (uint32_t i = 0; i < value->array.count; i++) {
		if (value->array.items[i].type != VALUE_STRING)
			return false;
	}
	return true;
}

/* What chooses is held against each job there is: so many texts are enough. */
static int method_check_number(const struct method *method, const struct method_param *row,
    const struct value *value, struct schedd_error *err)
{
	if (value->type != VALUE_ARRAY || row->required || (row->type != METHOD_TEXTS && row->type != METHOD_IDS) ||
	    value->array.count <= METHOD_TEXTS_MAX)
		return 0;
	return schedd_error_set(err, SCHEDD_EINVAL, "%s: %s: %u entries are more than %d",
	    method->name, row->name, value->array.count, METHOD_TEXTS_MAX);
}

/* What a parameter of the type must be, in words; NULL: it is. */
static const char *method_mismatch(enum method_param_type type, const struct value *value)
{
	bool number = value->type == VALUE_INT || value->type == VALUE_REAL;

	switch (type) {
	case METHOD_TEXT:
	case METHOD_ID:
	case METHOD_NEW_ID:
	case METHOD_RUN:
		return value->type == VALUE_STRING ? NULL : "a string";
	case METHOD_TEXTS:
	case METHOD_IDS:
		return method_is_texts(value) ? NULL : "a string or a list of strings";
	case METHOD_BOOL:
		return value->type == VALUE_BOOL ? NULL : "true or false";
	case METHOD_INT:
		return value->type == VALUE_INT && value->integer >= 0 ? NULL
								       : "an integer, 0 or more";
	case METHOD_TIME:
		return value->type == VALUE_INT || value->type == VALUE_STRING
			   ? NULL
			   : "microseconds since the epoch or a time in words";
	case METHOD_SPAN:
		return number || value->type == VALUE_STRING
			   ? NULL
			   : "a number of seconds or a duration in words";
	case METHOD_MAP:
		return value->type == VALUE_MAP ? NULL : "a map";
	case METHOD_LIST:
	case METHOD_JOBS:
		return value->type == VALUE_ARRAY ? NULL : "a list";
	case METHOD_ANY:
	case METHOD_FIELDS:
		break;
	}
	return NULL;
}

/* A text that holds a NUL would be cut where C code reads it. */
static bool method_text_is_cut(const struct value *value)
{
	if (value->type == VALUE_STRING)
		return strlen(value->string.text) != value->string.length;
	if (value->type != VALUE_ARRAY)
		return false;
	for (uint32_t i = 0; i < value->array.count; i++) {
		const struct value *item = &value->array.items[i];

		if (item->type == VALUE_STRING && strlen(item->string.text) != item->string.length)
			return true;
	}
	return false;
}

static const struct method_param *method_param(const struct method *method, const char *name)
{
	const struct method_param *row;

	for (row = method->params; row && row->name; row++) {
		if (row->type != METHOD_FIELDS && strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

static bool method_takes_fields(const struct method *method)
{
	const struct method_param *row;

	for (row = method->params; row && row->name; row++) {
		if (row->type == METHOD_FIELDS)
			return true;
	}
	return false;
}

static int method_unknown(const struct method *method, const char *name, struct schedd_error *err)
{
	const struct method_param *row;
	struct suggest suggest;
	const char *closest;

	suggest_init(&suggest, name);
	for (row = method->params; row && row->name; row++)
		suggest_offer(&suggest, row->name);
	closest = suggest_result(&suggest);
	if (!closest && method_takes_fields(method))
		closest = job_fields_suggest(name);
	if (!closest)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "%s: unknown parameter '%.64s'", method->name, name);
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "%s: unknown parameter '%.64s', did you mean '%s'?", method->name, name, closest);
}

static int method_check_member(
    const struct method *method, const struct value_member *member, struct schedd_error *err)
{
	const struct method_param *row = method_param(method, member->key);
	const char *wanted;

	if (!row) {
		if (method_takes_fields(method) && job_fields_find(member->key))
			return 0; /* its value is the job's business */
		return method_unknown(method, member->key, err);
	}
	if (member->value.type == VALUE_NIL)
		return 0; /* as if it were left out */
	wanted = method_mismatch(row->type, &member->value);
	if (wanted && row->type == METHOD_INT && member->value.type == VALUE_INT)
		return schedd_error_set(err, SCHEDD_EINVAL, "%s: %s must be %s, not %lld",
		    method->name, row->name, wanted, (long long)member->value.integer);
	if (wanted)
		return schedd_error_set(err, SCHEDD_EINVAL, "%s: %s must be %s, not %s",
		    method->name, row->name, wanted, value_type_name(member->value.type));
	if (method_check_number(method, row, &member->value, err))
		return SCHEDD_EINVAL;
	if (row->type != METHOD_ANY && method_text_is_cut(&member->value))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "%s: %s holds a NUL byte", method->name, row->name);
	return 0;
}

int methods_check(const struct method *method, const struct value *params, struct schedd_error *err)
{
	const struct method_param *row;

	if (params->type != VALUE_MAP && params->type != VALUE_NIL)
		return schedd_error_set(err, SCHEDD_EINVAL, "%s: params must be a map, not %s",
		    method->name, value_type_name(params->type));
	if (params->type == VALUE_MAP) {
		for (uint32_t i = 0; i < params->map.count; i++) {
			int rc = method_check_member(method, &params->map.members[i], err);

			if (rc)
				return rc;
		}
	}
	for (row = method->params; row && row->name; row++) {
		const struct value *value = value_get(params, row->name);

		if (row->required && (!value || value->type == VALUE_NIL))
			return schedd_error_set(err, SCHEDD_EINVAL, "%s: %s is missing (%s)",
			    method->name, row->name, row->doc);
	}
	return 0;
}
