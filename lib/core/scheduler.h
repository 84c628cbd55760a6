/* SPDX-License-Identifier: MIT */
/*
 * The scheduler from inside: what schedd's server calls.
 *
 * Every change is asynchronous: it is checked, written to the job's store as
 * one batch, and takes effect and is answered when it is durable. Answers come
 * exactly once, on the loop's thread, possibly before the call returns. Changes
 * of one job take effect in the order they were asked for.
 *
 * One thread owns all of it. Time comes from the clock in the options.
 */
#ifndef SCHEDD_CORE_SCHEDULER_H
#define SCHEDD_CORE_SCHEDULER_H

#include <schedd/scheduler.h>
#include "base/value.h"
#include "executor/output.h"
#include "executor/spawner_pool.h"
#include "model/job.h"
#include "model/run.h"
#include "store/store.h"
#include "trigger/zone_local.h"

struct function_table;
struct worker_config;

/* Who asks. */
struct scheduler_actor {
	int64_t uid;        /* -1: the scheduler itself */
	int64_t pid;        /* -1: unknown */
	const char *method; /* "job.pause" */
	/* Whose jobs alone it may define, within what the guard allows; NULL: everybody's. Until
	 * the reply. */
	const char *account;
};

/*
 * May an account give its job this definition? old: what it was, NULL where it
 * is new. SCHEDD_EPERM names what it may not, SCHEDD_ECONFLICT a limit.
 */
typedef int (*scheduler_guard_fn)(const struct schedd_job *job, const struct schedd_job *old,
    const char *account, void *context, struct schedd_error *err);

/*
 * rc 0: done, and result (valid during the call) is the answer. nil: there is nothing to tell, or
 * no memory to tell of what was done.
 */
typedef void (*scheduler_reply_fn)(
    int rc, const struct schedd_error *err, const struct value *result, void *context);

/* Where an answer goes; passed by value. */
struct scheduler_reply {
	scheduler_reply_fn call; /* NULL: nobody is interested */
	void *context;
};

/* Limits and defaults from the config; zero-initialise, then scheduler_settings_init(). */
struct scheduler_settings {
	schedd_span misfire_grace_time;   /* for jobs that name none; SCHEDD_SPAN_NONE: no limit */
	uint32_t max_instances;           /* likewise; 1 */
	uint32_t catchup_max;             /* runs that coalesce=all makes of one backlog; 100 */
	int64_t output_max;               /* bytes kept of a run; 1 MiB */
	struct store_retention retention; /* for jobs that say nothing */
	int64_t output_total_max;         /* bytes of all kept output; -1: no limit */
	int64_t low_disk;              /* below this many free bytes output is cut first; 64 MiB */
	schedd_span claim_backoff_max; /* between attempts to store a claim; 30 s */
	uint32_t event_ring;           /* events kept for --since; 10000 */
};

void scheduler_settings_init(struct scheduler_settings *settings);
void scheduler_set_settings(
    struct schedd_scheduler *scheduler, const struct scheduler_settings *settings);
/* What an account that has jobs here may: as judge said last, at first zero, but no limits. */
struct scheduler_account {
	bool judged;     /* judge's own: it could say whether they are held */
	bool held;       /* its jobs do not run, and stay */
	bool tables;     /* held, but for those of tables of cron */
	char why[256];   /* in words, when they are held */
	uint32_t running; /* runs at one time */
	uint32_t queued;  /* runs that wait; more are skipped */
	int64_t history; /* runs kept in the history; INT64_MAX: no limit */
	int64_t output;  /* bytes of output kept; INT64_MAX: no limit */
};
typedef void (*scheduler_account_fn)(
    const char *account, struct scheduler_account *out, void *context);
/* Asked when an account's first job comes, and by scheduler_review_accounts(). */
void scheduler_set_accounts(
    struct schedd_scheduler *scheduler, scheduler_account_fn judge, void *context);
/* The config or the machine's accounts have changed: each is judged again. How many are held now, or
 * no longer. */
