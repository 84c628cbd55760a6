/* SPDX-License-Identifier: MIT */
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

static const struct out_column status_columns[] = {
    {"state", "state", OUT_STATE, true, true, false},
    {"version", "version", OUT_TEXT, true, true, false},
    {"pid", "pid", OUT_INT, true, true, false},
    {"since", "started_at", OUT_WHEN, true, true, false},
    {"socket", "socket", OUT_TEXT, true, true, false},
    {"state_dir", "state_dir", OUT_TEXT, true, true, false},
    {"config", "config", OUT_LIST, false, true, false},
    {"zone", "zone.name", OUT_TEXT, true, true, false},
    {"zone_origin", "zone.origin", OUT_TEXT, true, true, false},
    {"zone_conflict", "zone.conflict", OUT_TEXT, false, true, false},
    {"jobs", "scheduler.jobs", OUT_INT, true, true, false},
    {"paused", "scheduler.paused_jobs", OUT_INT, false, true, false},
    {"running", "scheduler.running", OUT_INT, true, true, false},
    {"queued", "scheduler.queued", OUT_INT, true, true, false},
    {"next_run", "scheduler.next_run_time", OUT_WHEN, true, true, false},
    {"store_error", "scheduler.store_error", OUT_TEXT, false, true, false},
    {"clients", "clients", OUT_INT, true, true, false},
    {"memory", "rss", OUT_BYTES, true, true, false},
    {0},
};

static int status_run(struct command *command)
{
	struct schedd_error err = {0};
	struct value result;

	if (command_call(command, "server.status", NULL, &result, &err) != 0)
		return say_error(command, &err);
	return out_object(command, status_columns, &result);
}

const struct verb verb_status = {
    .name = "status",
    .group = "Daemon",
    .summary = "show how schedd is doing",
    .usage = "",
    .examples = "schedctl status\nschedctl status --json",
    .columns = status_columns,
    .run = status_run,
};
