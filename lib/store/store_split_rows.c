/* SPDX-License-Identifier: MIT */
/* Rows on hand by their run, and the queue of what the history is to get. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "store/store_snapshot.h"
#include "store/store_split_parts.h"

void split_item_free(struct split_item *item)
{
	run_clear(&item->run);
	free(item->key);
	free(item->text);
	free(item);
}

static void rows_free(struct split_row *row)
{
	run_clear(&row->run);
	free(row->id);
	free(row);
}

static char *rows_id(const char *job, uint32_t number)
{
	size_t size = strlen(job) + 12;
	char *id = malloc(size);

	if (id)
		snprintf(id, size, "%s/%" PRIu32, job, number);
	return id;
}

static void rows_remove(struct split *split, struct split_row *row)
{
	strmap_remove(&split->rows, row->id);
	rows_free(row);
}

void split_items_add(struct split *split, struct split_item *item)
{
	item->place = ++split->item_place;
	*split->items_last = item;
	split->items_last = &item->next;
	split->item_count++;
}

static void items_gone(struct split *split, const char *key, uint32_t number)
{
	struct split_gone *gone = calloc(1, sizeof(*gone));

	if (gone)
		gone->key = strdup(key);
	if (!gone || !gone->key) {
		free(gone);
		return; /* It is found at the next start, and written once more. */
	}
	gone->number = number;
	*split->gone_last = gone;
	split->gone_last = &gone->next;
}

void split_items_drop(struct split *split, bool gone)
{
	struct split_item *item = split->items;
	struct split_row *row = item->row;

	split->items = item->next;
	if (!split->items)
		split->items_last = &split->items;
	split->item_count--;
	if (split->one_by_one)
		split->one_by_one--;
	if (gone && !row)
		items_gone(split, item->key, 0);
	/* It may have been purged and come back meanwhile. */
	if (row && --row->waiting == 0 &&
	    store_query_done_at(&row->run) != SCHEDD_TIME_NONE) {
		if (gone)
			items_gone(split, row->run.job, row->run.number);
		rows_remove(split, row);
	}
	split_item_free(item);
}

/* The oldest make room: the job store keeps them, if nothing else. */
static void items_limit(struct split *split)
{
	bool first = split->lost == 0;

	while (split->item_count > SPLIT_WAITING_MAX && !split->under_way && !split->looking) {
		split_items_drop(split, true);
		split->lost++;
	}
	if (first && split->lost)
		log_error(split->base.log,
		    "store '%s': more than %d rows wait for store '%s', which keeps its history: the "
		    "oldest are given up",
		    split->base.name, SPLIT_WAITING_MAX, split->history->name);
}

static int rows_queue(struct split *split, struct split_row *row, bool found)
{
	struct split_item *item = calloc(1, sizeof(*item));

	if (!item || run_copy(&item->run, &row->run)) {
		free(item);
		return SCHEDD_ENOMEM;
	}
	item->row = row;
	item->found = found;
	row->waiting++;
	split_items_add(split, item);
	row->place = item->place;
	items_limit(split);
	return 0;
}

static struct split_row *rows_new(struct split *split, const struct run *run)
{
	struct split_row *row = calloc(1, sizeof(*row));

	if (!row)
		return NULL;
	run_init(&row->run);
	row->id = rows_id(run->job, run->number);
	row->serial = SPLIT_SERIAL + ++split->row_serial;
	if (!row->id || strmap_put(&split->rows, row)) {
		rows_free(row);
		return NULL;
	}
	return row;
}

int split_rows_take(struct split *split, const struct run *run, bool found)
{
	char *id = rows_id(run->job, run->number);
	struct split_row *row = id ? strmap_get(&split->rows, id) : NULL;
	struct run copy;

	free(id);
	if (!id || run_copy(&copy, run))
		return SCHEDD_ENOMEM;
	if (!row)
		row = rows_new(split, run);
	if (!row) {
		run_clear(&copy);
		return SCHEDD_ENOMEM;
	}
	run_clear(&row->run);
	row->run = copy;
	row->purged = false;
	if (store_query_done_at(run) == SCHEDD_TIME_NONE)
		return 0;
	return rows_queue(split, row, found);
}

