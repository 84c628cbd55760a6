/* SPDX-License-Identifier: MIT */
/*
 * A job: what is asked for (struct schedd_job, immutable once accepted) and
 * how far it has come (struct job_state, owned and changed by the scheduler).
 *
 * A change makes a clone, changes the clone and puts it in the place of the
 * old one, so that a run keeps the definition it was started with.
 */
#ifndef SCHEDD_MODEL_JOB_H
#define SCHEDD_MODEL_JOB_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <schedd/clock.h>
#include <schedd/error.h>
#include <schedd/job.h>
#include "base/value.h"
#include "trigger/trigger.h"

#define JOB_ALIAS_MAX 128 /* bytes, [A-Za-z0-9_][A-Za-z0-9._-]* */
#define JOB_ACCOUNT_MAX 64 /* bytes of an account's name before the ':' of an id */
#define JOB_ID_MAX (JOB_ACCOUNT_MAX + 1 + JOB_ALIAS_MAX)
#define JOB_NAME_MAX 1024 /* bytes, UTF-8 */

/* What a run does. */
enum job_kind {
	JOB_COMMAND, /* argv, without a shell */
	JOB_SHELL,   /* one line for shell_path -c */
	JOB_CALL,    /* a registered C function, plugin:function, or module:function of a worker */
	JOB_HTTP,    /* a request */
};

enum job_coalesce { JOB_COALESCE_LATEST, JOB_COALESCE_EARLIEST, JOB_COALESCE_ALL };
enum job_partition { JOB_PARTITION_KEEP, JOB_PARTITION_KILL };
enum job_overlap { JOB_OVERLAP_SKIP, JOB_OVERLAP_QUEUE, JOB_OVERLAP_REPLACE };
enum job_capture { JOB_CAPTURE_MERGED, JOB_CAPTURE_SPLIT, JOB_CAPTURE_NONE };
/* Which outcome of another job lets this one run. */
enum job_after_on { JOB_AFTER_OK, JOB_AFTER_FAIL, JOB_AFTER_ANY };
/* Outcomes that --notify reports. */
enum job_notify_on {
	JOB_NOTIFY_FAILURE,
	JOB_NOTIFY_RECOVERY,
	JOB_NOTIFY_CHANGE,
	JOB_NOTIFY_SUCCESS,
	JOB_NOTIFY_LATE,
	JOB_NOTIFY_MISSED,
	JOB_NOTIFY_OUTPUT,
};

/* A name and its text: environment, tags, secrets. */
struct job_pair {
	char *name;
	char *text;
};

struct job_pairs {
	struct job_pair *items; /* in the order given; names differ */
	uint32_t count;
};

/* Exit codes as a set. */
struct job_codes {
	uint64_t bits[4]; /* bit n of word n/64: code n */
	bool given;       /* false: the default applies */
};

struct job_rlimit {
	int resource;  /* RLIMIT_* */
	uint64_t soft; /* RLIM_INFINITY: unlimited */
	uint64_t hard;
};

struct job_after {
	char *job; /* id */
	enum job_after_on on;
};

/* What its target is. */
enum job_notify_kind {
	JOB_NOTIFY_COMMAND, /* a shell line */
	JOB_NOTIFY_MAIL,    /* mail:ADDRESS */
	JOB_NOTIFY_URL,     /* http://…, https://… */
};

struct job_notify {
	enum job_notify_on on;
	char *target; /* a shell command, mail:ADDR, http(s)://… */
};

/*
 * What most jobs leave at its default; NULL in the job then. Jobs that say the
 * same share one, see job_pool.h.
 */
struct job_details {
	uint32_t refs;                  /* atomic */
	uint32_t max_instances;         /* 1 or more */
	int32_t priority;               /* higher goes first in its queue; default 0 */
	uint8_t coalesce;               /* enum job_coalesce */
	uint8_t overlap;                /* enum job_overlap */
	uint8_t on_partition;           /* enum job_partition */
	bool keep;                      /* stays as finished when its trigger is exhausted */
	bool recover;                   /* runs again when schedd died during a run */
	schedd_span misfire_grace_time; /* SCHEDD_SPAN_NONE: no limit */
	uint64_t max_runs;              /* scheduled runs after which it has ended; 0: no limit */
	char *executor;                 /* NULL: default */
	char *store;                    /* NULL: default */
	char *owner;                    /* what apply --owner said; NULL: none */
	char *description;              /* NULL: none */
	struct job_pairs tags;
	char *group; /* NULL: none */
	char *nodes; /* of a shared store: where it may run, as model/node.h; NULL: on any */
	struct job_after *after;
	uint32_t after_count;
	struct job_notify *notify;
	uint32_t notify_count;

