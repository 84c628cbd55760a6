/* SPDX-License-Identifier: MIT */
/*
 * The scheduler for embedders.
 *
 * Three ways to run it: schedd_scheduler_run() blocks; schedd_scheduler_start_thread()
 * runs it in a thread of its own; with a loop given in the options it is driven
 * by that loop (schedd_scheduler_start()). The calls below block until the
 * change is durable and may be made from the loop's thread, or from any thread
 * while it runs in its own. Stores, executors and functions may be added at any
 * time, too.
 */
#ifndef SCHEDD_SCHEDULER_H
#define SCHEDD_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <schedd/clock.h>
#include <schedd/error.h>
#include <schedd/event.h>
#include <schedd/executor.h>
#include <schedd/export.h>
#include <schedd/job.h>
#include <schedd/log.h>
#include <schedd/loop.h>

SCHEDD_BEGIN

struct schedd_scheduler;
struct schedd_listener;

/* Zero-initialise; what is left 0 or NULL takes its default. */
struct schedd_scheduler_options {
	struct schedd_loop *loop;	  /* stays yours; NULL: one of its own */
	const struct schedd_clock *clock; /* stays yours; NULL: the machine's */
	const struct schedd_log *log;	  /* stays yours; NULL: silent */
	const char *timezone;		  /* IANA name; NULL: the machine's own zone */
	const char *state_dir;		  /* for kept output; NULL: it goes when its run has ended */
	const char *socket;		  /* told to commands as SCHEDD_SOCKET; NULL: none */
};

/*
 * With a store "default" in memory, and executors "default" (subprocess) and
 * "function", unless you add others under these names before it starts.
 */
SCHEDD_API int schedd_scheduler_new(const struct schedd_scheduler_options *options,
    struct schedd_scheduler **out, struct schedd_error *err);
/* Stops without waiting if it still runs. NULL is fine. */
SCHEDD_API void schedd_scheduler_free(struct schedd_scheduler *scheduler);

/* type "memory" or "sqlite" (path: the database file). */
SCHEDD_API int schedd_scheduler_add_store(struct schedd_scheduler *scheduler, const char *name,
    const char *type, const char *path, struct schedd_error *err);
/* type "subprocess", "function" or "threadpool"; max_workers 0: the type's default. */
SCHEDD_API int schedd_scheduler_add_executor(struct schedd_scheduler *scheduler, const char *name,
    const char *type, unsigned max_workers, struct schedd_error *err);
/* Makes a C function callable by jobs under a name. context stays yours. */
SCHEDD_API int schedd_scheduler_register(struct schedd_scheduler *scheduler, const char *name,
    schedd_function function, void *context, struct schedd_error *err);

/* Loads the stores and begins. Needs a loop in the options. */
SCHEDD_API int schedd_scheduler_start(struct schedd_scheduler *scheduler, struct schedd_error *err);
/* start, then runs until schedd_scheduler_stop(). */
SCHEDD_API int schedd_scheduler_run(struct schedd_scheduler *scheduler, struct schedd_error *err);
/* start, in a thread that ends with schedd_scheduler_stop(). */
SCHEDD_API int schedd_scheduler_start_thread(
    struct schedd_scheduler *scheduler, struct schedd_error *err);
/*
 * Schedules nothing more, waits up to limit µs for runs that are going on
 * (SCHEDD_SPAN_NONE: for ever), then ends them, and returns when all is stored.
 * From a listener or job function it only asks for that and returns at once.
 */
SCHEDD_API void schedd_scheduler_stop(struct schedd_scheduler *scheduler, schedd_span limit);

/* Shares the job, gives it an id if it has none. SCHEDD_ECONFLICT: the id is taken. */
SCHEDD_API int schedd_scheduler_add(
    struct schedd_scheduler *scheduler, struct schedd_job *job, struct schedd_error *err);
/* The same, but a job with that id is changed into this one. */
SCHEDD_API int schedd_scheduler_replace(
    struct schedd_scheduler *scheduler, struct schedd_job *job, struct schedd_error *err);
/* Gives it another trigger, which stays yours too. */
SCHEDD_API int schedd_scheduler_reschedule(struct schedd_scheduler *scheduler, const char *id,
    struct schedd_trigger *trigger, struct schedd_error *err);
