/* SPDX-License-Identifier: MIT */
/* What a run that has not ended is made of; for the files of this room. */
#ifndef SCHEDD_CORE_RUNS_RUN_LIVE_STATE_H
#define SCHEDD_CORE_RUNS_RUN_LIVE_STATE_H

#include "core/runs/run_live.h"

struct run_live {
	struct run run; /* run.job is borrowed from job */
	struct schedd_scheduler *scheduler;
	struct entry *entry;      /* NULL: the job was removed meanwhile */
	struct schedd_job *job;   /* the definition it was made with; one reference */
	struct store_slot *store; /* where its row goes */
	struct executor_slot *executor;
	struct group_slot *group; /* that it waits for or is in; NULL: none */
	struct account_slot *owner;   /* whose run it is; NULL: the daemon's own */
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
	bool frozen;            /* held for as long as its job moves to another store, or its account may not */
	bool stalled;           /* it has its turn, but its store cannot be written */
	bool marked;            /* its row says that it may have begun; see mark.h */
	bool expected;          /* counted by admission_expect() */
	bool noted;             /* the store has a note of it; see run_note.h */
	bool holds_account;     /* counted in account->running */
	bool in_time;           /* it was at its executor in time, whatever that makes of it */
	bool late;              /* others have its job since: it is lost, and what it does is told late */
	bool held_by_dead;      /* stands for a process of a dead daemon */
	bool announced;         /* run_started was told for this attempt */
	bool killing;           /* SIGKILL is next, or sent */
	schedd_time due_at;     /* when it should have started; SCHEDD_TIME_NONE: not by a time */
	struct heap_node queue; /* in a group's or an executor's queue */
	int64_t turn;           /* its key in the executor's, once it was taken out for a mark */
	struct run_live *next_unwritten, **unwritten; /* scheduler->runs.unwritten; NULL: not in it */
	struct run_live **mark; /* its place in the marks under way; NULL: none */
	struct timer timer;     /* time-out, SIGKILL or the next attempt */
	struct task *task;
	struct adopted *adopted; /* the process of a dead daemon; NULL: none */
	struct output *output;
	struct job_pairs extra_env; /* of this run alone; owned */
	uint16_t id_length;         /* of the job's part of its id */

	/* What follows needs no clearing. */
	struct task_request request;             /* while it is at an executor */
	char invocation[PROCESS_INVOCATION + 1]; /* likewise, or adopted */
	char secrets[INVOCATION_PLACE];          /* where its secrets are then */
	char id[RUN_LIVE_ID_MAX];                /* "backup/42" */
};

/* Whose node or timer that is. */
struct run_live *run_live_of_queue(struct heap_node *node);
struct run_live *run_live_of_timer(struct timer *timer);

#endif
