/* SPDX-License-Identifier: MIT */
#include "core/runs/run_live_pass.h"

#include <string.h>
#include "core/runs/output_place.h"
#include "core/runs/run_live_state.h"
#include "core/runs/run_note.h"
#include "executor/output.h"

struct value run_live_pass(struct run_live *live, struct arena *arena)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	struct value map = value_map(), output;

	run_live_withdraw(live);
	value_put(arena, &map, "run", value_string(arena, live->id));
	value_put(arena, &map, "stage",
	    value_int(live->stage == RUN_LIVE_RETRYING ? RUN_LIVE_PASS_RETRYING : RUN_LIVE_PASS_WAITS));
	value_put(arena, &map, "held", value_bool(live->held));
	value_put(arena, &map, "noted", value_bool(live->noted));
	value_put(arena, &map, "stop", value_int(live->stop));
	value_put(arena, &map, "stop_reason", value_string(arena, live->stop_reason));
	value_put(arena, &map, "forced", value_bool(live->forced));
	value_put(arena, &map, "announced", value_bool(live->announced));
	value_put(arena, &map, "killing", value_bool(live->killing));
	value_put(arena, &map, "due_at", value_int(live->due_at));
	value_put(arena, &map, "attempt_started", value_int(live->run.attempt_started));
	if (timer_is_set(&live->timer))
		value_put(arena, &map, "timer",
		    value_int(timers_when(&scheduler->timers, &live->timer).us));
	value_put(arena, &map, "env", run_note_env(live, arena));
	if (live->output && output_release(live->output, arena, &output))
		value_put(arena, &map, "output", output);
	if (live->task)
		value_put(arena, &map, "task", run_live_let_go(live, arena));
	timers_unset(&scheduler->timers, &live->timer);
	return map;
}

int run_live_pass_take(
    struct run_live *live, const struct value *from, const struct run *run)
{
	const struct value *output = value_get(from, "output");
	const char *reason = value_get_string(from, "stop_reason");
	char path[4096];
	bool kept =
	    output_place_path(live->scheduler, live->job->id, run->number, path, sizeof(path));

	if (run_live_take(live, run))
		return SCHEDD_ENOMEM;
	live->stop = (enum run_live_stop)value_get_int(from, "stop", RUN_LIVE_GOES_ON);
	live->stop_reason = reason ? strdup(reason) : NULL;
	live->forced = value_get_bool(from, "forced", false);
	live->announced = value_get_bool(from, "announced", false);
	live->held = value_get_bool(from, "held", false);
	live->noted = value_get_bool(from, "noted", false);
	live->killing = value_get_bool(from, "killing", false);
	live->due_at = value_get_int(from, "due_at", SCHEDD_TIME_NONE);
	live->run.attempt_started = value_get_int(from, "attempt_started", run->started_at);
	if (output)
		live->output = output_resume(kept ? path : NULL, output);
	return run_note_take_env(live, value_get(from, "env"));
}