uint32_t scheduler_review_accounts(struct schedd_scheduler *scheduler);
/* Jobs of that account, those that are being added too. */
uint32_t scheduler_account_jobs(const struct schedd_scheduler *scheduler, const char *account);
/* Asked of each definition that an actor with an account gives. */
void scheduler_set_guard(
    struct schedd_scheduler *scheduler, scheduler_guard_fn guard, void *context);
/* The program that sends mail, as sendmail -t -oi (copied); NULL: /usr/sbin/sendmail. */
int scheduler_set_sendmail(struct schedd_scheduler *scheduler, const char *path,
    struct schedd_error *err) __attribute__((warn_unused_result));

/* ---- Parts ---- */

struct zone_cache *scheduler_zones(struct schedd_scheduler *scheduler);
/* The scheduler's own zone and how it was found. */
/* Emits an event of the program around the scheduler. name (may be NULL) and error are texts of it.
 */
void scheduler_say(struct schedd_scheduler *scheduler, enum schedd_event_code code,
    const char *name, const char *error);
/* All owners of jobs that begin like prefix, each once: a list of texts in the arena. */
struct value scheduler_owners(
    struct schedd_scheduler *scheduler, const char *prefix, struct arena *arena);
const struct zone_local *scheduler_zone(const struct schedd_scheduler *scheduler);
/* Where it can be asked, for what it starts; NULL: nowhere. */
const char *scheduler_socket(const struct schedd_scheduler *scheduler);
/* What triggers and times are read with now; valid until the next call. */
const struct trigger_context *scheduler_trigger_context(struct schedd_scheduler *scheduler);
/* The time zone database or the machine's zone may have changed: look again, recompute. Returns
 * zones changed. */
int scheduler_refresh_zones(struct schedd_scheduler *scheduler);
/* Posts to the loop's thread. */
struct mailbox *scheduler_mailbox(struct schedd_scheduler *scheduler);
/* C functions that jobs may call, those of plug-ins included; borrowed. */
struct function_table *scheduler_functions(struct schedd_scheduler *scheduler);
/* NULL: no such store. */
struct store *scheduler_store(struct schedd_scheduler *scheduler, const char *name);
/* Lists of maps, as store.list and executor.list answer. */
struct value scheduler_stores(struct schedd_scheduler *scheduler, struct arena *arena);
struct value scheduler_executors(struct schedd_scheduler *scheduler, struct arena *arena);
/* As the public ones, with who asks (NULL: the scheduler's host); worker: for that type; NULL:
 * defaults. */
struct scheduler_new_store {
	const char *name;
	const char *type; /* "sqlite", "memory", or a module's */
	const char *path; /* a file's; NULL: none */
	const char *url;  /* a server's; NULL: none */
	const struct store_option *options; /* ended by a NULL name; NULL: none */
	const char *history; /* the store that keeps its runs; NULL: itself, or the default one where
				its type keeps none */
};
/*
 * One in this machine is open and its jobs are read when this returns, or it is
 * refused. One on a server comes when it comes: its jobs are read then.
 */
