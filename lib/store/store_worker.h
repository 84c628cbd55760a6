/* SPDX-License-Identifier: MIT */
/*
 * The thread of a store. Batches that wait are committed together; between two
 * such groups one piece of a longer task is done, so that no task holds up a
 * commit for longer than its pieces take. Batches that may be late wait some
 * milliseconds for others, where the last group is as young as that. Answers go
 * to the loop by mailbox.
 *
 * Batches that are given while the loop's thread holds the mailbox, which is as long as it is in the
 * scheduler, are handed over as one when it lets go: what one event brings about, say the end of a
 * run, the removal of its job and the start of what follows it, is one transaction.
 *
 * While it has nothing to do the thread sleeps without a time limit.
 */
#ifndef SCHEDD_STORE_STORE_WORKER_H
#define SCHEDD_STORE_STORE_WORKER_H

#include "store/store_batch.h"

struct store_worker;

/* A question or a chore. Embedded in what it needs. */
struct store_task {
	struct mailbox_letter letter; /* how its answer travels */
	struct store_task *next;      /* in the queue */
	struct store *store;          /* whose pending it counts in */
	/* On the thread: one piece of some milliseconds at most; true: there is more to do. */
	bool (*step)(struct store_task *task);
	/* On the loop's thread: answers, and frees the task. */
	void (*answer)(struct store_task *task);
};

/*
 * On the thread: stores the batches from first up to, not including, end (NULL:
 * to the last) as one, all or nothing, and fills in their verdicts. Batches that
 * ran out of memory are not among them. It may be called again for a part of
 * them after it failed.
 */
typedef int (*store_worker_commit_fn)(struct store *store, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err);

/* commit NULL: for tasks alone. The thread is called name (at most 15 bytes). */
struct store_worker *store_worker_new(
    struct store *store, const char *name, store_worker_commit_fn commit, struct schedd_error *err);
/*
 * For commit, when it has come to the last of a group (end NULL): a batch that
 * was queued meanwhile joins it, with those that were handed over with it, so that one
 * transaction serves what one reading of a socket brought.
 */
void store_worker_gather(struct store_worker *worker);
/*
 * On the thread: it has to wait for others, so that nobody should wait for it; until the group it
 * is at has been answered. Of a group that failed then the batches are not tried one by one.
 */
void store_worker_stuck(struct store_worker *worker);
/*
 * For a task, on the thread: nothing is done until then, or until something is queued. True: time
 * has passed, and the task's next step should ask again. False: that moment is over.
 */
bool store_worker_rest(struct store_worker *worker, struct schedd_mono until);
/* Everything must have been answered. NULL is fine. */
void store_worker_free(struct store_worker *worker);
/* Takes the batch; store_batch_answer() follows on the loop's thread. */
void store_worker_commit(struct store_worker *worker, struct store_batch *batch);
/* What waits for more of its kind (store_batch_late()) is stored now. */
void store_worker_hurry(struct store_worker *worker);
/* Takes the task. */
void store_worker_do(struct store_worker *worker, struct store_task *task);
/* How many batches were given to the worker so far. */
uint64_t store_worker_mark(const struct store_worker *worker);
/*
 * On another thread: waits until that many were committed or refused, or the
 * worker itself has to wait for something that others hold.
 */
void store_worker_await(struct store_worker *worker, uint64_t mark);
/* Groups committed so far, from any thread. */
uint64_t store_worker_groups(const struct store_worker *worker);
/* How long the longest piece of a task took, from any thread: so long a commit may have waited. */
schedd_span store_worker_longest(const struct store_worker *worker);

#endif
