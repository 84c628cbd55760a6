/* SPDX-License-Identifier: MIT */
/*
 * A batch goes in in two passes: the first takes all memory and may fail
 * without a trace, the second cannot fail.
 */
#include <stdlib.h>
#include <string.h>
#include "store/store_memory.h"

/* How one kind of entry is taken in. */
struct memory_verb {
	/* Leaves what it took in op->prepared; after a failure, nothing. NULL: always fine. */
	int (*prepare)(struct memory_store *memory, struct store_op *op, struct schedd_error *err);
	/* NULL: nothing to do. */
	void (*apply)(struct memory_store *memory, struct store_op *op);
	/* Gives op->prepared back; NULL: it holds nothing. */
	void (*discard)(struct memory_store *memory, struct store_op *op);
};

/* ---- Runs ---- */

bool store_memory_make_row(struct store *store, const struct run *run, uint32_t *known, void **rows)
{
	struct history_run *last = *rows;
	bool made = store_history_prepare(&((struct memory_store *)store)->history, run, known, &last);

	*rows = last;
	return made;
}

void store_memory_drop_rows(struct store *store, void *rows)
{
	store_history_discard(&((struct memory_store *)store)->history, rows);
}

void store_memory_fetch_row(const struct store *store, uint32_t known)
{
	store_history_fetch(&((const struct memory_store *)store)->history, known);
}

static void memory_apply_run(struct memory_store *memory, struct store_op *op)
{
	store_history_insert(&memory->history, op->prepared);
	op->prepared = NULL;
}

static void memory_apply_purge(struct memory_store *memory, struct store_op *op)
{
	store_history_purge(&memory->history, op->purge.job, op->purge.number);
}

/* ---- Removed and renamed jobs, and ids that come back ---- */

static void memory_apply_add(struct memory_store *memory, struct store_op *op)
{
	uint32_t last = store_history_last_run(&memory->history, op->put_job.job->id);

	if (last > op->put_job.given)
		op->put_job.given = last;
}

/* Entries that are held from one pass to the other. */
struct memory_removal {
	struct history_job *from;
	struct history_job *to; /* NULL: a delete */
};

static void memory_discard_removal(struct memory_store *memory, struct store_op *op)
{
	struct memory_removal *removal = op->prepared;

	if (removal->from)
		store_history_release(&memory->history, removal->from);
	if (removal->to)
		store_history_release(&memory->history, removal->to);
	free(removal);
}

static int memory_prepare_delete(
    struct memory_store *memory, struct store_op *op, struct schedd_error *err)
{
	struct memory_removal *removal = calloc(1, sizeof(*removal));

	if (!removal)
		return schedd_error_nomem(err);
	op->prepared = removal;
	removal->from = store_history_hold(&memory->history, op->delete_job.id);
	if (removal->from)
		return 0;
	memory_discard_removal(memory, op);
	return schedd_error_nomem(err);
}

static void memory_apply_delete(struct memory_store *memory, struct store_op *op)
{
	struct memory_removal *removal = op->prepared;

	store_history_remember(removal->from, op->delete_job.last_run);
	memory_discard_removal(memory, op);
}

static int memory_prepare_rename(
    struct memory_store *memory, struct store_op *op, struct schedd_error *err)
{
	struct memory_removal *removal;
	int rc = memory_prepare_delete(memory, op, err);

	if (rc < 0)
		return rc;
	removal = op->prepared;
	removal->to = store_history_hold(&memory->history, op->rename.to);
	if (!removal->to)
		rc = schedd_error_nomem(err);
	else if (store_history_count(&memory->history, removal->to) > 0)
		rc = schedd_error_set(err, SCHEDD_ECONFLICT,
		    "store '%s': runs of a removed job '%s' are still kept, purge them first",
		    memory->base.name, op->rename.to);
	if (rc < 0)
		memory_discard_removal(memory, op);
	return rc;
}

static void memory_apply_rename(struct memory_store *memory, struct store_op *op)
{
	struct memory_removal *removal = op->prepared;

	store_history_rename(&memory->history, removal->from, removal->to);
	memory_discard_removal(memory, op);
}

/* ---- Numbers and texts ---- */

/* The entry is made now, so that setting it cannot fail. */
static int memory_prepare_entry(
    struct memory_store *memory, const char *key, struct schedd_error *err)
{
	size_t length = strlen(key);
	struct memory_entry *entry;

	if (strmap_get(&memory->entries, key))
		return 0;
	entry = calloc(1, sizeof(*entry) + length + 1);
	if (!entry)
		return schedd_error_nomem(err);
	memcpy(entry->key, key, length);
	if (strmap_put(&memory->entries, entry) < 0) {
		free(entry);
		return schedd_error_nomem(err);
	}
	return 0;
}

static int memory_prepare_number(
    struct memory_store *memory, struct store_op *op, struct schedd_error *err)
{
	return memory_prepare_entry(memory, op->number.key, err);
}

