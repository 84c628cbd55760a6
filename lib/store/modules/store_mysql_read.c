/* SPDX-License-Identifier: MIT */
/* What is read back: jobs at the start, and history when somebody asks. */
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_mysql.h"

/* ---- Jobs ---- */

#define JOB_COLUMNS "id, definition, next_fire, next_run_time, run_count, last_run"

static struct store_counters read_counters(const struct my_row *row)
{
	return (struct store_counters){
	    .next_fire = my_row_number(row, 2, SCHEDD_TIME_NONE),
	    .next_run_time = my_row_number(row, 3, SCHEDD_TIME_NONE),
	    .run_count = (uint64_t)my_row_number(row, 4, 0),
	    .last_run = (uint32_t)my_row_number(row, 5, 0),
	};
}

struct read_loading {
	struct store_loading *loading;
	int rc;
};

static bool read_job(const struct my_row *row, void *context)
{
	struct read_loading *reading = context;
	struct store_counters counters = read_counters(row);

	reading->rc = store_loading_job(
	    reading->loading, row->fields[0], row->fields[1], row->lengths[1], &counters);
	return reading->rc == 0;
}

static bool read_meta(const struct my_row *row, void *context)
{
	struct read_loading *reading = context;
	const char *text = my_row_text(row, 2);

	if (text)
		store_loading_text(reading->loading, row->fields[0], text);
	else
		store_loading_number(reading->loading, row->fields[0], my_row_number(row, 1, 0));
	return true;
}

void store_mysql_read_run(const struct my_row *row, struct run *run)
{
	run_init(run);
	run->job = row->fields[0];
	run->serial = (uint64_t)my_row_number(row, 1, 0);
	run->number = (uint32_t)my_row_number(row, 2, 0);
	if (!run_state_parse(row->fields[3], &run->state))
		run->state = RUN_LOST;
	if (!run_trigger_parse(row->fields[4], &run->trigger))
		run->trigger = RUN_BY_SCHEDULE;
	run->attempt = (uint32_t)my_row_number(row, 5, 1);
	run->scheduled_at = my_row_number(row, 6, SCHEDD_TIME_NONE);
	run->started_at = my_row_number(row, 7, SCHEDD_TIME_NONE);
	run->ended_at = my_row_number(row, 8, SCHEDD_TIME_NONE);
	run->until = my_row_number(row, 9, SCHEDD_TIME_NONE);
	run->count = (uint64_t)my_row_number(row, 10, 1);
	run->coalesced = (uint64_t)my_row_number(row, 11, 0);
	run->exit_code = (int)my_row_number(row, 12, -1);
	run->signal = (int)my_row_number(row, 13, 0);
	run->reason = row->fields[14];
	run->max_rss = my_row_number(row, 15, 0);
	run->cpu_us = my_row_number(row, 16, 0);
	run->output_bytes = (uint64_t)my_row_number(row, 17, 0);
	run->output_dropped = (uint64_t)my_row_number(row, 18, 0);
	run->pid = (pid_t)my_row_number(row, 19, 0);
	run->pid_start = (uint64_t)my_row_number(row, 20, 0);
	run->attempts = row->fields[21];
	run->actor = row->fields[22];
	run->result = row->fields[23];
	for (uint32_t i = 0; i < row->my->name_count; i++)
		if (row->my->names[i].node == my_row_number(row, 24, 0))
			run->node = (char *)(uintptr_t)row->my->names[i].text;
}

static bool read_open_run(const struct my_row *row, void *context)
{
	struct read_loading *reading = context;
	struct run run;

	store_mysql_read_run(row, &run);
	store_loading_run(reading->loading, &run);
	return true;
}

static int read_all(struct store_link *link, my_row_fn call, void *context,
    struct schedd_error *err, const char *format, ...)
{
	struct strbuf text = STRBUF_EMPTY;
	va_list args;
	int rc;

	va_start(args, format);
	my_vadd(&text, format, args);
	va_end(args);
	rc = store_mysql_talk_rows(link, &text, call, context, err);
	strbuf_clear(&text);
	return rc;
}

