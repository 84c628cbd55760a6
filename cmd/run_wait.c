/* SPDX-License-Identifier: MIT */
#include "cmd/run_wait.h"

#include <string.h>
#include <time.h>

#include "cmd/out.h"
#include "cmd/say.h"

/* "a worker of executor default (2 busy)", of a run that has not begun; nothing if it has. */
static void wait_of_run(struct command *command, struct arena *arena, const char *id,
    struct strbuf *out, int64_t *attempt, struct schedd_error *err)
{
	struct value params = value_map(), run;
	const char *waits;

	value_put(arena, &params, "run", value_string_ref(id));
	if (command_call_in(command, arena, "run.get", &params, &run, err) != 0)
		return;
	*attempt = value_get_int(&run, "attempt", 0);
	waits = value_get_string(&run, "waits_for");
	if (!waits && value_is_text(value_get(&run, "state"), "retrying"))
		waits = "its next attempt";
	if (waits) {
		strbuf_printf(out, "%s waits for ", value_get_string(&run, "id"));
		out_safe(out, waits, strlen(waits), false);
	}
}

/* A pause's end, a time, or what starts it. */
static void wait_of_waiting(struct command *command, const struct value *job, struct strbuf *out)
{
	const struct value *next = value_get(job, "next_run_time");
	const struct value *until = value_get(job, "paused_until");
	const char *waits = value_get_string(job, "waits_for");

	if (value_is_text(value_get(job, "state"), "paused")) {
		strbuf_add(out, "to be resumed");
		if (until && until->type == VALUE_INT) {
			strbuf_add(out, ", at the latest ");
			out_when(command, out, until->integer);
		}
	} else if (waits) {
		strbuf_add(out, "for its first run: ");
		out_safe(out, waits, strlen(waits), false);
	} else if (next && next->type == VALUE_INT && next->integer > command->now) {
		strbuf_add(out, "for its time, ");
		out_when(command, out, next->integer);
	} else {
		strbuf_add(out, "for its first run");
	}
}

/* Of a job that has not run yet. */
static void wait_of_job(
    struct command *command, struct arena *arena, const char *id, struct strbuf *out)
{
	struct value params = value_map(), status, job;

	value_put(arena, &params, "id", value_string_ref(id));
	if (command_call_in(command, arena, "job.get", &params, &job, NULL) != 0)
		return;
	strbuf_printf(out, "job %s waits ", id);
	wait_of_waiting(command, &job, out);
	if (command_call_in(command, arena, "server.status", NULL, &status, NULL) == 0 &&
	    value_get(&status, "scheduler") &&
	    value_is_text(value_get(value_get(&status, "scheduler"), "state"), "paused"))
		strbuf_add(out, ", and the scheduler to be resumed");
}

/* The same but for what passes by itself: how much is taken, how long until the attempt? */
static bool wait_same(const char *a, const char *b)
{
	static const char digits[] = "0123456789", countdown[] = "attempt in ";
	bool within = false;

	for (;; a++, b++) {
		a += within ? strspn(a, digits) : 0;
		b += within ? strspn(b, digits) : 0;
		if (*a != *b || !*a)
			return *a == *b;
		within = *a == '(' || (within && *a != ')');
		if (!within && strncmp(a, countdown, sizeof(countdown) - 1) == 0 &&
		    strncmp(b, countdown, sizeof(countdown) - 1) == 0)
			return true;
	}
}

static struct run_wait wait_now(struct command *command, const char *run)
{
	struct run_wait now = RUN_WAIT_NEW;
	struct schedd_error err = {0};
	struct arena arena;

	arena_init(&arena);
	wait_of_run(command, &arena, run, &now.said, &now.attempt, &err);
	if (err.code == SCHEDD_ENOTFOUND && !strchr(run, '/'))
		wait_of_job(command, &arena, run, &now.said);
	arena_clear(&arena);
	return now;
}

static bool wait_known(const struct run_wait *now, const struct run_wait *said)
{
	return now->said.length == 0 || (now->attempt == said->attempt &&
					    wait_same(strbuf_peek(&now->said), strbuf_peek(&said->said)));
}

void run_wait_say(struct command *command, const char *run, struct run_wait *wait)
{
	static const struct timespec moment = {.tv_nsec = 50000000};
	struct run_wait now;

	command_zone(command);
	now = wait_now(command, run);
	/* On the way from one thing to the next it waits for the disk, which is nobody's news. */
	if (!wait_known(&now, wait)) {
		nanosleep(&moment, NULL);
		run_wait_clear(&now);
		now = wait_now(command, run);
	}
	if (!wait_known(&now, wait))
		say(command, "schedctl: %s", strbuf_peek(&now.said));
	run_wait_clear(wait);
	*wait = now;
}

void run_wait_clear(struct run_wait *wait)
{
	strbuf_clear(&wait->said);
	wait->attempt = 0;
}