/* changes: a JSON map of fields. */
SCHEDD_API int schedd_scheduler_modify(struct schedd_scheduler *scheduler, const char *id,
    const char *changes, struct schedd_error *err);
SCHEDD_API int schedd_scheduler_remove(
    struct schedd_scheduler *scheduler, const char *id, struct schedd_error *err);
SCHEDD_API int schedd_scheduler_pause_job(
    struct schedd_scheduler *scheduler, const char *id, struct schedd_error *err);
SCHEDD_API int schedd_scheduler_resume_job(
    struct schedd_scheduler *scheduler, const char *id, struct schedd_error *err);
/* Now, whatever its trigger says. *run (may be NULL) gets the run number. */
SCHEDD_API int schedd_scheduler_run_job(struct schedd_scheduler *scheduler, const char *id,
    uint32_t *run, struct schedd_error *err);
/* The job as JSON, to free(); NULL: no such job or no memory. */
SCHEDD_API char *schedd_scheduler_get(struct schedd_scheduler *scheduler, const char *id);
/*
 * All jobs, or those whose id matches a pattern with * and ?, as a JSON list in
 * the order of ids, to free().
 */
SCHEDD_API int schedd_scheduler_list(struct schedd_scheduler *scheduler, const char *pattern,
    char **json, struct schedd_error *err);
/*
 * Runs of a job (NULL: of all), newest first, those that go on too, as a JSON
 * list, to free(). limit 0: 100.
 */
SCHEDD_API int schedd_scheduler_history(struct schedd_scheduler *scheduler, const char *id,
    unsigned limit, char **json, struct schedd_error *err);
enum schedd_stream {
	SCHEDD_STREAM_ALL, /* both, as they came */
	SCHEDD_STREAM_STDOUT,
	SCHEDD_STREAM_STDERR,
};
/*
 * What a run has written so far, or had: *length bytes and a NUL, to free().
 * Output of a run that has ended is kept where options had a state_dir.
 */
SCHEDD_API int schedd_scheduler_output(struct schedd_scheduler *scheduler, const char *id,
    uint32_t run, enum schedd_stream stream, char **bytes, size_t *length,
    struct schedd_error *err);
/*
 * Signals a run, or all runs of the job (run 0). signal 0: the job's
 * kill_signal, and SIGKILL after its kill_after.
 */
SCHEDD_API int schedd_scheduler_kill(struct schedd_scheduler *scheduler, const char *id,
    uint32_t run, int signal, struct schedd_error *err);
/*
 * Returns when the run has ended, at once if it has; *exit_code (may be NULL)
 * is -1 where it has none. SCHEDD_ETIMEOUT after limit µs (SCHEDD_SPAN_NONE: no
 * limit). Not from a listener or job function, nor with a loop in the options:
 * SCHEDD_ECONFLICT.
 */
SCHEDD_API int schedd_scheduler_wait(struct schedd_scheduler *scheduler, const char *id,
    uint32_t run, schedd_span limit, int *exit_code, struct schedd_error *err);
/* Of all jobs; runs go on, nothing new starts. */
SCHEDD_API int schedd_scheduler_pause(struct schedd_scheduler *scheduler, struct schedd_error *err);
SCHEDD_API int schedd_scheduler_resume(struct schedd_scheduler *scheduler, struct schedd_error *err);

/* mask: set of enum schedd_event_code. NULL: no memory. */
SCHEDD_API struct schedd_listener *schedd_scheduler_listen(struct schedd_scheduler *scheduler,
    unsigned mask, schedd_listener_fn call, void *context);
/* Allowed inside the listener itself. */
SCHEDD_API void schedd_scheduler_unlisten(struct schedd_listener *listener);

/*
 * For a loop of your own without an adapter: wait until schedd_scheduler_fd()
 * is readable or the wall clock reaches schedd_scheduler_next_wake(), then call
 * schedd_scheduler_process(). Only for a scheduler made without a loop.
 */
SCHEDD_API int schedd_scheduler_fd(struct schedd_scheduler *scheduler);
/* SCHEDD_TIME_NONE: nothing is planned. */
SCHEDD_API schedd_time schedd_scheduler_next_wake(const struct schedd_scheduler *scheduler);
SCHEDD_API void schedd_scheduler_process(struct schedd_scheduler *scheduler);

SCHEDD_END

#endif
