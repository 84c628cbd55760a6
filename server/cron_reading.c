/* SPDX-License-Identifier: MIT */
/*
 * Tables are read one after the other, and applied some at a time, so that the store
 * writes several in one commit. A table that changes meanwhile is read again once it
 * was answered.
 */
#include "server/cron_reading.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>
#include <schedd/clock.h>
#include <schedd/event.h>
#include "base/log.h"
#include "core/scheduler.h"
#include "server/cron_file.h"
#include "server/cron_parts.h"
#include "server/cron_spool.h"
#include "server/cron_watch.h"

#define CRON_PIECE (2 * (schedd_span)1000) /* of a long table, at a time */
#define CRON_PIECE_LINES 32

/* ---- Faults ---- */

static void cron_say_faults(struct cron_tables *tables, struct cron_tab *tab)
{
	diagnostics_sort(&tab->faults);
	for (uint32_t i = 0; i < tab->faults.count; i++) {
		const struct diagnostic *fault = &tab->faults.items[i];
		char place[PATH_MAX], words[PATH_MAX + SCHEDD_ERROR_MESSAGE_MAX];

		if (fault->line)
			snprintf(place, sizeof(place), "%s:%u", fault->file, fault->line);
		else
			snprintf(place, sizeof(place), "%s", fault->file);
		snprintf(words, sizeof(words), "%s: %s", place, fault->message);
		log_warn(tables->log, "%s", words);
		scheduler_say(tables->scheduler, SCHEDD_EVENT_CRON_TABLE, NULL, words);
	}
	if (tab->faults.dropped)
		log_warn(tables->log, "%s: %u more lines cannot be taken", tab->shown,
		    tab->faults.dropped);
}

static bool cron_row(struct value *row, void *context)
{
	struct cron_reading *reading = context;

	if (value_get(row, "error"))
		value_append(&reading->arena, &reading->refused, value_copy(&reading->arena, row));
	return !arena_failed(&reading->arena);
}

/* What the scheduler says of jobs that it does not take; rows come in the order of the jobs. */
static void cron_take_rows(const struct cron_reading *reading, struct cron_tab *tab)
{
	const struct value *jobs = &reading->jobs, *rows = &reading->refused;
	uint32_t at = 0;

	tab->jobs = jobs->array.count;
	for (uint32_t i = 0; i < rows->array.count; i++) {
		const struct value *row = &rows->array.items[i];
		const char *error = value_get_string(row, "error"),
			   *id = value_get_string(row, "id");

		while (at < jobs->array.count &&
		       !value_is_text(value_get(&jobs->array.items[at], "id"), id))
			at++;
		if (!error || at >= jobs->array.count)
			continue;
		tab->jobs--;
		diagnostics_add(
		    &tab->faults, tab->shown, jobs->array.items[at].line, 0, "%s", error);
	}
}

/* ---- One after the other ---- */

void cron_tab_free(struct cron_tab *tab)
{
	free(tab->path);
	free(tab->shown);
	free(tab->owner);
	free(tab->account);
	diagnostics_clear(&tab->faults);
	free(tab);
}

static void cron_drop(struct cron_tables *tables, struct cron_tab *tab)
{
	struct cron_tab *before = NULL;

	for (struct cron_tab *at = tables->tabs; at != tab; at = at->next)
		before = at;
	*(before ? &before->next : &tables->tabs) = tab->next;
	if (tables->last == tab)
		tables->last = before;
	tables->from = NULL;
	strmap_remove(&tables->by_path, tab->shown);
	cron_tab_free(tab);
}

/* Tells those who wait for the table of the account; all of them where it is NULL. */
static void cron_tell(struct cron_tables *tables, const char *account)
{
	struct cron_waiter **at = &tables->waiters, *ready = NULL;

	while (*at) {
		struct cron_waiter *waiter = *at;

		if (account && strcmp(waiter->account, account) != 0) {
			at = &waiter->next;
			continue;
		}
		*at = waiter->next;
		waiter->next = ready;
		ready = waiter;
	}
	while (ready) {
		struct cron_waiter *waiter = ready;

		ready = waiter->next;
		waiter->done(waiter->context);
		free(waiter->account);
		free(waiter);
	}
}

static void cron_reading_end(struct cron_reading *reading);

/* What there was no memory for is looked at once more, also one that was gone. */
static void cron_again(struct cron_tables *tables, struct cron_tab *tab)
{
	tab->gone = false;
	memset(&tab->status, 0, sizeof(tab->status));
	cron_watch_again(tables->watch);
}

