/* SPDX-License-Identifier: MIT */
/* The statements of a commit over sets of rows; see store_mysql_sql.h. */
#include "store/modules/store_mysql_sql.h"

#define COUNTERS "next_fire, next_run_time, run_count, last_run"
#define RUN_REST                                                                                   \
	"attempt, scheduled_at, started_at, ended_at, done_at, until, count, coalesced, exit_code, " \
	"`signal`, reason, max_rss, cpu_us, output_bytes, output_dropped, pid, pid_start, attempts, " \
	"actor, result"
#define PUT(column) #column " = VALUES(" #column "), "

#define RUNS(columns, values, ended, puts) \
	{"INSERT INTO schedd_runs (job, number, state, `trigger`, " RUN_REST columns \
	") WITH c (ord, claim, id, number, state, `trigger`, " RUN_REST ") AS (VALUES ", \
	") SELECT j.`key`, c.number, c.state, c.`trigger`, c.attempt, c.scheduled_at, c.started_at, " \
	"c.ended_at, c.done_at, c.until, c.count, c.coalesced, c.exit_code, c.`signal`, c.reason, " \
	"c.max_rss, c.cpu_us, c.output_bytes, c.output_dropped, c.pid, c.pid_start, c.attempts, " \
	"c.actor, c.result" values " FROM c STRAIGHT_JOIN schedd_jobs j ON j.id = c.id WHERE c.claim = 0 OR " \
	"j.claim = c.claim ORDER BY c.ord ON DUPLICATE KEY UPDATE " ended \
	"`trigger` = VALUES(`trigger`), " PUT(attempt) PUT(scheduled_at) PUT(started_at) PUT(ended_at) \
	PUT(done_at) PUT(until) PUT(count) PUT(coalesced) PUT(exit_code) \
	"`signal` = VALUES(`signal`), " PUT(max_rss) PUT(cpu_us) PUT(output_bytes) \
	PUT(output_dropped) PUT(pid) PUT(pid_start) PUT(attempts) PUT(actor) \
	"result = VALUES(result)" puts, true}

/* Claims that do not hold leave their jobs' claim as it was: the runs behind them find it so. */
const struct my_set_text my_set_texts[MY_SETS] = {
    [MY_SET_ADDS] = {"INSERT INTO schedd_jobs (id, definition, " COUNTERS ", revision, slot) VALUES ",
	" ON DUPLICATE KEY UPDATE " PUT(definition) PUT(next_fire) PUT(next_run_time) PUT(run_count)
	PUT(revision) PUT(slot) "last_run = greatest(last_run, VALUES(last_run), coalesce((SELECT max(r.number) "
	"FROM schedd_runs r WHERE r.job = schedd_jobs.`key`), 0))", false},
    [MY_SET_PUTS] = {"INSERT INTO schedd_jobs (id, definition, " COUNTERS ", revision, slot) VALUES ",
	" ON DUPLICATE KEY UPDATE " PUT(definition) PUT(next_fire) PUT(next_run_time) PUT(run_count)
	PUT(revision) PUT(slot) "last_run = VALUES(last_run)", false},
    [MY_SET_ENSURE] = {"INSERT INTO schedd_jobs (id) WITH c (id) AS (VALUES ",
	") SELECT DISTINCT c.id FROM c LEFT JOIN schedd_jobs j ON j.id = c.id WHERE j.id IS NULL",
	true},
    [MY_SET_CLAIMS] = {"UPDATE (WITH c (id, expected, claim, " COUNTERS ") AS (VALUES ",
	") SELECT * FROM c) c STRAIGHT_JOIN schedd_jobs j ON j.id = c.id SET j.next_fire = c.next_fire, "
	"j.next_run_time = c.next_run_time, j.run_count = c.run_count, j.last_run = c.last_run, "
	"j.claim = c.claim WHERE j.last_run = c.expected AND j.definition IS NOT NULL", true},
    [MY_SET_RUNS] = RUNS("", "", PUT(state) PUT(reason), ""),
    [MY_SET_CHANGES] = {"INSERT INTO schedd_changes (at, job, `change`) WITH c (ord, at, id, `change`) "
	"AS (VALUES ", ") SELECT c.at, j.`key`, c.`change` FROM c LEFT JOIN schedd_jobs j ON j.id = "
	"c.id ORDER BY c.ord", true},
    [MY_SET_META] = {"INSERT INTO schedd_meta (`key`, number, text) VALUES ",
	" ON DUPLICATE KEY UPDATE number = VALUES(number), text = VALUES(text)", false},
};

/* One that was lost with its node stays so, and how it ended, as that node knew it, is noted. */
#define LOST "schedd_runs.state = 'lost' AND schedd_runs.done_at IS NOT NULL"

#define IF_NEW(column) #column " = if(definition IS NULL, VALUES(" #column "), " #column "), "

/*
 * An add that finds another's leaves it as it is, and has its ticket only where it did not. What stands on
 * the right is the old value only until it was set: the definition goes last.
 */
const struct my_set_text my_set_texts_shared[MY_SETS] = {
    [MY_SET_ADDS] = {"INSERT INTO schedd_jobs (id, definition, " COUNTERS ", revision, slot, claim) VALUES ",
	" ON DUPLICATE KEY UPDATE last_run = if(definition IS NULL, greatest(last_run, VALUES(last_run), "
	"coalesce((SELECT max(r.number) FROM schedd_runs r WHERE r.job = schedd_jobs.`key`), 0)), last_run), "
	IF_NEW(next_fire) IF_NEW(next_run_time) IF_NEW(run_count) IF_NEW(revision) IF_NEW(slot) IF_NEW(claim)
	"definition = coalesce(definition, VALUES(definition))", false},
    [MY_SET_CLAIMS] = {"UPDATE (WITH c (id, expected, claim, " COUNTERS ", revision) AS (VALUES ",
	") SELECT * FROM c) c STRAIGHT_JOIN schedd_jobs j ON j.id = c.id SET j.next_fire = c.next_fire, "
	"j.next_run_time = c.next_run_time, j.run_count = c.run_count, j.last_run = c.last_run, "
	"j.claim = c.claim WHERE j.last_run = c.expected AND j.definition IS NOT NULL AND (c.revision = 0 OR "
	"j.revision = c.revision)", true},
    /* node has to end it; ran is where it ran: of one that is lost, where it was. */
    [MY_SET_RUNS] = RUNS(", node, ran", ", @schedd_node, @schedd_node",
	"reason = if(" LOST " AND VALUES(state) <> 'lost', concat_ws(', ', concat('this node lost its lease; told late: ', "
	"VALUES(state)), VALUES(reason)), VALUES(reason)), state = if(" LOST ", 'lost', VALUES(state)), ",
	", node = VALUES(node), ran = if(VALUES(state) = 'lost', ran, VALUES(ran))"),
};
