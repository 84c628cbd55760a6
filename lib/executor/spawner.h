/* SPDX-License-Identifier: MIT */
/*
 * One small program that starts jobs (spawner_main.c), and what was asked of
 * it and is not answered. Who gets which start is the pool's business
 * (spawner_pool.h).
 */
#ifndef SCHEDD_EXECUTOR_SPAWNER_H
#define SCHEDD_EXECUTOR_SPAWNER_H

#include <schedd/clock.h>
#include <schedd/loop.h>
#include "executor/spawn.h"
#include "executor/spawner_page.h"

struct spawner;

/* A start that is under way. */
struct spawner_start {
	struct spawner_start *next, *previous; /* in the pool's queue */
	struct spawner *spawner;               /* that has it; NULL: none yet */
	unsigned slot;                         /* of that one */
	uint64_t turn;                         /* its place among the starts of that one */
	void *packed;                          /* owned; NULL: taken by nobody else */
	size_t size;
	int fds[SPAWN_FDS]; /* owned */
	uid_t uid;          /* whom it runs as */
	uint64_t deal;      /* its turn among the starts of all accounts */
	unsigned tries;     /* spawners that were lost over it */
	struct schedd_mono asked;
	void (*done)(struct spawner_start *start, const struct spawn_result *result);
};

/* Gives back what it holds; twice is fine. */
void spawner_start_clear(struct spawner_start *start);

/* The sentence for a failed one, before it is cleared. */
int spawner_start_explain(const struct spawner_start *start, const struct spawn_result *result,
    struct schedd_error *err) __attribute__((warn_unused_result));

struct spawner_place {
	struct schedd_loop *loop;
	const struct spawn_inherit *inherit;
	const cpu_set_t *cpus; /* affinity of this process */
	int program;           /* its file, O_PATH */
	int cpu;               /* -1: any */
};

/*
 * Runs the program. heard is called when something came from it, or it is
 * gone; the spawner may be freed inside. NULL and *err on failure.
 */
struct spawner *spawner_new(const struct spawner_place *place,
    void (*heard)(struct spawner *spawner, void *context), void *context,
    struct schedd_error *err);
/* Ends the program, which is reaped here if that is at once; else *pid gets it (0: none). */
void spawner_free(struct spawner *spawner, pid_t *pid);

/* How many starts it has. */
unsigned spawner_busy(const struct spawner *spawner);
/* Has it said that it works? */
bool spawner_ready(const struct spawner *spawner);
/* When it last answered, or got its first start. */
struct schedd_mono spawner_progress(const struct spawner *spawner);
int spawner_cpu(const struct spawner *spawner);
pid_t spawner_pid(const struct spawner *spawner);
int spawner_socket(const struct spawner *spawner);
/* False: it takes no more now. */
bool spawner_ask(struct spawner *spawner, struct spawner_start *start, struct schedd_mono now);
/*
 * Takes what it has done: answered is called for each start that is answered, which it has no more then,
 * and with NULL for the process of one that was called off before there was any.
 */
void spawner_settle(struct spawner *spawner, struct schedd_mono now,
    void (*answered)(struct spawner_start *start, const struct spawn_result *result, void *context),
    void *context);
/* The same when it has said something. False: the program is gone, or may as well be. */
bool spawner_hear(struct spawner *spawner, struct schedd_mono now,
    void (*answered)(struct spawner_start *start, const struct spawn_result *result, void *context),
    void *context);
/* The latest of its starts; NULL: it has none. */
struct spawner_start *spawner_last(const struct spawner *spawner);
/* Takes the latest of its starts back if that is not begun; NULL: it is, or there is none. */
struct spawner_start *spawner_take_back(struct spawner *spawner);
/* The one that it is at; NULL: none of them is begun. */
struct spawner_start *spawner_holder(const struct spawner *spawner);
/* Is it done with it, and only has not said so? */
bool spawner_answered(const struct spawner_start *start);

/* How much of a start had been done when it was to be called off. */
enum spawner_revoked {
	SPAWNER_NOT_BEGUN, /* it can be given to another */
	SPAWNER_PREPARED,  /* it did not run and will not; pid of its process in the result, or 0 */
	SPAWNER_EXECUTING, /* it may be running: pid in the result */
};
/* Calls a start off: the spawner has it no more, unless it executes. */
enum spawner_revoked spawner_revoke(struct spawner_start *start, struct spawn_result *result);
/* The spawner has it no more, whatever becomes of it. */
void spawner_drop(struct spawner_start *start);
/* The process that is being made for a start that is under way; 0: none yet. */
pid_t spawner_child(const struct spawner_start *start);
/* Has its program been executed, whatever the spawner says? */
bool spawner_executed(const struct spawner_start *start);
/* Does that process only wait for a CPU? */
bool spawner_starved(const struct spawner_start *start);

#endif