int store_mysql_load(struct store_link *link, struct store_loading *loading,
    int (*before)(struct store_link *, struct store_loading *, struct schedd_error *),
    struct schedd_error *err)
{
	struct read_loading reading = {loading, 0};
	/* Of a store that is shared those of this node alone. */
	int64_t own = link->config->shared ? link->node : 0;
	int rc = store_mysql_talk_ask(
	    link, NULL, err, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");

	if (rc == 0)
		rc = store_mysql_talk_ask(
		    link, NULL, err, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
	if (rc == 0 && link->config->shared)
		rc = before(link, loading, err);
	if (rc == 0)
		rc = read_all(link, read_job, &reading, err,
		    "SELECT " JOB_COLUMNS " FROM schedd_jobs WHERE definition IS NOT NULL");
	if (rc == 0 && reading.rc)
		rc = schedd_error_set(
		    err, reading.rc, "store '%s': loading was given up", link->config->name);
	if (rc == 0)
		rc = read_all(link, read_meta, &reading, err,
		    "SELECT `key`, number, text FROM schedd_meta");
	if (rc == 0)
		rc = read_all(link, read_open_run, &reading, err,
		    MY_RUN_SELECT "WHERE r.done_at IS NULL AND (?n = 0 OR r.node = ?n) ORDER BY r.serial", own, own);
	if (link->fault == STORE_FAULT_NONE) {
		struct schedd_error later;
		int end = store_mysql_talk_ask(link, NULL, rc ? &later : err, "COMMIT");

		rc = rc ? rc : end;
	}
	return rc;
}

int store_mysql_reread(struct store_link *link, const char *id, struct store_watching *watching,
    struct schedd_error *err)
{
	struct store_counters counters;
	struct my_row row;
	MYSQL_RES *rows;
	int rc = store_mysql_talk_ask(link, &rows, err,
	    "SELECT " JOB_COLUMNS " FROM schedd_jobs WHERE id = ?t AND definition IS NOT NULL", id);

	if (rc)
		return rc;
	row.fields = mysql_fetch_row(rows);
	if (row.fields) {
		row.lengths = mysql_fetch_lengths(rows);
		counters = read_counters(&row);
		store_watching_job(watching, id, row.fields[1], row.lengths[1], &counters);
	} else {
		store_watching_job(watching, id, NULL, 0, NULL);
	}
	mysql_free_result(rows);
	return 0;
}

int store_mysql_last_run(
    struct store_link *link, const char *id, int64_t *out, struct schedd_error *err)
{
	int rc = store_mysql_talk_number(link, out, err,
	    "SELECT greatest(last_run, coalesce((SELECT max(number) FROM schedd_runs r WHERE r.job = "
	    "j.`key`), 0)) FROM schedd_jobs j WHERE id = ?t",
	    id);

	if (rc == 0 && *out < 0)
		*out = 0;
	return rc;
}

/* ---- History ---- */

#define STATES_OPEN (1u << RUN_QUEUED | 1u << RUN_RUNNING | 1u << RUN_RETRYING)
#define READ_PAGE 256
#define READ_PAGE_MOST 65536

struct read_asking {
	struct store_asked *asked;
	int64_t before; /* where the next page goes on */
	int64_t rows;   /* of this page */
	bool numbers;   /* it goes by number, not by serial */
	bool enough;
};

static bool read_asked_run(const struct my_row *row, void *context)
{
	struct read_asking *asking = context;
	struct run run;

	store_mysql_read_run(row, &run);
	asking->rows++;
	asking->before = asking->numbers ? (int64_t)run.number : (int64_t)run.serial;
	asking->enough = !store_asked_run(asking->asked, &run);
	return !asking->enough;
}

static int read_page(struct store_link *link, const struct store_query *query, int64_t page,
    struct read_asking *asking, struct schedd_error *err)
{
	bool open = query->states && !(query->states & ~STATES_OPEN);

	if (query->job && query->number)
		return read_all(link, read_asked_run, asking, err,
		    MY_RUN_SELECT_WITH("r.result") "WHERE r.job = (SELECT `key` FROM schedd_jobs WHERE id = "
						"?t) AND r.number = ?n AND r.number < ?n",
		    query->job, (int64_t)query->number, asking->before);
	if (query->job)
		return read_all(link, read_asked_run, asking, err,
		    MY_RUN_SELECT "WHERE r.job = (SELECT `key` FROM schedd_jobs WHERE id = ?t) AND "
			       "r.number < ?n ORDER BY r.number DESC LIMIT ?n",
		    query->job, asking->before, page);
	return read_all(link, read_asked_run, asking, err,
	    open ? MY_RUN_SELECT "WHERE r.done_at IS NULL AND r.serial < ?n ORDER BY r.serial DESC LIMIT ?n"
		 : MY_RUN_SELECT "WHERE r.serial < ?n ORDER BY r.serial DESC LIMIT ?n",
	    asking->before, page);
}

/*
 * Pages, since what an index cannot say is judged here: so a question that finds
 * what it looks for at the top does not read the rest.
 */
int store_mysql_runs(struct store_link *link, const struct store_query *query,
    struct store_asked *asked, struct schedd_error *err)
{
	struct read_asking asking = {.asked = asked, .numbers = query->job != NULL};
	int64_t page = READ_PAGE;
	int rc = store_mysql_names(link, err);

	if (rc)
		return rc;
	asking.before = query->before < INT64_MAX ? (int64_t)query->before : INT64_MAX;
	for (;;) {
		asking.rows = 0;
		rc = read_page(link, query, page, &asking, err);
		if (rc || asking.enough || asking.rows < page)
			return rc;
		if (page < READ_PAGE_MOST)
			page *= 4;
	}
}

static bool read_change(const struct my_row *row, void *context)
{
	store_asked_change(
	    context, my_row_number(row, 0, 0), my_row_text(row, 1), row->fields[2]);
	return true;
}

int store_mysql_changes(struct store_link *link, const char *job, schedd_time since,
    uint64_t limit, struct store_asked *asked, struct schedd_error *err)
{
	int64_t most = limit < INT64_MAX ? (int64_t)limit : INT64_MAX;

	if (job)
		return read_all(link, read_change, asked, err,
		    "SELECT c.at, j.id, c.`change` FROM schedd_changes c JOIN schedd_jobs j ON j.`key` = "
		    "c.job WHERE j.id = ?t AND c.at >= ?n ORDER BY c.id DESC LIMIT ?n",
		    job, since, most);
	return read_all(link, read_change, asked, err,
	    "SELECT c.at, j.id, c.`change` FROM schedd_changes c LEFT JOIN schedd_jobs j ON j.`key` = "
	    "c.job WHERE c.at >= ?n ORDER BY c.id DESC LIMIT ?n",
	    since, most);
}

static bool read_count(const struct my_row *row, void *context)
{
	struct run run;

	run_init(&run);
	run.job = row->fields[0];
	if (!run_state_parse(row->fields[1], &run.state))
		run.state = RUN_LOST;
	run.scheduled_at = my_row_number(row, 2, SCHEDD_TIME_NONE);
	run.started_at = my_row_number(row, 3, SCHEDD_TIME_NONE);
	run.ended_at = my_row_number(row, 4, SCHEDD_TIME_NONE);
	run.count = (uint64_t)my_row_number(row, 5, 1);
	store_asked_count(context, &run);
	return true;
}

#define COUNT_SELECT                                                                               \
	"SELECT j.id, r.state, r.scheduled_at, r.started_at, r.ended_at, r.count FROM schedd_runs r " \
	"JOIN schedd_jobs j ON j.`key` = r.job WHERE r.done_at >= ?n"

int store_mysql_stats(struct store_link *link, const char *job, schedd_time since,
    struct store_asked *asked, struct schedd_error *err)
{
	if (job)
		return read_all(
		    link, read_count, asked, err, COUNT_SELECT " AND j.id = ?t", since, job);
	return read_all(link, read_count, asked, err, COUNT_SELECT, since);
}
