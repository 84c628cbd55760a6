/* SPDX-License-Identifier: MIT */
/*
 * An executor makes an attempt of a run happen: it starts a process, calls a
 * function, sends a request. It decides nothing about time, retries or
 * instances; it starts what it is told, says how it ended, and signals it when
 * asked.
 *
 * A backend is a const struct executor_ops (see executor_ops.h and the end of
 * each exec_*.c).
 */
#ifndef SCHEDD_EXECUTOR_EXECUTOR_H
#define SCHEDD_EXECUTOR_EXECUTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <schedd/clock.h>
#include <schedd/executor.h>
#include <schedd/log.h>
#include <schedd/loop.h>
#include "base/value.h"
#include "executor/function_table.h"
#include "executor/output.h"
#include "loop/mailbox.h"
#include "model/job.h"
#include "model/run.h"

struct executor;
struct executor_ops;
struct spawn;
struct spawn_inherit;
struct spawn_result;
struct worker_config;
struct spawner_pool;
struct task;

/* See spawn() in spawn.h. */
typedef void (*spawn_fn)(const struct spawn *spawn, struct spawn_result *result);

/* How an attempt ended. */
struct task_result {
	bool started;  /* false: it could not be started; reason says why */
	int exit_code; /* -1: none */
	int signal;    /* 0: none */
	int64_t
	    max_rss; /* bytes; 0: not measured. A program smaller than schedd shows schedd's size */
	int64_t cpu_us;     /* user and system time */
	const char *reason; /* in words, valid during the call; NULL: none */
	const char *value;  /* JSON of what a call returned, see run.h; likewise */
	bool refused;       /* not started: its account may not run anything now, as PAM says */
	bool lost;          /* ended with a process that others shared, by no fault of its own */
};

/* One attempt. The caller owns it, fills it all, and frees it after done. */
struct task_request {
	struct schedd_job *job; /* what to do; a reference is held until done */
	const char *run_id;     /* "backup/42" */
	schedd_time scheduled_at;
	uint32_t attempt;
	const struct job_pairs *extra_env;  /* run -e K=V; NULL: none */
	const char *socket;                 /* SCHEDD_SOCKET; NULL: none */
	const char *invocation; /* SCHEDD_INVOCATION, see process_census.h; NULL: any will do */
	uint64_t epoch;      /* SCHEDD_EPOCH, of the node that began it; 0: none */
	const char *secrets; /* name of a directory for its secrets, see secret.h; NULL: any */
	struct output *output;              /* takes what it writes; NULL: thrown away */
	schedd_time start_by;               /* later is too late; SCHEDD_TIME_NONE: never */
	const struct trigger_context *time; /* zone for SCHEDD_SCHEDULED_AT; NULL: UTC */
	/*
	 * The program runs (pid 0: there is no process). On the loop's thread, before
	 * executor_start() returns or any time later; not if it cannot be started.
	 */
	void (*started)(pid_t pid, uint64_t pid_start, void *context);
	/*
	 * It does not begin for now; what it waits for may take any time. Called inside
	 * executor_start() at most, and once. NULL: nobody is told.
	 */
	void (*waits)(void *context);
	/*
	 * It is about to begin. False: not this way, and executor_release() was called meanwhile.
	 * NULL: it may always.
	 */
	bool (*begins)(void *context);
	/*
	 * The attempt is over: exit status and the end of its output are both in.
	 * Exactly once, on the loop's thread; the task is gone then.
	 */
	void (*done)(const struct task_result *result, void *context);
	void *context;
};

struct executor_config {
	const char *name;     /* alias: "default"; copied */
	const char *type;     /* "subprocess", "function", "threadpool", "worker", or a module */
	uint32_t max_workers; /* attempts at one time; 0: no limit */
	struct schedd_loop *loop;
	struct mailbox *mailbox;                /* for "threadpool" */
	const struct schedd_log *log;           /* NULL: silent */
	const struct schedd_clock *clock;       /* NULL: the system's */
	struct function_table *functions; /* for calls; NULL: there are none */
	schedd_span drain; /* how long output may outlive the main process; 0: 2 s */
	const struct spawn_inherit
	    *inherit;       /* how schedd was started; copied; NULL: as it is now */
	/* Told when it cannot run anything, and why; reason NULL: it can again. NULL: nobody is. */
	void (*tell)(const char *name, const char *reason, void *context);
	void *tell_context;
	const char *socket; /* SCHEDD_SOCKET of workers; borrowed; NULL: none */
	const struct worker_config *worker; /* for "worker"; copied; NULL: defaults */
	struct spawner_pool *spawners; /* who starts processes; must outlive it; NULL: its own */
	schedd_span start_limit; /* for a look-up of an account, and of its own spawners (see spawner_pool.h);
				    0: 10 s */
	spawn_fn start_by;             /* of its own: instead of helpers; a seam for faults; NULL: none */
	const char *cgroup; /* directory under which attempts get control groups (see cgroup.h);
			       copied; NULL: none */
};

/* 0, or SCHEDD_EINVAL: no type is called so, nor is there a module of that name. */
int executor_type_check(const char *type, struct schedd_error *err)
    __attribute__((warn_unused_result));
int executor_open(const struct executor_config *config, struct executor **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Nothing may be running any more. NULL is fine. */
void executor_close(struct executor *executor);
uint32_t executor_max_workers(const struct executor *executor);
/* Do its calls write what is to be kept? */
bool executor_has_output(const struct executor *executor);
/*
 * Replaces what it keeps running, once that has ended what it does, and tries again what failed.
 * SCHEDD_EINVAL: it keeps nothing.
 */
bool executor_can_restart(const struct executor *executor);
int executor_restart(struct executor *executor, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Can it do a job of that kind? SCHEDD_EINVAL says what can. */
int executor_accepts(const struct executor *executor, const struct schedd_job *job,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Starts an attempt. The caller keeps to max_workers (executor_busy). Failing
 * to start is told through done, never by a return value; done may be called
 * before this returns. NULL only if done was called already.
 */
struct task *executor_start(struct executor *executor, const struct task_request *request);
/*
 * Sends a signal to everything the attempt started: process group, control
 * group and descendants that changed their session; also after its main
 * process ended. Before it runs a signal that ends calls it off, and others wait
 * until it does; done is never called inside. SCHEDD_EFAILED where it cannot be
 * stopped (a C function that runs).
 */
int executor_signal(struct task *task, int signal, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Can attempts outlive this program, in the hands of the next one in this process? */
bool executor_can_release(const struct executor *executor);
/*
 * Lets go of an attempt that was told to be started, without ending it: the task is gone, done is not
 * called. The map is for executor_resume() in the program that this process
 * executes next; its members that end in _fd are descriptors, the caller's.
 */
struct value executor_release(struct task *task, struct arena *arena);
/*
 * Takes up an attempt that executor_release() let go of; neither started nor,
 * before this returns, done is called. NULL and *err if it cannot.
 */
struct task *executor_resume(struct executor *executor, const struct task_request *request,
    const struct value *from, struct schedd_error *err);
/* Why an attempt that was told to be started has not begun, in words; NULL: nobody knows. */
const char *executor_waits(const struct task *task);
/* How many attempts are under way. */
uint32_t executor_busy(const struct executor *executor);
/* Is it a child that this executor waits for? For a child subreaper (see process_tree.h). */
bool executor_owns(const struct executor *executor, pid_t pid);
/* {"name","type","max_workers","running"} */
struct value executor_status(const struct executor *executor, struct arena *arena);

#endif