static void cron_applied(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct cron_reading *reading = context;
	struct cron_tables *tables = reading->tables;
	struct cron_tab *tab = reading->tab;
	char *account = tab->account ? strdup(tab->account) : NULL;
	bool waits;

	(void)result;
	if (rc)
		diagnostics_add(
		    &tab->faults, tab->shown, 0, 0, "its jobs are as they were: %s", err->message);
	else
		cron_take_rows(reading, tab);
	cron_say_faults(tables, tab);
	log_info(tables->log, "%s: %u jobs%s", tab->shown, tab->jobs,
	    tab->gone ? ", the table is gone" : "");
	if (rc == SCHEDD_ENOMEM)
		cron_again(tables, tab);
	cron_reading_end(reading);
	waits = tab->pending;
	if (tab->gone && !waits)
		cron_drop(tables, tab);
	/* What is to be read again was changed meanwhile. */
	if (account && !waits)
		cron_tell(tables, account);
	free(account);
	cron_reading_next(tables);
}

/* Remembers which lines were taken over, and when they ran the directories. */
static void cron_take_over(
    struct cron_tables *tables, struct cron_tab *tab, const struct cron_table *table)
{
	tab->taken_count = 0;
	for (uint32_t i = 0; i < table->taken.array.count && i < CRON_TAKEN_MAX; i++)
		tab->taken[tab->taken_count++] = (uint32_t)table->taken.array.items[i].integer;
	for (int i = 0; i < CRON_TABLE_PARTS; i++) {
		char *copy = table->schedules[i] ? strdup(table->schedules[i]) : NULL;
		struct cron_tab *parts = strmap_get(&tables->by_path, cron_table_parts[i]);

		if (!copy)
			continue;
		if (parts && (!tables->schedules[i] || strcmp(tables->schedules[i], copy) != 0))
			parts->pending = true;
		free(tables->schedules[i]);
		tables->schedules[i] = copy;
	}
}

/* Nobody says whose it is (said once), or there is no memory. Answers rc. */
static int cron_unsaid(const struct cron_reading *reading, int rc, const struct schedd_error *err)
{
	struct cron_tab *tab = reading->tab;

	if (rc != SCHEDD_ENOMEM && !tab->unsaid)
		log_warn(reading->tables->log, "%s: its jobs are as they were: %s", tab->shown, err->message);
	tab->unsaid = rc != SCHEDD_ENOMEM;
	return rc;
}

/* Opens the file, to be read from; nothing of it is where it was said why, or where reader is NULL. */
static int cron_open(struct cron_reading *reading, struct cron_tab *tab)
{
	struct cron_tables *tables = reading->tables;
	struct schedd_error err;
	size_t length;
	int rc;

	if (tab->parts)
		return cron_parts_read(
		    tab, tables->schedules[tab->parts - 1], &reading->arena, &reading->jobs);
	rc = cron_file_read(tab->path, tab->account ? CRON_PLACE_SPOOL : CRON_PLACE_SYSTEM,
	    tab->account, &reading->text, &length, &tab->status, &err);
	if (!rc && memchr(reading->text, '\0', length))
		rc = schedd_error_set(&err, SCHEDD_EFILE, "there is a NUL in it: it is no table");
	if (rc == SCHEDD_EFILE)
		diagnostics_add(
		    &tab->faults, tab->shown, 0, 0, "%s: none of it is taken", err.message);
	if (rc)
		return rc == SCHEDD_EFILE ? 0 : cron_unsaid(reading, rc, &err);
	tab->unsaid = false;
	reading->table = (struct cron_table){.file = tab->shown,
	    .account = tab->account,
	    .head = CRON_SPOOL_HEAD_LINES,
	    .arena = &reading->arena,
	    .jobs = &reading->jobs,
	    .faults = &tab->faults,
	    .parts = tables->dirs};
	reading->reader = cron_table_open(&reading->table, reading->text, length);
	return reading->reader ? 0 : SCHEDD_ENOMEM;
}

static void cron_reading_close(struct cron_reading *reading)
{
	cron_table_close(reading->reader);
	reading->reader = NULL;
	free(reading->text);
	reading->text = NULL;
}

void cron_reading_clear(struct cron_reading *reading)
{
	cron_reading_close(reading);
	arena_clear(&reading->arena);
}

static void cron_reading_end(struct cron_reading *reading)
{
	cron_reading_clear(reading);
	reading->tab->reading = false;
	reading->tab = NULL;
	reading->tables->reading_count--;
}