static void memory_set_entry(
    struct memory_store *memory, const char *key, char *text, int64_t number, bool set)
{
	struct memory_entry *entry = strmap_get(&memory->entries, key);

	free(entry->text);
	entry->text = text;
	entry->number = number;
	entry->set = set;
}

static void memory_apply_number(struct memory_store *memory, struct store_op *op)
{
	memory_set_entry(memory, op->number.key, NULL, op->number.number, true);
}

static int memory_prepare_text(
    struct memory_store *memory, struct store_op *op, struct schedd_error *err)
{
	if (op->text.text) {
		op->prepared = strdup(op->text.text);
		if (!op->prepared)
			return schedd_error_nomem(err);
	}
	if (memory_prepare_entry(memory, op->text.key, err) == 0)
		return 0;
	free(op->prepared);
	return SCHEDD_ENOMEM;
}

static void memory_apply_text(struct memory_store *memory, struct store_op *op)
{
	memory_set_entry(memory, op->text.key, op->prepared, 0, op->prepared != NULL);
}

static void memory_discard_text(struct memory_store *memory, struct store_op *op)
{
	(void)memory;
	free(op->prepared);
}

/* ---- Changes ---- */

struct memory_change *store_memory_change(const struct memory_store *memory, uint64_t back)
{
	return &memory->changes[(memory->change_count - 1 - back) % MEMORY_CHANGES];
}

void store_memory_keep_changes(struct memory_store *memory, uint64_t keep)
{
	for (; memory->changes_kept > keep; memory->changes_kept--) {
		struct memory_change *change =
		    store_memory_change(memory, memory->changes_kept - 1);

		free(change->job);
		free(change->json);
	}
}

static void memory_discard_change(struct memory_store *memory, struct store_op *op)
{
	struct memory_change *change = op->prepared;

	(void)memory;
	free(change->job);
	free(change->json);
	free(change);
}

static int memory_prepare_change(
    struct memory_store *memory, struct store_op *op, struct schedd_error *err)
{
	struct memory_change *change;

	if (!memory->changes)
		memory->changes = calloc(MEMORY_CHANGES, sizeof(memory->changes[0]));
	change = memory->changes ? calloc(1, sizeof(*change)) : NULL;
	if (!change)
		return schedd_error_nomem(err);
	op->prepared = change;
	change->when = op->change.when;
	change->job = op->change.job ? strdup(op->change.job) : NULL;
	change->json = strdup(op->change.json);
	if (change->json && !change->job == !op->change.job)
		return 0;
	memory_discard_change(memory, op);
	return schedd_error_nomem(err);
}

static void memory_apply_change(struct memory_store *memory, struct store_op *op)
{
	struct memory_change *change = op->prepared;

	store_memory_keep_changes(memory, MEMORY_CHANGES - 1);
	memory->change_count++;
	memory->changes_kept++;
	*store_memory_change(memory, 0) = *change;
	free(change);
}

/* ---- A batch ---- */

/* Jobs and claims are not carried: see keeps_jobs in store_ops.h. */
static const struct memory_verb memory_verbs[STORE_OP_COUNT] = {
    [STORE_OP_ADD_JOB] = {NULL, memory_apply_add, NULL},
    [STORE_OP_DELETE_JOB] = {memory_prepare_delete, memory_apply_delete, memory_discard_removal},
    [STORE_OP_PUT_RUN] = {NULL, memory_apply_run, NULL},
    [STORE_OP_PURGE_RUNS] = {NULL, memory_apply_purge, NULL},
    [STORE_OP_RENAME] = {memory_prepare_rename, memory_apply_rename, memory_discard_removal},
    [STORE_OP_PUT_NUMBER] = {memory_prepare_number, memory_apply_number, NULL},
    [STORE_OP_PUT_TEXT] = {memory_prepare_text, memory_apply_text, memory_discard_text},
    [STORE_OP_PUT_CHANGE] = {memory_prepare_change, memory_apply_change, memory_discard_change},
};

static int memory_take(
    struct memory_store *memory, struct store_batch *batch, struct schedd_error *err)
{
	int rc = store_batch_check(batch, err);
	struct store_op *op, *failed = NULL;

	for (op = batch->first; op && rc == 0; op = op->next)
		if (memory_verbs[op->kind].prepare) {
			failed = op;
			rc = memory_verbs[op->kind].prepare(memory, op, err);
		}
	if (rc == 0) {
		for (op = batch->first; op; op = op->next)
			if (memory_verbs[op->kind].apply)
				memory_verbs[op->kind].apply(memory, op);
		batch->makes_rows = false; /* they are the history's now */
		return 0;
	}
	if (batch->failed || arena_failed(&batch->arena))
		return rc;
	for (op = batch->first; op != failed; op = op->next)
		if (memory_verbs[op->kind].discard)
			memory_verbs[op->kind].discard(memory, op);
	return rc;
}

void store_memory_commit(struct store *store, struct store_batch *batch)
{
	batch->rc = memory_take((struct memory_store *)store, batch, &batch->err);
	store_batch_put(batch);
}