int scheduler_add_store(struct schedd_scheduler *scheduler,
    const struct scheduler_new_store *store, const struct scheduler_actor *actor,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * The same while the loop goes on: it answers when that is so, as store.list shows
 * it. actor must not be NULL.
 */
void scheduler_add_store_live(struct schedd_scheduler *scheduler,
    const struct scheduler_new_store *store, const struct scheduler_actor *actor,
    struct scheduler_reply reply);
int scheduler_add_executor(struct schedd_scheduler *scheduler, const char *name, const char *type,
    unsigned max_workers, const struct worker_config *worker, const struct scheduler_actor *actor,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Replaces what it keeps running, see executor_restart(). Answers it as executor.list does. */
void scheduler_restart_executor(struct schedd_scheduler *scheduler, const char *name,
    struct arena *arena, struct scheduler_reply reply);
/* All that keep something running, as new code may be there. */
void scheduler_restart_executors(struct schedd_scheduler *scheduler);
/*
 * Is it there, and does it take writes, give them back and remove them? One that
 * is configured by its name, or a server by its url. Answers {"name" (nil: by its
 * url),"type","address","path","state","durable","durability","connect" (nil: it
 * was), "write","read","remove"} with seconds.
 */
void scheduler_check_store(struct schedd_scheduler *scheduler,
    const struct scheduler_new_store *store, struct scheduler_reply reply);
/*
 * The store as a text file that any store can read, see core/top/dump.h; path is
 * absolute, of a file that is new. Answers {"path","store","jobs","runs",
 * "left_out" (jobs that cannot be read)}.
 */
void scheduler_dump(struct schedd_scheduler *scheduler, const char *store, const char *path,
    struct scheduler_reply reply);
/*
 * Puts what such a file has into the store; nothing is changed unless the whole
 * file can be read (SCHEDD_EFILE: the line and the byte where not) and no job is
 * there already (SCHEDD_ECONFLICT), unless they are to be replaced. Answers
 * {"path","store","jobs","runs"}.
 */
void scheduler_undump(struct schedd_scheduler *scheduler, const char *store, const char *path,
    bool replace, const struct scheduler_actor *actor, struct scheduler_reply reply);
struct scheduler_mover;
/* Jobs that are to live in another store. */
struct scheduler_move {
	const char *const *jobs; /* ids, NULL-terminated; NULL: all of from */
	const char *from;        /* without jobs: a store */
	const char *to;          /* a store */
	bool history;            /* runs that ended are taken along, else they stay and can be read */
	bool wait;               /* for runs that go on, else they are a conflict */
};
/*
 * What waits in their queues is taken along. Each is whole in the one or the other
 * store at any moment, also after a kill. Answers {"to","moved","failed","jobs":
 * [{"id","action","store","code","error"}]}: all jobs that were named, of a whole
 * store those that failed. The handle is NULL if it was answered.
 */
struct scheduler_mover *scheduler_move_jobs(struct schedd_scheduler *scheduler,
    const struct scheduler_move *move, const struct scheduler_actor *actor,
    struct scheduler_reply reply);
/* Nobody waits for the answer: no further jobs are moved, and there is none. */
void scheduler_move_cancel(struct scheduler_mover *mover);
/* Removing: SCHEDD_ECONFLICT while jobs use it. */
void scheduler_remove_store(struct schedd_scheduler *scheduler, const char *name,
    const struct scheduler_actor *actor, struct scheduler_reply reply);
void scheduler_remove_executor(struct schedd_scheduler *scheduler, const char *name,
    const struct scheduler_actor *actor, struct scheduler_reply reply);

/* ---- Jobs: each answers the job as a map unless it says otherwise ---- */

enum scheduler_add_flag {
	SCHEDULER_ADD_REPLACE = 1,    /* an existing job is changed into this one */
	SCHEDULER_ADD_IF_ABSENT = 2,  /* an existing job is left alone and answered */
	SCHEDULER_ADD_ALLOW_PAST = 4, /* a date in the past runs at once (or is missed) */
	SCHEDULER_ADD_DRY_RUN = 8,    /* checks everything, changes nothing */
	SCHEDULER_ADD_UNSEEN = 16,    /* accounts and secrets that it names may be yet to come */
};

/* fields: a flat map of job fields, as job.add's params. An id of "ACCOUNT:" alone has its rest made
 * as one that is left out. */
void scheduler_add(struct schedd_scheduler *scheduler, const struct value *fields, unsigned flags,
    const struct scheduler_actor *actor, struct scheduler_reply reply);
/* One of a job file: a map of job fields with its id. */
struct scheduler_apply {
	const struct value *jobs; /* lists of maps, one behind the other */
	uint32_t lists;           /* 0: one */
	bool lent;                /* jobs are not copied, but changed in their place: each has to last
				     until the next is taken up, or the answer */
	const char *owner;        /* NULL: none */
	bool prune;               /* remove what that owner applied and is not in jobs */
	bool skip;                /* what cannot be a job is left out, as {id, "refused", error} */
	bool elsewhere; /* from another scheduler: an account or a secret that is not here is the
			   "warning" of its row */
	bool paused;    /* jobs that are new begin paused */
	bool dry_run;
	/* Sees each job before it is taken up, in pieces, until the answer, and may change it. 1: it is
	 * left out. NULL: nobody does. */
	int (*each)(struct value *job, void *context, struct schedd_error *err);
	/* Sees what comes of each: {"id","action","fields"}, gone after the call, which may change it.
	 * It is good only if no error is answered. False: no memory, and nothing is done. NULL: nobody
	 * does. */
	bool (*row)(struct value *row, void *context);
	void *each_context; /* of both */
};
/* All or nothing a store. Answers nil. */
void scheduler_apply(struct schedd_scheduler *scheduler, const struct scheduler_apply *apply,
    const struct scheduler_actor *actor, struct scheduler_reply reply);
/* changes: fields to set, nil to unset. revision 0: whatever it is now; otherwise SCHEDD_ECONFLICT
 * if it differs. */
void scheduler_modify(struct schedd_scheduler *scheduler, const char *id,
    const struct value *changes, uint32_t revision, const struct scheduler_actor *actor,
    struct scheduler_reply reply);
void scheduler_rename(struct schedd_scheduler *scheduler, const char *id, const char *to,
    const struct scheduler_actor *actor, struct scheduler_reply reply);
/* purge: its history too. kill: running runs are ended, otherwise they go on. */
void scheduler_remove(struct schedd_scheduler *scheduler, const char *id, bool purge, bool kill,
    const struct scheduler_actor *actor, struct scheduler_reply reply);
void scheduler_pause_job(struct schedd_scheduler *scheduler, const char *id, schedd_time until,
    const char *reason, const struct scheduler_actor *actor, struct scheduler_reply reply);
/* run_missed: what fell due meanwhile is treated as after downtime, otherwise it is one missed row.
 */
void scheduler_resume_job(struct schedd_scheduler *scheduler, const char *id, bool run_missed,
    const struct scheduler_actor *actor, struct scheduler_reply reply);
struct scheduler_run_options {
	bool force;                  /* also beyond max_instances */
	const struct job_pairs *env; /* for this run alone; NULL: none */
	enum run_trigger trigger;    /* RUN_BY_HAND, RUN_BY_RETRY */
};
/* Answers {"run":"backup/42"}. */
void scheduler_run_job(struct schedd_scheduler *scheduler, const char *id,
    const struct scheduler_run_options *options, const struct scheduler_actor *actor,
    struct scheduler_reply reply);
/* All jobs; the flag survives a restart. */
void scheduler_set_paused(struct schedd_scheduler *scheduler, bool paused,
    const struct scheduler_actor *actor, struct scheduler_reply reply);

/* The job as a map (fields, state, running, trigger in words …); nil: no such job. */
struct value scheduler_job_value(
    struct schedd_scheduler *scheduler, const char *id, struct arena *arena);
/*
 * Such maps packed one behind the other, without a tree of any. The many members that are kept in a job's
 * details, which it mostly shares with the job before it, are packed once and copied. Begun as zeros but
 * for the scheduler.
 */
struct scheduler_job_packer {
	struct schedd_scheduler *scheduler;
	struct strbuf packed;              /* failed: no memory for one of them */
	uint32_t count;                    /* of jobs in it */
	struct arena arena;                /* of one job at a time */
	const struct job_details *details; /* of the job before, their members and how many; members "": of none */
	struct strbuf members;
	uint32_t member_count;
};
/* Nothing if there is no such job. */
void scheduler_job_pack(struct scheduler_job_packer *packer, const char *id);
/* A value that stands for a job, built in the packer's arena. */
void scheduler_job_pack_value(struct scheduler_job_packer *packer, const struct value *value);
/* Jobs may change or go now, and their details with them. */
void scheduler_job_pack_pause(struct scheduler_job_packer *packer);
void scheduler_job_pack_clear(struct scheduler_job_packer *packer);
/* Its definition alone, without what is at its default; of one that cannot be read as it is stored.
 */
struct value scheduler_job_export(
    struct schedd_scheduler *scheduler, const char *id, struct arena *arena);
/* Only these members (NULL-terminated), nil where there is none of that name, in that order. */
struct value scheduler_job_some(struct schedd_scheduler *scheduler, const char *id,
    const char *const *fields, struct arena *arena);
/* Its definition, for callers in the same process; a borrowed reference; NULL: no such job. */
const struct schedd_job *scheduler_job_peek(struct schedd_scheduler *scheduler, const char *id);
/* Its next run as it is planned, the trigger's time that it stands for (SCHEDD_TIME_NONE: none),
 * and how many runs max_runs leaves it. */
struct scheduler_job_plan {
	schedd_time run, fire;
	uint64_t runs_left;
};
/* False: no such job. */
bool scheduler_job_planned(
    struct schedd_scheduler *scheduler, const char *id, struct scheduler_job_plan *out);
/* "waiting", "running", "queued", "paused", "finished", "invalid"; NULL: no such job. */
const char *scheduler_job_state(struct schedd_scheduler *scheduler, const char *id);

/* Which jobs; empty members choose all. */
struct scheduler_job_query {
	const char *const *patterns; /* ids or globs, NULL-terminated; NULL: all */
	const char *const *tags;     /* "K" or "K=V", all must hold; NULL: any */
	const char *const *states;   /* any of them; NULL: any */
	const char *group;
	const char *store;
	const char *owner;
	const char *node; /* who has it now; its parts of jobs on all nodes among them, these not */
	schedd_time due_before; /* SCHEDD_TIME_NONE: any */
	bool failed;            /* the last run ended without success */
	bool by_next;           /* in the order of next runs, then ids: those without one behind
				   them, paused jobs last; otherwise in the order of ids */
	const char *after;      /* the cursor that the last page gave; NULL: from the first */
	uint64_t limit;         /* 0: no limit */
};
typedef void (*scheduler_job_fn)(const char *id, void *context);
/*
 * Calls for each match, in order, which must change nothing. Appends the
 * cursor for more to next, or nothing at the end. By next run, a job whose
 * next run moves meanwhile may come again on a later page. SCHEDD_EINVAL: the
 * cursor is none of this order.
 */
int scheduler_job_find(struct schedd_scheduler *scheduler, const struct scheduler_job_query *query,
    scheduler_job_fn call, void *context, struct strbuf *next, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * The same in pieces, between which jobs may change: each that is there all the
 * time comes once. What the query points to must stay. NULL: err.
 */
struct scheduler_job_walk;
struct scheduler_job_walk *scheduler_job_walk_new(struct schedd_scheduler *scheduler,
    const struct scheduler_job_query *query, struct schedd_error *err);
/* One piece of about that length; SCHEDD_SPAN_NONE: as long as it takes. 1: there is more. */
int scheduler_job_walk_more(struct scheduler_job_walk *walk, schedd_span most, scheduler_job_fn call,
    void *context, struct schedd_error *err) __attribute__((warn_unused_result));
/* After the end: the cursor for more; NULL: that was all. */
const char *scheduler_job_walk_next(const struct scheduler_job_walk *walk);
void scheduler_job_walk_free(struct scheduler_job_walk *walk);
uint64_t scheduler_job_count(const struct schedd_scheduler *scheduler);

/* ---- Nodes of stores that are shared ---- */

/* Is the job another node's? Its name, borrowed until something changes; NULL: nobody's for now. */
bool scheduler_job_elsewhere(
    struct schedd_scheduler *scheduler, const char *id, const char **node);
/* Is that as no node that lives may have it? Why, in text. */
bool scheduler_job_homeless(
    const struct schedd_scheduler *scheduler, const char *id, char *text, size_t size);
/*
 * Before a question is answered: jobs that are other nodes' are looked at anew,
 * that one or (NULL) all of them, and what other nodes have told of any is
 * heard; so it is looked for where it is not known, and "" is heard for alone.
 * False: there is nothing to look at, and call is not called. Else it is called
 * on the loop's thread, later; id is borrowed until then.
 */
typedef void (*scheduler_fresh_fn)(void *context);
bool scheduler_refresh(struct schedd_scheduler *scheduler, const char *id, scheduler_fresh_fn call,
    void *context);
/* The same in a moment, when another node may have taken it. False: nothing is waited for. */
bool scheduler_refresh_later(
    struct schedd_scheduler *scheduler, scheduler_fresh_fn call, void *context);
/*
 * Ids of the parts of a job on all nodes, one of each node: a list; live: of those that live and
 * take jobs. nil: it is no such job.
 */
struct value scheduler_job_parts(
    struct schedd_scheduler *scheduler, const char *id, bool live, struct arena *arena);
/*
 * A list of ids that may have runs of the job as its parts: those it has, or, of a job that is gone, one
 * for each node; empty where it can have none.
 */
struct value scheduler_job_parts_ever(
    struct schedd_scheduler *scheduler, const char *id, struct arena *arena);
/* Is there a node of that name, alive or dead? SCHEDD_ENOTFOUND: no; err says what may have been meant. */
int scheduler_node_check(
    const struct schedd_scheduler *scheduler, const char *name, struct schedd_error *err);
/* Is any store shared? */
bool scheduler_is_shared(const struct schedd_scheduler *scheduler);
/* Our name in it; NULL: none is shared. */
const char *scheduler_node_name(const struct schedd_scheduler *scheduler);
/* A list of {"name","state","store","labels","version","address","slots","jobs","running","load",
 * "clock","epoch","started_at","last_seen","since","self"}; clock in seconds, this node's less the
 * store's; since: dead since then. */
/* May it be asked? Otherwise why not, for people: "is dead since …". Its name is of no node: false. */
bool scheduler_node_lives(
    const struct schedd_scheduler *scheduler, const char *name, char *why, size_t size);
struct value scheduler_nodes(struct schedd_scheduler *scheduler, struct arena *arena);
enum scheduler_node_verb { SCHEDULER_NODE_DRAIN, SCHEDULER_NODE_RESUME, SCHEDULER_NODE_FORGET };
/* Answers nil. SCHEDD_ENOTFOUND; SCHEDD_ECONFLICT: it lives and cannot be forgotten. */
void scheduler_node_set(struct schedd_scheduler *scheduler, const char *name,
    enum scheduler_node_verb verb, struct scheduler_reply reply);
/*
 * Asks a node, by its name, what its scheduler_asked_fn answers to that map.
 * SCHEDD_EFAILED: it died meanwhile, or did not answer within limit; whether it
 * was done is not known then.
 */
void scheduler_ask_node(struct schedd_scheduler *scheduler, const char *node,
    const struct value *request, schedd_span limit, struct scheduler_reply reply);
/* One that another node asked; answered once, with scheduler_asked_answer(). */
struct scheduler_asked;
typedef void (*scheduler_asked_fn)(
    const struct value *request, struct scheduler_asked *asked, void *context);
void scheduler_set_asked(
    struct schedd_scheduler *scheduler, scheduler_asked_fn call, void *context);
/* rc 0: done, and result (may be nil) is the answer. */
void scheduler_asked_answer(struct scheduler_asked *asked, int rc, const struct schedd_error *err,
    const struct value *result);

/* ---- Runs ---- */

/* Those that go on and the stores' history, newest first. Answers {"runs":[…],"next":…}.
 */
void scheduler_query_runs(struct schedd_scheduler *scheduler, const struct store_run_query *query,
    struct scheduler_reply reply);
/*
 * The same in pieces, between which runs begin and end: what they are then is told,
 * and each comes once. ready is called when the stores have answered (rc: the walk is
 * NULL), and has the walk from then on. What the query points to need not stay.
 */
struct scheduler_run_walk;
typedef void (*scheduler_runs_ready_fn)(
    int rc, const struct schedd_error *err, struct scheduler_run_walk *walk, void *context);
void scheduler_walk_runs(struct schedd_scheduler *scheduler, const struct store_run_query *query,
    scheduler_runs_ready_fn ready, void *context);
/* The run's value, in arena, which is for what is made of it too; both until the call returns. */
typedef void (*scheduler_run_fn)(const struct value *run, struct arena *arena, void *context);
/* One piece of about that length; SCHEDD_SPAN_NONE: as long as it takes. 1: there is more. */
int scheduler_run_walk_more(struct scheduler_run_walk *walk, schedd_span most,
    scheduler_run_fn call, void *context, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* After the end: {"next":…} and perhaps {"missing":[…]}; lives as long as the walk. nil: no memory. */
struct value scheduler_run_walk_rest(struct scheduler_run_walk *walk);
void scheduler_run_walk_free(struct scheduler_run_walk *walk);
/* signal 0: the job's own kill_signal, then KILL after kill_after. number 0: all runs of the job.
 * Answers {"runs":["backup/42"]}. */
void scheduler_kill(struct schedd_scheduler *scheduler, const char *job, uint32_t number,
    int signal, const struct scheduler_actor *actor, struct scheduler_reply reply);
/* Is the run on its way into the executor? Its state is running then, but its program does not run.
 */
bool scheduler_run_starting(
    const struct schedd_scheduler *scheduler, const char *job, uint32_t number);
/* Answers the run when it has ended (at once if it has). The cancel handle is NULL if it was
 * answered. */
struct scheduler_wait;
struct scheduler_wait *scheduler_wait_run(struct schedd_scheduler *scheduler, const char *job,
    uint32_t number, struct scheduler_reply reply);
/* Waits until the job has no run going on or queued. */
struct scheduler_wait *scheduler_wait_idle(
    struct schedd_scheduler *scheduler, const char *job, struct scheduler_reply reply);
void scheduler_wait_cancel(struct scheduler_wait *wait);
/* When a run that goes on, or just ends, was started; false: it was not, or it is not there. */
bool scheduler_run_started(const struct schedd_scheduler *scheduler, const char *job, uint32_t number,
    schedd_time *started);
/* The live output of a run that is going on; NULL: it is not (then read the file). Borrowed: until
 * the run ends. */
struct output *scheduler_run_output(
    struct schedd_scheduler *scheduler, const char *job, uint32_t number);
/* Where the kept output of a run lies; false: it is kept nowhere. */
bool scheduler_output_path(
    struct schedd_scheduler *scheduler, const char *job, uint32_t number, char *path, size_t size);
/*
 * What a store that nodes share keeps of the output of a run: the end of it, in
 * the form of output_source. length 0: nothing is kept.
 */
typedef void (*scheduler_kept_fn)(int rc, const struct schedd_error *err, const char *bytes,
    size_t length, void *context);
void scheduler_run_kept(struct schedd_scheduler *scheduler, const char *job, uint32_t number,
    scheduler_kept_fn call, void *context);
/* Deletes history: of a job (NULL: all jobs), or one run of it. Answers {"purged":true}. */
void scheduler_purge(struct schedd_scheduler *scheduler, const char *job, uint32_t number,
    const struct scheduler_actor *actor, struct scheduler_reply reply);

/* ---- Groups, events, explanations ---- */

/* parallel 0 is refused. The limit is kept in the default store. */
void scheduler_group_set(struct schedd_scheduler *scheduler, const char *name, uint32_t parallel,
    const struct scheduler_actor *actor, struct scheduler_reply reply);
struct value scheduler_groups(struct schedd_scheduler *scheduler, struct arena *arena);
/* Replays events with seq > since from the ring; returns the first seq the ring still had wanted
 * (since + 1 without a hole). */
uint64_t scheduler_replay(
    struct schedd_scheduler *scheduler, uint64_t since, schedd_listener_fn call, void *context);
/* The same for at most so many; *since becomes the last that was replayed. All were when that is
 * scheduler_event_seq(), or nothing was. */
uint64_t scheduler_replay_some(struct schedd_scheduler *scheduler, uint64_t *since, uint32_t most,
    schedd_listener_fn call, void *context);
/*
 * For a listener that gathers what it is told: settled is called when a series of
 * events is over, before anybody is answered for what made them. NULL: no more.
 */
void scheduler_events_gather(
    struct schedd_scheduler *scheduler, void (*settled)(void *context), void *context);
/* Another number whenever anything in it may have changed. */
uint64_t scheduler_touched(const struct schedd_scheduler *scheduler);
uint64_t scheduler_event_seq(const struct schedd_scheduler *scheduler);
/*
 * Events of an account's jobs have numbers of that account, too, which say nothing
 * of others: that of the event with this seq, while it is kept (0: it is the
 * daemon's own), and that of the account's latest one.
 */
uint64_t scheduler_event_own(const struct schedd_scheduler *scheduler, uint64_t seq);
/* That of the account's oldest one that is kept; 0: none is. */
uint64_t scheduler_event_oldest(const struct schedd_scheduler *scheduler, const char *account);
uint64_t scheduler_event_last(struct schedd_scheduler *scheduler, const char *account);
/* "job_added"; NULL: no such event. */
const char *scheduler_event_name(enum schedd_event_code code);
/* 0: no such event. */
unsigned scheduler_event_code(const char *name);
/* The event as the map of proto/PROTOCOL.md. */
struct value scheduler_event_value(const struct schedd_event *event, struct arena *arena);
/* The same as JSON, without what is nil, and with the members of another map behind its own. */
void scheduler_event_json(const struct schedd_event *event, const struct value *more,
    struct arena *arena, struct strbuf *out);
/* What was read of such JSON, with all members of an event again; a map of something else as it is. */
struct value scheduler_event_whole(const struct value *map, struct arena *arena);
/* Why it ran or did not run at that time (NONE: lately), from recorded facts. */
void scheduler_why(struct schedd_scheduler *scheduler, const char *id, schedd_time at,
    struct scheduler_reply reply);
/* Counts and gauges for status and metrics: jobs, running, queued, paused, next, lateness, store
 * errors… */
struct value scheduler_status(struct schedd_scheduler *scheduler, struct arena *arena);

/* ---- Driving it, for schedd and for tests with a fake clock ---- */

/*
 * Does all that is due by the clock: claims and starts runs, time-outs,
 * retries, resumptions. Called by the alarms where there is a loop.
 */
void scheduler_tick(struct schedd_scheduler *scheduler);
/* When to tick next by either clock: wall SCHEDD_TIME_NONE or mono INT64_MAX mean never. */
void scheduler_next_wake(
    const struct schedd_scheduler *scheduler, schedd_time *wall, struct schedd_mono *mono);
/* The wall clock was set: looks at everything that is planned again. */
void scheduler_clock_stepped(struct schedd_scheduler *scheduler);
/*
 * How processes are to be started: as this one was found when the scheduler was
 * made, and in control groups below the one given here (copied; NULL: in none),
 * which is to be called before executors are added.
 */
const struct spawn_inherit *scheduler_inherit(const struct schedd_scheduler *scheduler);
/* Who starts processes for all executors; NULL: no memory. */
struct spawner_pool *scheduler_spawners(struct schedd_scheduler *scheduler);
int scheduler_set_cgroup(struct schedd_scheduler *scheduler, const char *directory,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Was the machine booted since the scheduler last started? Decides on_boot; call before start. */
void scheduler_set_boot(struct schedd_scheduler *scheduler, const char *boot_id);
enum scheduler_drain_how {
	SCHEDULER_DRAIN_WAIT,   /* until no run is left */
	SCHEDULER_DRAIN_DETACH, /* running jobs are left alone, and lost */
	/* Those that the next program can go on with stay; waiting for the others. */
	SCHEDULER_DRAIN_HAND_OVER,
};

/*
 * Begins to stop: nothing new starts; done when no run is left that is waited
 * for, or the limit is over (then these get their kill_signal and KILL).
 */
void scheduler_drain(struct schedd_scheduler *scheduler, schedd_span limit,
    enum scheduler_drain_how how, struct scheduler_reply reply);
/*
 * After SCHEDULER_DRAIN_HAND_OVER is done: lets go of the runs that stay. The
 * map is for scheduler_take_over() in the program that this process executes
 * next; its members that end in _fd are open descriptors, the caller's.
 */
struct value scheduler_hand_over(struct schedd_scheduler *scheduler, struct arena *arena);
/* Before parts are added: this program goes on where the one before stopped. Copied. */
int scheduler_take_over(struct schedd_scheduler *scheduler, const struct value *from,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Walks the invariants of all indexes; for tests. */
bool scheduler_check(const struct schedd_scheduler *scheduler);

#endif