static void cron_failed(struct cron_reading *reading)
{
	if (!reading->tab->unsaid)
		log_error(reading->tables->log, "%s: out of memory: its jobs are as they were",
		    reading->tab->shown);
	cron_again(reading->tables, reading->tab);
	cron_reading_end(reading);
}

/* All of it was read. */
static void cron_apply(struct cron_reading *reading)
{
	struct cron_tab *tab = reading->tab;
	struct scheduler_apply apply = {
	    .owner = tab->owner,
	    .jobs = &reading->jobs,
	    .prune = true,
	    .skip = true,
	    .row = cron_row,
	    .each_context = reading};
	/* What an account's table names is to be open to it; root's may name everything. */
	const struct scheduler_actor actor = {-1, -1, NULL, tab->account};
	bool judged = tab->account && strcmp(tab->account, "root") != 0;

	if (reading->reader)
		cron_take_over(reading->tables, tab, &reading->table);
	cron_reading_close(reading);
	scheduler_apply(reading->tables->scheduler, &apply, judged ? &actor : NULL,
	    (struct scheduler_reply){.call = cron_applied, .context = reading});
}

/* Is one still in the middle? Then there is another turn. */
static void cron_reading_more(struct cron_tables *tables)
{
	static const struct timeval at_once = {0};

	for (uint32_t i = 0; i < CRON_READINGS; i++)
		if (tables->readings[i].tab && tables->readings[i].reader) {
			if (event_add(tables->turn, &at_once) < 0)
				event_active(tables->turn, EV_TIMEOUT, 0);
			return;
		}
}

/* A piece of the table; those that are longer go on with the next turn of the loop. */
static void cron_go_on(struct cron_reading *reading)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t end = clock->mono(clock->context).us + CRON_PIECE;
	int rc;

	do
		rc = reading->reader ? cron_table_some(reading->reader, CRON_PIECE_LINES) : 0;
	while (rc > 0 && clock->mono(clock->context).us < end);
	if (rc < 0)
		cron_failed(reading);
	else if (rc == 0)
		cron_apply(reading);
	else
		cron_reading_more(reading->tables);
}

static void cron_begin(struct cron_tables *tables, struct cron_tab *tab)
{
	struct cron_reading *reading = tables->readings;

	while (reading->tab)
		reading++;
	*reading = (struct cron_reading){.tables = tables, .tab = tab, .jobs = value_array(), .refused = value_array()};
	arena_init(&reading->arena);
	tables->reading_count++;
	tab->reading = true;
	tab->pending = false;
	tab->jobs = 0;
	diagnostics_clear(&tab->faults);
	diagnostics_init_all(&tab->faults);
	if (!tab->gone && cron_open(reading, tab) != 0)
		cron_failed(reading);
	else
		cron_go_on(reading);
}

void cron_reading_turn(evutil_socket_t fd, short what, void *context)
{
	struct cron_tables *tables = context;

	(void)fd;
	(void)what;
	/* One of them at a time: the others have their turn when it has waited again. */
	for (uint32_t i = 0; i < CRON_READINGS; i++) {
		struct cron_reading *reading =
		    &tables->readings[(tables->last_turn + 1 + i) % CRON_READINGS];

		if (!reading->tab || !reading->reader)
			continue;
		tables->last_turn = (uint32_t)(reading - tables->readings);
		cron_go_on(reading);
		break;
	}
	cron_reading_more(tables);
	cron_reading_next(tables);
}

static bool cron_is_ready(const struct cron_tab *tab)
{
	return tab->pending && !tab->reading;
}

/* The next one after the last, around the list once. */
static struct cron_tab *cron_pending(struct cron_tables *tables)
{
	struct cron_tab *tab = tables->from;

	while (tab && !cron_is_ready(tab))
		tab = tab->next;
	for (struct cron_tab *at = tables->tabs; !tab && at != tables->from; at = at->next)
		tab = cron_is_ready(at) ? at : NULL;
	return tables->from = tab;
}

void cron_reading_next(struct cron_tables *tables)
{
	struct cron_tab *tab = tables->tabs;

	/* The scheduler may have answered at once: that must not go ever deeper. */
	if (tables->turning || tables->closed)
		return;
	tables->turning = true;
	while (tables->reading_count < CRON_READINGS && tab) {
		tab = cron_pending(tables);
		if (tab)
			cron_begin(tables, tab);
	}
	tables->turning = false;
	if (!tables->reading_count)
		cron_tell(tables, NULL);
}