/* Those of a job, out of the map: walking it must not change it. */
static struct split_row **rows_of(
    struct split *split, const char *job, uint32_t number, size_t *count)
{
	struct split_row **list = calloc(split->rows.count + 1, sizeof(*list)), *row;
	uint32_t position = 0;

	*count = 0;
	while (list && (row = strmap_next(&split->rows, &position)))
		if ((!job || strcmp(row->run.job, job) == 0) &&
		    (!number || row->run.number == number))
			list[(*count)++] = row;
	return list;
}

void split_rows_rename(struct split *split, const char *from, const char *to)
{
	size_t count;
	struct split_row **list = rows_of(split, from, 0, &count);

	for (size_t i = 0; i < count; i++) {
		struct split_row *row = list[i];
		char *id = rows_id(to, row->run.number), *job = strdup(to);

		if (!id || !job) {
			free(id);
			free(job);
			continue;
		}
		strmap_remove(&split->rows, row->id);
		free(row->id);
		free(row->run.job);
		row->id = id;
		row->run.job = job;
		if (strmap_put(&split->rows, row))
			log_error(split->base.log, "store '%s': run %s is not shown: no memory",
			    split->base.name, row->id);
	}
	free(list);
}

/* What waits goes on its way, to be deleted there: the order stays. */
void split_rows_purge(struct split *split, const char *job, uint32_t number, uint32_t upto)
{
	size_t count;
	struct split_row **list = rows_of(split, job, number, &count);

	for (size_t i = 0; i < count; i++)
		if (upto && list[i]->run.number > upto)
			continue;
		else if (list[i]->waiting == 0)
			rows_remove(split, list[i]);
		else
			list[i]->purged = true;
	free(list);
}

void split_rows_clear(struct split *split)
{
	struct split_row *row;
	uint32_t position = 0;

	while (split->items) {
		struct split_item *item = split->items;

		split->items = item->next;
		split_item_free(item);
	}
	split->items_last = &split->items;
	split->item_count = 0;
	split->one_by_one = 0;
	split->stale = split->under_way || split->looking;
	while ((row = strmap_next(&split->rows, &position)))
		rows_free(row);
	strmap_clear(&split->rows);
	strmap_init(&split->rows, split->rows.key);
}

/* ---- When the store was read ---- */

static bool rows_has_note(const struct split *split, const char *key)
{
	for (const struct split_item *item = split->items; item; item = item->next)
		if (item->key && strcmp(item->key, key) == 0)
			return true;
	return false;
}

static void rows_found_note(const char *key, const char *text, void *context)
{
	struct split *split = context;
	struct split_item *item;
	uint64_t serial = strtoull(key + strlen(SPLIT_NOTE_PREFIX), NULL, 16);

	if (serial > split->note_serial)
		split->note_serial = serial;
	if (rows_has_note(split, key))
		return;
	item = calloc(1, sizeof(*item));
	if (item) {
		run_init(&item->run);
		item->key = strdup(key);
		item->text = strdup(text);
	}
	if (!item || !item->key || !item->text) {
		log_error(split->base.log, "store '%s': no memory for the note %s",
		    split->base.name, key);
		if (item)
			split_item_free(item);
		return;
	}
	item->found = true;
	item->alone = split_note_renames(text);
	split_items_add(split, item);
}

/* What is known is newer. */
static void rows_found_run(struct split *split, const struct run *run)
{
	char *id = rows_id(run->job, run->number);

	if (!id || (!strmap_get(&split->rows, id) && split_rows_take(split, run, true)))
		log_error(split->base.log, "store '%s': no memory for the run %s/%" PRIu32,
		    split->base.name, run->job, run->number);
	free(id);
}

void split_rows_found(struct split *split, const struct store_snapshot *snapshot)
{
	const struct run *runs;
	size_t count;

	/* Another owner came between: what is known is his. */
	if (split->loaded_epoch != split->jobs->epoch)
		split_rows_clear(split);
	split->loaded_epoch = split->jobs->epoch;
	store_snapshot_texts(snapshot, SPLIT_NOTE_PREFIX, rows_found_note, split);
	runs = store_snapshot_over(snapshot, &count);
	for (size_t i = 0; i < count; i++)
		rows_found_run(split, &runs[i]);
	runs = store_snapshot_runs(snapshot, &count);
	for (size_t i = 0; i < count; i++)
		rows_found_run(split, &runs[i]);
	split->recovering = split->jobs->ops->history != NULL;
}
