/* SPDX-License-Identifier: MIT */
/*
 * A run that has not ended: its record, where it stands, and what is needed to
 * start, signal and end it. Freed ones are kept for reuse, so that a busy
 * second allocates nothing per fire.
 *
 * The stage is written by run_live_enter() alone.
 */
#ifndef SCHEDD_CORE_RUNS_RUN_LIVE_H
#define SCHEDD_CORE_RUNS_RUN_LIVE_H

#include "core/jobs/entry.h"
#include "core/runs/invocation.h"

#define RUN_LIVE_ID_MAX (JOB_ID_MAX + 12) /* "JOB/4294967295" and the NUL */

enum run_live_stage {
	RUN_LIVE_CLAIMING,      /* its claim is on the way to the store; nobody sees it yet */
	RUN_LIVE_HELD,          /* before all gates: its job is paused, or its store fails */
	RUN_LIVE_WAIT_INSTANCE, /* max_instances are going on */
	RUN_LIVE_WAIT_GROUP,    /* the group's limit is reached */
	RUN_LIVE_WAIT_WORKER,   /* its turn in the executor's queue has not come */
	RUN_LIVE_MARKING,       /* it has its turn; that it begins is on the way to the store */
	RUN_LIVE_STARTING,      /* handed to the executor */
	RUN_LIVE_RUNNING,
	RUN_LIVE_RETRYING, /* waits for its next attempt */
	RUN_LIVE_ENDED,
};

/* Why it is being ended before its time. */
enum run_live_stop {
	RUN_LIVE_GOES_ON,
	RUN_LIVE_TIMED_OUT,
	RUN_LIVE_KILLED,   /* by request */
	RUN_LIVE_REPLACED, /* overlap: replace */
	RUN_LIVE_SHUTDOWN,
};

struct run_live {
	struct run run; /* run.job is borrowed from job */
	struct schedd_scheduler *scheduler;
	struct entry *entry;      /* NULL: the job was removed meanwhile */
	struct schedd_job *job;   /* the definition it was made with; one reference */
	struct store_slot *store; /* where its row goes */
	struct executor_slot *executor;
	struct group_slot *group; /* that it waits for or is in; NULL: none */
	struct account_slot *account; /* that it waits for or is in; NULL: none */
	/* entry->runs, oldest first; the one before the first is the last. NULL without entry. */
	struct run_live *next_of_job, *prev_of_job;
	struct run_live *next, *prev;  /* scheduler->runs.live */
	struct run_live *next_claimed; /* of one claim, or the spare list */

	enum run_live_stage stage;
	enum run_live_stop stop;
	char *stop_reason;      /* owned; NULL: none */
	bool forced;            /* beyond max_instances and its group */
	bool holds_instance;    /* counted in entry->holding */
	bool holds_group;       /* counted in group->running */
	bool held;              /* its job was paused while it went on: it begins nothing */
	bool frozen;            /* held for as long as its job moves to another store */
	bool stalled;           /* it has its turn, but its store cannot be written */
	bool marked;            /* its row says that it may have begun; see mark.h */
	bool expected;          /* counted by admission_expect() */
	bool noted;             /* the store has a note of it; see run_note.h */
	bool holds_account;     /* counted in account->running */
	bool late;              /* others have its job since: it is lost, and what it does is told late */
	bool held_by_dead;      /* stands for a process of a dead daemon */
	bool announced;         /* run_started was told for this attempt */
	bool killing;           /* SIGKILL is next, or sent */
	schedd_time due_at;     /* when it should have started; SCHEDD_TIME_NONE: not by a time */
	struct heap_node queue; /* in a group's or an executor's queue */
	int64_t turn;           /* its key in the executor's, once it was taken out for a mark */
	struct run_live **mark; /* its place in the marks under way; NULL: none */
	struct timer timer;     /* time-out, SIGKILL or the next attempt */
	struct task *task;
	struct adopted *adopted; /* the process of a dead daemon; NULL: none */
	struct task_request request;
	struct output *output;
	struct job_pairs extra_env; /* of this run alone; owned */
	char invocation[PROCESS_INVOCATION + 1]; /* while it is at an executor, or adopted */
	char secrets[INVOCATION_PLACE];          /* where its secrets are then */
	char id[RUN_LIVE_ID_MAX];   /* "backup/42"; last, as it needs no clearing */
};

/* A run of the job with the next number, claiming. NULL: no memory. */
struct run_live *run_live_new(struct entry *entry, uint32_t number, enum run_trigger trigger);
/*
 * What its row says; its job and the node where it goes on stay what they are. SCHEDD_ENOMEM: it is
 * of no use but to be discarded.
 */
int run_live_take(struct run_live *live, const struct run *row) __attribute__((warn_unused_result));
/* Whose node or timer that is. */
struct run_live *run_live_of_queue(struct heap_node *node);
struct run_live *run_live_of_timer(struct timer *timer);
/* All that have not ended, by next; NULL: none. */
struct run_live *run_live_first(const struct schedd_scheduler *scheduler);
uint32_t run_live_count(const struct schedd_scheduler *scheduler);
/* Attempts under way. */
uint32_t run_live_attempts(const struct schedd_scheduler *scheduler);
/* Its process goes on without this program: see executor_release(). */
struct value run_live_let_go(struct run_live *live, struct arena *arena);
/* The job is removed: its runs go on without it. */
void run_live_orphan(struct entry *entry);
/* Lets go of the process of a dead daemon, if it stands for one. */
void run_live_release(struct run_live *live);
/* Takes it out of all lists; then it is freed. */
void run_live_unlink(struct run_live *live);
void run_live_free(struct run_live *live);
/* Its job lives in that store now, and so does its row. */
void run_live_move(struct run_live *live, struct store_slot *store);
/* A claim failed: as if it had never been. */
void run_live_discard(struct run_live *live);
void run_live_enter(struct run_live *live, enum run_live_stage stage);
/* The run is over: see run_ended_fn. */
void run_live_end(struct run_live *live, enum run_state state, const char *reason);
/* Writes its row as it is now to the store's outbox. */
void run_live_write(struct run_live *live);
/* Is it past its claim and has not begun, or not begun its next attempt? */
bool run_live_waits(const struct run_live *live);
/* Goes it on after a stop, in the next life? */
bool run_live_survives(const struct run_live *live);
/* An event about it, at that time; error may be NULL. */
void run_live_event(
    struct run_live *live, enum schedd_event_code code, schedd_time when, const char *error);
/* number 0: the oldest. NULL: no such run is going on. */
struct run_live *run_live_find(
    const struct schedd_scheduler *scheduler, const char *job, uint32_t number);
/* "its turn in executor default (8 workers busy)"; NULL: it waits for nothing. */
const char *run_live_waits_for(const struct run_live *live, char *text, size_t size);
/* Frees all of them and the spare ones, without a word. */
void run_live_free_all(struct schedd_scheduler *scheduler);
bool run_live_check(const struct schedd_scheduler *scheduler);

#endif
