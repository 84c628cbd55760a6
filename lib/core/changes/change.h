/* SPDX-License-Identifier: MIT */
/*
 * A requested change of one job: waits until no commit for that job is under
 * way, is checked against the job as it is then, written, and takes effect and
 * is answered when it is durable.
 */
#ifndef SCHEDD_CORE_CHANGES_CHANGE_H
#define SCHEDD_CORE_CHANGES_CHANGE_H

#include "core/jobs/entry.h"

struct change;
struct move_item;
struct restore_item;

/* What begin() came to, besides an error code. */
enum change_step {
	CHANGE_COMMIT = 0,  /* change->batch is to be committed */
	CHANGE_DONE = 1,    /* nothing to write: change->result is the answer */
	CHANGE_CLAIMED = 2, /* a claim took the change with it and will call change_finish() */
};

struct change_ops {
	const char *name; /* for the log */
	/* Checks it and fills job, state and batch. An enum change_step or an error code. */
	int (*begin)(struct change *change, struct schedd_error *err);
	/* It is durable: puts it into effect and tells the listeners. */
	void (*finish)(struct change *change);
	/* It failed (change->failed): gives back what begin took. NULL: nothing. */
	void (*fail)(struct change *change);
};

struct change {
	struct entry_waiter waiter; /* in the line of its entry; first */
	const struct change_ops *ops;
	struct schedd_scheduler *scheduler;
	struct change *next; /* of the same job file */
	struct arena arena;  /* holds what must outlive the call */
	struct scheduler_actor actor;
	struct scheduler_reply reply;
	const char *id; /* of the job */
	bool parked;    /* it has waited: arguments were copied */
	bool fresh;     /* shared: the job was read before it, or it is what was read */
	uint32_t tries; /* shared: how often another was faster */
	bool lent;      /* its own memory is an arena's */

	/* Arguments, as the kind of change needs them. */
	const struct value *fields; /* borrowed until parked */
	const struct value *kept;   /* shared: a copy of them, for another try; NULL: none */
	const char *text;           /* reason of a pause, new id of a rename */
	struct schedd_job *given;   /* a definition instead of fields; one reference */
	struct job_state given_state;
	char *given_raw; /* what is stored of a definition that cannot be read; owned */
	struct restore_item *restore; /* of a backup */
	struct move_item *move;   /* of a move to another store */
	struct job_pairs env; /* for one run; owned */
	schedd_time when;
	schedd_time scheduled_at;      /* of a run */
	const char *note;              /* in arena: of a run that follows another; NULL: none */
	struct store_slot *note_store; /* where it is; see follow.h */
	unsigned flags;
	uint32_t revision;
	int failed;          /* the error code */
	uint64_t failures;   /* of note_store, when the change was made */
	uint32_t left; /* runs that go on without the job that is removed */
	enum run_trigger trigger;
	bool purge, kill, run_missed, force;
	bool automatic; /* a resumption by paused_until */
	bool made_id;   /* the id is the scheduler's own making */
	bool owed;      /* see change_owe() */

	/* What begin() made of them. */
	struct entry *entry;
	struct entry *other;    /* the placeholder of a new id */
	struct schedd_job *job; /* the new definition; one reference; NULL: the old one stays */
	struct job_state state; /* the new state, with texts of its own */
	uint32_t last_run;      /* an id that comes back: where its numbers go on, from the store */
	schedd_time now;        /* that its trigger was read with */
	struct store_slot *store;
	struct store_batch *batch;
	bool shared_batch;   /* batch belongs to a job file's commit */
	char *pause_text;    /* who paused it and why; owned */
	struct value result; /* in arena */
};

/* NULL: no memory, and the reply was called. actor's method is copied. */
struct change *change_new(struct schedd_scheduler *scheduler, const struct change_ops *ops,
    const char *id, const struct scheduler_actor *actor, struct scheduler_reply reply);
/*
 * In memory of the arena, which has to outlive it, as has the actor's method:
 * of hundreds of thousands none lies between what stays. Nobody is answered.
 */
struct change *change_new_in(struct arena *arena, struct schedd_scheduler *scheduler,
    const struct change_ops *ops, const char *id, const struct scheduler_actor *actor);
/* Answers with an error and frees it; instead of change_submit(). */
void change_abandon(struct change *change, int rc, const struct schedd_error *err);
/* Takes the change. */
void change_submit(struct change *change);
/* For claims: the commit of the change's run came back. Frees the change. */
void change_finish(struct change *change, int rc, const struct schedd_error *err);
/* An entry's commit is over: it is planned anew and the changes in line go on. May free the entry.
 */
void change_idle(struct schedd_scheduler *scheduler, struct entry *entry);
/* The store cannot be used for now: requests in line behind its commits are told so. */
void change_store_away(struct store_slot *slot);
/* The job is gone: frees the entry; what waited for it is looked up again by its id. */
void change_drop_entry(struct change *change);
/* Copies the record of the entry's state into change->state to work on. 0 or SCHEDD_ENOMEM. */
int change_copy_state(struct change *change, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Moves change->state (and job, if any) into the entry. */
void change_apply(struct change *change);
/* An event of the change, kept in the job's record of changes as well when batch is given. */
void change_event(struct change *change, enum schedd_event_code code, const char *error);
void change_record(struct change *change, enum schedd_event_code code, const char *detail);
/*
 * Of a store that is shared, for begin(), before the job is put into the batch:
 * it is good only while the job is stored as it is known here, and its revision
 * rises, so that no claim by the old one holds.
 */
void change_guard(struct change *change);
/* Its store is to know what the server before had: until it has ended, however, that is counted there. */
void change_owe(struct change *change);
/* Frees a change that was never submitted; nothing is answered. */
void change_free(struct change *change);
/* Sets change->result to the job as it is now. */
void change_answer_job(struct change *change);

/* For begin(): sets change->entry and store; SCHEDD_ENOTFOUND. */
int change_find(struct change *change, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* The same for changes that need its definition: SCHEDD_ECONFLICT if that could not be read. */
int change_find_valid(struct change *change, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
