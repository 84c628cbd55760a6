/* SPDX-License-Identifier: MIT */
/* What a pool and its workers know of each other; for worker.c and worker_pool*.c alone. */
#ifndef SCHEDD_EXECUTOR_WORKER_STATE_H
#define SCHEDD_EXECUTOR_WORKER_STATE_H

#include "executor/worker_circuit.h"
#include "executor/worker_log.h"
#include "executor/worker_pool.h"
#include "executor/worker_process.h"
#include "loop/alarm.h"

#define WORKER_REASON 256

enum worker_stage {
	WORKER_STARTING, /* until it says worker.ready */
	WORKER_READY,
	WORKER_RETIRING, /* gets no new calls; ends when it has none */
	WORKER_LEAVING,  /* was told to end */
	WORKER_CLOSED,   /* it closed its socket: it ends, or will be killed */
	WORKER_KILLED,   /* SIGKILL was sent */
	WORKER_GONE,     /* its process has ended; it goes when its calls are told */
};

/* A call on its way. */
struct worker_task {
	struct task task;
	struct worker_pool *pool;
	struct worker_task *next, *previous; /* among those that wait */
	struct worker *worker;               /* NULL: it waits for one */
	uint32_t msgid;
	int signal;  /* it was asked to end with; 0: none */
	bool killed; /* its worker was killed because of it */
};

/* A process and its calls. */
struct worker {
	struct worker_pool *pool;
	struct worker *next, *previous; /* the last that was busy first */
	struct worker_process *process;
	struct worker_task **seats; /* one a call; NULL: free */
	uint32_t seat_count, busy;
	uint32_t number;  /* counts up in a pool, for the log */
	uint32_t serial;  /* of msgids */
	uint64_t served;  /* calls that it has ended */
	uint32_t ping;    /* msgid of one that is not answered; 0: none */
	bool ready;       /* it has said that it is */
	bool late;        /* it was killed because it did not get ready in time */
	enum worker_stage stage;
	struct schedd_mono born;
	struct schedd_mono since; /* idle since */
	struct schedd_mono by;    /* STARTING: to be ready; LEAVING, CLOSED: to be gone */
	struct schedd_mono pong_by;
	struct schedd_mono weighed; /* when its memory was last looked at */
	struct worker_log log;
	char reason[WORKER_REASON]; /* why it fails, or was killed; "": not known */
};

struct worker_pool {
	struct executor *executor;
	struct worker_world *world;
	const struct worker_config *config; /* the world's */
	char *user;                         /* NULL: the config's */
	struct worker *workers;
	struct worker_task *waiting, *waiting_last;
	struct alarm *alarm;
	struct schedd_mono armed; /* what the alarm is set to; INT64_MAX: not set */
	struct worker_circuit circuit;
	struct arena arena; /* of the call that is being sent */
	uint64_t starts, served;
	uint32_t numbers;
	uint32_t min; /* processes kept even when idle */
	bool closing;
	/* Gives waiting calls to workers, starts workers for the rest, sets the alarm. */
	void (*turn)(struct worker_pool *pool);
};

struct schedd_mono worker_state_now(const struct worker_pool *pool);
void worker_state_wait(struct worker_pool *pool, struct worker_task *task);
/* Before all others: one that may begin, or whose worker went before it began. */
void worker_state_wait_first(struct worker_pool *pool, struct worker_task *task);
/* Takes a waiting call out of the queue. */
void worker_state_unwait(struct worker_pool *pool, struct worker_task *task);
/* Says of a pool that fails, or works again, in log, status and an event. */
void worker_state_failed(struct worker_pool *pool, const char *reason, bool at_once);
/* Frees the task and tells its end. */
void worker_state_end_task(struct worker_task *task, const struct task_result *result);

/* NULL and *err: it could not be started. */
struct worker *worker_new(struct worker_pool *pool, struct schedd_error *err);
/* One around a process of the program before. */
struct worker *worker_resume(struct worker_pool *pool, const struct value *from, struct schedd_error *err);
/* Unlinks it; its process, if it still runs, is killed, or let go. */
void worker_free(struct worker *worker, bool let_go);
bool worker_has_room(const struct worker *worker);
/* Sends a call; false: there is no memory for it. */
bool worker_give(struct worker *worker, struct worker_task *task);
/* Seats a call that is under way. SCHEDD_ENOMEM. */
int worker_seat(struct worker *worker, struct worker_task *task, uint32_t msgid);
void worker_cancel(struct worker *worker, const struct worker_task *task);
/* reason: for its calls. */
void worker_kill(struct worker *worker, const char *reason);
/* No further calls; ends at once if it has none. */
void worker_retire(struct worker *worker);
/* Does what is due by its age, memory and count of calls, once it is idle. */
void worker_review(struct worker *worker, struct schedd_mono now);
/* When worker_review() is to be called next; INT64_MAX: never. */
struct schedd_mono worker_due(const struct worker *worker, struct schedd_mono now);

#endif