	schedd_span timeout;            /* SCHEDD_SPAN_NONE: none */
	schedd_span kill_after;         /* from kill_signal to SIGKILL; default 10 s */
	int kill_signal;                /* default SIGTERM */
	uint32_t retry_limit;           /* further attempts after the first; default 0 */
	schedd_span retry_delay;        /* before the second attempt; default 1 s */
	double retry_backoff;           /* factor from one delay to the next; default 1 */
	schedd_span retry_max_delay;    /* SCHEDD_SPAN_NONE: none */
	struct job_codes retry_on;      /* default: every failure */
	struct job_codes success_codes; /* default: 0 */

	char *cwd; /* NULL: home of the user */
	struct job_pairs env;
	char *user; /* USER[:GROUP]; NULL: schedd's */
	int umask;  /* -1: 022 */
	int nice;   /* added; 0: as schedd found it */
	struct job_rlimit *rlimits;
	uint32_t rlimit_count;
	char *stdin_path; /* NULL: /dev/null */
	char *stdin_text; /* given with the job itself; NULL: none */
	size_t stdin_length;
	struct job_pairs secrets; /* name, file */
	char *shell_path;         /* NULL: /bin/sh */
	char *hook_secret_file;   /* of its webhook; NULL: it has none */

	enum job_capture capture;
	int64_t output_max;   /* bytes kept a run; -1: the daemon's default */
	int64_t keep_runs;    /* runs kept; -1: the daemon's default */
	schedd_span keep_for; /* SCHEDD_SPAN_NONE: the daemon's default */
};

/* What they are where a job says nothing. */
#define JOB_DETAILS_DEFAULTS                                                                       \
	{                                                                                          \
		.refs = 1, .max_instances = 1, .misfire_grace_time = SCHEDD_SPAN_NONE,             \
		.timeout = SCHEDD_SPAN_NONE, .kill_after = 10 * SCHEDD_SECOND,                     \
		.kill_signal = SIGTERM, .retry_delay = SCHEDD_SECOND, .retry_backoff = 1,          \
		.retry_max_delay = SCHEDD_SPAN_NONE, .umask = -1, .output_max = -1,                \
		.keep_runs = -1, .keep_for = SCHEDD_SPAN_NONE,                                     \
	}

/*
 * The definition. Reference-counted; never changed after job_check() accepted it.
 * What jobs have in common lies behind pointers that they share, so that one
 * more job is this, its id and its name.
 */
struct schedd_job {
	uint32_t refs; /* atomic */
	uint8_t kind;  /* enum job_kind */
	bool sealed;   /* id and name lie behind it in its own block, see job_pool.h */
	char *id;      /* NULL until the scheduler made one */
	char *name;    /* NULL: the id serves */
	struct schedd_trigger *trigger; /* NULL until given: once, now */
	union {                         /* reference-counted by job_action.c */
		char **argv;            /* JOB_COMMAND: NULL-terminated, its strings behind it */
		char *shell;            /* JOB_SHELL */
		struct job_call *call;  /* JOB_CALL */
		struct job_http *http;  /* JOB_HTTP */
	};
	struct job_details *details; /* NULL: all defaults; read through job_details() */
};

/* A function by name with its arguments as JSON; one allocation. */
struct job_call {
	const char *function; /* "name", "plugin:name" or "module:name" */
	const char *args;     /* JSON text; NULL: none */
	const char *kwargs;   /* JSON text of a map: arguments by name; NULL: none */
};

struct job_http {
	char *method; /* "GET" */
	char *url;
	struct job_pairs headers;
	char *body; /* NULL: none */
};

/* How far the job has come. The scheduler's entry embeds it; stores keep it beside the definition.
 */
struct job_state {
	schedd_time
	    next_fire; /* the trigger's next time, not yet claimed; SCHEDD_TIME_NONE: none */
	schedd_time next_run_time; /* the same with jitter, or what the user set */
	schedd_time paused_until;  /* SCHEDD_TIME_NONE: until resumed */
	char *paused_reason;       /* owned; NULL: none */
	schedd_time created_at;
	schedd_time updated_at;
	char *invalid;      /* why the stored row could not be read; owned; NULL: it could */
	uint64_t run_count; /* scheduled runs so far, for max_runs */
	uint32_t last_run;  /* the highest run number given out, ever */
	uint32_t revision;  /* counts changes of the definition, from 1 */
	uid_t created_by;   /* who added it */
	bool paused;
	bool finished; /* exhausted but kept */
};

/* What is stored of a job. */
struct job_record {
	struct schedd_job *job; /* owned: one reference */
	struct job_state state;
	char
	    *raw; /* where state.invalid: all that is stored of it, as JSON; owned; NULL: nothing */
};

/* ---- Life ---- */

/* One reference; all defaults. NULL: no memory. */
struct schedd_job *job_new(void);
/* NULL is fine. Thread-safe. */
struct schedd_job *job_ref(struct schedd_job *job);
/* NULL is fine. Thread-safe. */
void job_unref(struct schedd_job *job);
/* A copy to change, with one reference; what is not changed stays shared. NULL: no memory. */
struct schedd_job *job_clone(const struct schedd_job *job);

