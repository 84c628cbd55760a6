/* SPDX-License-Identifier: MIT */
/* A run as a row: defaults are NULL. */
#include <string.h>
#include "store/store_sqlite.h"

#define RUN_SET                                                                                    \
	"state = ?3, \"trigger\" = ?4, attempt = ?5, scheduled_at = ?6, started_at = ?7, ended_at = ?8, "  \
	"until = ?9, count = ?10, coalesced = ?11, exit_code = ?12, signal = ?13, reason = ?14, "      \
	"max_rss = ?15, cpu_us = ?16, output_bytes = ?17, output_dropped = ?18, pid = ?19, "           \
	"pid_start = ?20, attempts = ?21, actor = ?22, done_at = ?23, result = ?24"

/* A run that is written again keeps its id, its place among all runs. */
const char store_sqlite_put_run[] =
    "INSERT INTO runs (job, number, state, \"trigger\", attempt, scheduled_at, started_at, "
    "ended_at, until, count, coalesced, exit_code, signal, reason, max_rss, cpu_us, output_bytes, "
    "output_dropped, pid, pid_start, attempts, actor, done_at, result) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, "
    "?20, ?21, ?22, ?23, ?24) "
    "ON CONFLICT (job, number) DO UPDATE SET " RUN_SET;

const char store_sqlite_update_run[] =
    "UPDATE runs SET " RUN_SET " WHERE id = ?25 AND job = ?1 AND number = ?2";

void store_sqlite_bind_run(sqlite3_stmt *stmt, int64_t key, const struct run *run)
{
	sqlite3_bind_int64(stmt, 1, key);
	sqlite3_bind_int64(stmt, 2, run->number);
	sql_bind_text(stmt, 3, run_state_name(run->state));
	sql_bind_text(stmt, 4, run_trigger_name(run->trigger));
	sql_bind_int(stmt, 5, run->attempt, 1);
	sql_bind_time(stmt, 6, run->scheduled_at);
	sql_bind_time(stmt, 7, run->started_at);
	sql_bind_time(stmt, 8, run->ended_at);
	sql_bind_time(stmt, 9, run->until);
	sql_bind_int(stmt, 10, (int64_t)run->count, 1);
	sql_bind_int(stmt, 11, (int64_t)run->coalesced, 0);
	sql_bind_int(stmt, 12, run->exit_code, -1);
	sql_bind_int(stmt, 13, run->signal, 0);
	sql_bind_text(stmt, 14, run->reason);
	sql_bind_int(stmt, 15, run->max_rss, 0);
	sql_bind_int(stmt, 16, run->cpu_us, 0);
	sql_bind_int(stmt, 17, (int64_t)run->output_bytes, 0);
	sql_bind_int(stmt, 18, (int64_t)run->output_dropped, 0);
	sql_bind_int(stmt, 19, run->pid, 0);
	sql_bind_int(stmt, 20, (int64_t)run->pid_start, 0);
	sql_bind_text(stmt, 21, run->attempts);
	sql_bind_text(stmt, 22, run->actor);
	sql_bind_time(stmt, 23, store_query_done_at(run));
	sql_bind_text(stmt, 24, run->result);
}

void store_sqlite_read_run(sqlite3_stmt *stmt, struct run *run)
{
	const char *state = sql_text(stmt, 3), *trigger = sql_text(stmt, 4);
	const char *job = sql_text(stmt, 1);

	run_init(run);
	run->job = (char *)(job ? job : "");
	run->number = (uint32_t)sqlite3_column_int64(stmt, 2);
	if (!state || !run_state_parse(state, &run->state))
		run->state = RUN_LOST;
	if (!trigger || !run_trigger_parse(trigger, &run->trigger))
		run->trigger = RUN_BY_SCHEDULE;
	run->attempt = (uint32_t)sql_int(stmt, 5, 1);
	run->scheduled_at = sql_time(stmt, 6);
	run->started_at = sql_time(stmt, 7);
	run->ended_at = sql_time(stmt, 8);
	run->until = sql_time(stmt, 9);
	run->count = (uint64_t)sql_int(stmt, 10, 1);
	run->coalesced = (uint64_t)sql_int(stmt, 11, 0);
	run->exit_code = (int)sql_int(stmt, 12, -1);
	run->signal = (int)sql_int(stmt, 13, 0);
	run->reason = (char *)sql_text(stmt, 14);
	run->max_rss = sql_int(stmt, 15, 0);
	run->cpu_us = sql_int(stmt, 16, 0);
	run->output_bytes = (uint64_t)sql_int(stmt, 17, 0);
	run->output_dropped = (uint64_t)sql_int(stmt, 18, 0);
	run->pid = (pid_t)sql_int(stmt, 19, 0);
	run->pid_start = (uint64_t)sql_int(stmt, 20, 0);
	run->attempts = (char *)sql_text(stmt, 21);
	run->actor = (char *)sql_text(stmt, 22);
}

const char *store_sqlite_read_result(sqlite3_stmt *stmt)
{
	return sql_text(stmt, 23);
}
