/* SPDX-License-Identifier: MIT */
/* What the files of a split store share. All of it is the loop's thread's. */
#ifndef SCHEDD_STORE_STORE_SPLIT_PARTS_H
#define SCHEDD_STORE_STORE_SPLIT_PARTS_H

#include "base/strmap.h"
#include "loop/alarm.h"
#include "store/store_batch.h"
#include "store/store_letter.h"
#include "store/store_query.h"
#include "store/store_split.h"

/* Texts of the job store: what happened in one batch, on its way to the history. */
#define SPLIT_NOTE_PREFIX "history."
/* Places of rows on hand, behind all that a history gives. */
#define SPLIT_SERIAL (UINT64_C(1) << 62)
/* Rows that may wait for the history; beyond it the oldest are given up. */
#define SPLIT_WAITING_MAX 100000

/* A run on hand: it goes on, or waits for the history to take its row. */
struct split_row {
	char *id;       /* "JOB/N", owned: its key */
	struct run run; /* owned */
	uint64_t serial;
	uint32_t waiting; /* items of it in the queue; 0: it goes on */
	uint64_t place;   /* of the last of these */
	bool purged;      /* it waits only to be deleted behind that */
};

/* What the history does not have yet, oldest first: a run that is over, or a note. */
struct split_item {
	struct split_item *next;
	struct split_row *row; /* NULL: a note */
	struct run run;        /* as it is to be written */
	char *key;             /* of the note in the job store */
	char *text;            /* JSON */
	uint64_t place;        /* in the order of all */
	bool found;            /* it was there when the store was read: it may be in the history */
	bool alone;            /* it may be refused, and goes by itself */
};

/* What the job store need not keep any more. */
struct split_gone {
	struct split_gone *next;
	char *key;       /* of a note, or the job of a row */
	uint32_t number; /* of a row; 0: a note */
};

/* A batch that waits for its turn, or is with the job store. */
struct split_batch {
	struct split_batch *next;
	struct split *split;
	struct store_batch *outer;
	uint32_t questions; /* to the history that were not answered */
	int rc;             /* why it must fail */
	struct schedd_error err;
	struct split_item *notes, **last_note; /* that go along with it */
};

struct split_question {
	struct store_letter base; /* first; its store is the split one */
	struct split *split;
	struct split_question *next; /* of those that wait */
	uint64_t after_batches;      /* given before it was asked */
	uint64_t after_items;        /* queued when these were answered; UINT64_MAX: they were not */
	void (*go)(struct split_question *question);
	void (*tell)(struct split_question *question);
	/* Of all kinds what each needs. */
	struct store_run_query query;
	struct store_query own; /* the same as rows on hand are judged by it */
	struct run *rows;       /* on hand, in the order of the answer; in the arena */
	size_t row_count;
	const char *job;
	schedd_time since;
	uint64_t limit;
	struct store_retention retention;
	uint32_t budget;
	int64_t number;
	int rc;
	struct schedd_error err;
	store_runs_fn runs_call;
	store_value_fn value_call;
	store_number_fn number_call;
	store_done_fn done_call;
	void *context;
};

/* A commit of the history, which may outlive us. */
struct split_moving {
	struct split *split; /* NULL: closed */
};

struct split {
	struct store base;    /* first */
	struct store_ops ops; /* what base.ops is */
	struct store *jobs;
	struct store *history; /* not owned */

	struct split_batch *held, **held_last; /* not given to the job store yet */
	uint64_t given, taken;                 /* batches: handed to us, answered by the job store */

	struct strmap rows;
	uint64_t row_serial;
	struct split_item *items, **items_last;
	uint32_t item_count;
	uint64_t item_place; /* of the last item queued */
	uint64_t sent_place; /* of the last item handed to the history */
	uint64_t note_serial; /* of the last note; begins at the time of opening, so that it grows */
	struct split_moving *under_way; /* NULL: none */
	bool stale;          /* what is moved, or looked at, is not in the queue any more */
	uint64_t loaded_epoch; /* under which it was read */
	bool looking;        /* at whether a found note is in the history already */
	bool failing;        /* the history took nothing the last time */
	uint32_t one_by_one; /* items to be sent singly, since one of them is refused */
	schedd_span backoff;
	struct schedd_mono retry_at;
	struct alarm *alarm;
	uint64_t lost; /* rows given up */

	struct split_gone *gone, **gone_last;
	struct split_gone *forgetting; /* with the job store */
	bool recovering;               /* rows that are over may lie in the job store's own history */
	bool asked_rest;

	struct split_question *questions, **questions_last;

	store_load_fn load_call; /* while loading */
	store_loaded_fn loaded;
	void *load_context;
	bool closing;
	bool over; /* while closing: nothing more is moved */
	bool leaving;     /* it is closed without anybody waiting */
	bool jobs_leave;  /* likewise, and its store of jobs is told to */
	int64_t leave_by; /* likewise: mono microseconds from which on nothing more is moved */
	void (*turn)(struct split *split); /* everything that may go on now does */
};

/* ---- store_split_commit.c ---- */

void split_commit(struct store *store, struct store_batch *batch);
/* Gives the job store what is ready. */
void split_give(struct split *split);
void split_batch_free(struct split_batch *batch);

/* ---- store_split_note.c ---- */

/* What of the batch is not a run becomes notes. SCHEDD_ENOMEM. */
int split_note_write(struct split_batch *batch, struct schedd_error *err);
/* Puts what the note says into a batch of the history. */
int split_note_read(
    const char *text, struct store_batch *batch, struct schedd_error *err);
/* The first change of a note; false: there is none. job in the arena; NULL: none. */
bool split_note_change(
    const char *text, struct arena *arena, schedd_time *when, const char **job);
/* Does it rename? */
bool split_note_renames(const char *text);

/* ---- store_split_rows.c ---- */

/* A row the job store has: goes on, or joins the queue. */
int split_rows_take(struct split *split, const struct run *run, bool found);
void split_rows_rename(struct split *split, const char *from, const char *to);
/* number 0: all, or those up to upto. */
void split_rows_purge(struct split *split, const char *job, uint32_t number, uint32_t upto);
void split_rows_clear(struct split *split);
/* Takes the item. */
void split_items_add(struct split *split, struct split_item *item);
void split_item_free(struct split_item *item);
/* Of the first item: it is out of the queue and freed; gone: the job store may forget it. */
void split_items_drop(struct split *split, bool gone);
/* Texts and rows that were found when the store was read. */
void split_rows_found(struct split *split, const struct store_snapshot *snapshot);

/* ---- store_split_move.c ---- */

/* Hands the history what waits, and the job store what it may forget. */
void split_move(struct split *split);
void split_forget(struct split *split);
/* Looks for rows that are over in the job store's own history. */
void split_recover(struct split *split);

/* ---- store_split_ask.c ---- */

void split_runs(struct store *store, const struct store_run_query *query, store_runs_fn call,
    void *context);
void split_changes(struct store *store, const char *job, schedd_time since, uint64_t limit,
    store_value_fn call, void *context);
void split_stats(struct store *store, const char *job, schedd_time since, store_value_fn call,
    void *context);
void split_last_run(struct store *store, const char *id, store_number_fn call, void *context);
void split_retain(struct store *store, const char *job, const struct store_retention *retention,
    uint32_t budget, store_done_fn done, void *context);
void split_backup(struct store *store, const char *path, store_done_fn done, void *context);
/* Those whose turn it is are asked. */
void split_questions(struct split *split);

#endif