/* ---- Reading ---- */

/* What a job without details of its own has. */
extern const struct job_details job_details_defaults;
/* The details, or the defaults. Never NULL. */
static inline const struct job_details *job_details(const struct schedd_job *job)
{
	return job->details ? job->details : &job_details_defaults;
}
/* The details to write to, the job's own from now on; NULL: no memory. Only before job_check(). */
struct job_details *job_details_edit(struct schedd_job *job);
/* name, or the id. NULL only for a job with neither. */
const char *job_title(const struct schedd_job *job);
/* executor and store with their default "default". */
const char *job_executor(const struct schedd_job *job);
const char *job_store(const struct schedd_job *job);
/* Does it stand in a table of cron? Its owner, "cron:FILE", says so. */
#define JOB_TABLE_OWNER "cron:"
bool job_is_of_table(const struct schedd_job *job);
/* Has it something to do (is the member that kind names set)? */
bool job_has_action(const struct schedd_job *job);
/*
 * [A-Za-z0-9_][A-Za-z0-9._-]{0,127}, behind "ACCOUNT:" where it is the job of an
 * account other than the daemon's: each account has ids of its own.
 */
bool job_id_valid(const char *id);
/*
 * The same, or "JOB@NODE": the part of a job on all nodes that is that node's. Such
 * ids are the scheduler's own making.
 */
bool job_id_known(const char *id);
/* The node in such an id; NULL: it is none. */
const char *job_id_node(const char *id);
/* The id of the job on all nodes whose part it is; any other id as it is. */
void job_id_whole(const char *id, char whole[JOB_ID_MAX + 1]);
/* Bytes of the account's name in an id; 0: the daemon's own. */
size_t job_id_account(const char *id);
/*
 * Is that id, or glob, the job's? JOB_OWN_PREFIX before a glob means the daemon's own
 * jobs alone, which have no account in their ids.
 */
#define JOB_OWN_PREFIX "root:"
bool job_id_matches(const char *pattern, const char *id);
/* The id as its account sees it. */
const char *job_id_plain(const char *id);
/* Can ids of an account of that name be told from others? [A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63} */
bool job_account_valid(const char *name);
/* An alias of a store, an executor, a group: as an id without an account. */
bool job_alias_valid(const char *name);

/* ---- What a run does; each replaces what was there. SCHEDD_ENOMEM ---- */

/* argv of count texts, copied. */
int job_set_command(struct schedd_job *job, const char *const *argv, size_t count)
    __attribute__((warn_unused_result));
int job_set_shell(struct schedd_job *job, const char *line) __attribute__((warn_unused_result));
/* args: JSON or NULL. */
int job_set_call(struct schedd_job *job, const char *function, const char *args, const char *kwargs)
    __attribute__((warn_unused_result));
/* No headers, no body yet: fill them in job->http before anybody shares it. */
int job_set_http(struct schedd_job *job, const char *method, const char *url)
    __attribute__((warn_unused_result));
/* Nothing to do any more. */
void job_clear_action(struct schedd_job *job);

/* ---- Parts ---- */

/* NULL: no such name. */
const char *job_pairs_get(const struct job_pairs *pairs, const char *name);
/* Adds the pair or replaces the text of that name; both are copied. SCHEDD_ENOMEM. */
int job_pairs_set(struct job_pairs *pairs, const char *name, const char *text)
    __attribute__((warn_unused_result));
/* Takes a pair out; fine where there is none. */
void job_pairs_remove(struct job_pairs *pairs, const char *name);
void job_pairs_clear(struct job_pairs *pairs);
/* A deep copy; to is written, not freed, before. SCHEDD_ENOMEM. */
int job_pairs_copy(struct job_pairs *to, const struct job_pairs *from)
    __attribute__((warn_unused_result));

/* A set that was not given has no code. */
bool job_codes_has(const struct job_codes *codes, int code);

/* By the beginning of the target; the address is behind "mail:". */
enum job_notify_kind job_notify_kind(const char *target);
/* "nofile" of an RLIMIT_*. */
const char *job_rlimit_name(int resource);

#define JOB_SIGNAL_NAME_SIZE 16

/* The number of TERM, SIGTERM, term, RTMIN+3 or 15; -1: there is no such signal. */
int job_signal_parse(const char *text);
/* "TERM" into text of size bytes (JOB_SIGNAL_NAME_SIZE is enough), which is returned. */
const char *job_signal_name(int number, char *text, size_t size);

/* The words of the enums, in their order, ended by NULL. */
extern const char *const job_kind_words[];
extern const char *const job_coalesce_words[];
extern const char *const job_overlap_words[];
extern const char *const job_partition_words[];
extern const char *const job_capture_words[];
extern const char *const job_after_words[];
extern const char *const job_notify_words[];

/* ---- State ---- */

/* A job that was just added: revision 1, no runs, nothing planned. */
void job_state_init(struct job_state *state);
void job_state_clear(struct job_state *state);

#endif
