/* SPDX-License-Identifier: MIT */
/* wait: the daemon answers when it has happened. */
#include <string.h>

#include "base/duration.h"
#include "cmd/out.h"
#include "cmd/run_watch.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

static const char *const for_words[] = {"done", "success", "running", "idle", NULL};

static const struct option wait_options[] = {
    {.name = "for",
	.value = "done|success|running|idle",
	.section = "Options",
	.complete = COMPLETE_WORDS,
	.words = for_words,
	.doc = "what to wait for (default done)"},
    {.name = "timeout",
	.value = "DUR",
	.complete = COMPLETE_DURATION,
	.doc = "give up after so long, with exit status 8"},
    {0},
};

static const struct option *const wait_sets[] = {wait_options, NULL};

static int wait_one(struct command *command, const char *run, const char *what, schedd_span timeout)
{
	struct value params = value_map(), result;
	struct schedd_error err = {0};
	uint32_t msgid;
	int status;

	value_put(&command->arena, &params, "run", value_string_ref(run));
	value_put(&command->arena, &params, "for", value_string_ref(what));
	if (timeout != SCHEDD_SPAN_NONE)
		value_put(&command->arena, &params, "timeout", duration_to_value(timeout));
	if (command_connect(command, &err) != 0 ||
	    rpc_client_send(command->client, "run.wait", &params, &msgid, &err) != 0 ||
	    run_watch_answer(command, run, msgid, &result, &err) != 0)
		return say_error(command, &err);
	if (out_is_json(command))
		out_json(command, &result);
	if (strcmp(what, "running") == 0 || strcmp(what, "idle") == 0)
		return EXIT_DONE;
	status = run_watch_status(&result, false);
	if (status != EXIT_DONE || command->out.verbose)
		run_watch_say(command, &result, status);
	return status;
}

static int wait_run(struct command *command)
{
	const char *what = args_get(&command->args, "for");
	const char *text = args_get(&command->args, "timeout");
	schedd_span timeout = SCHEDD_SPAN_NONE, left;
	const struct schedd_clock *clock = schedd_clock_system();
	struct schedd_mono begin = clock->mono(NULL);
	struct schedd_error err = {0};
	int status = EXIT_DONE;

	if (text && duration_parse(text, &timeout, &err) != 0) {
		schedd_error_prefix(&err, "--timeout");
		return say_error(command, &err);
	}
	for (int i = 0; i < command->args.word_count; i++) {
		int one;

		left = timeout;
		if (timeout != SCHEDD_SPAN_NONE)
			left -= clock->mono(NULL).us - begin.us;
		if (timeout != SCHEDD_SPAN_NONE && left < 0)
			left = 0;
		one = wait_one(command, command->args.words[i], what ? what : "done", left);
		status = status ? status : one;
	}
	return status;
}

const struct verb verb_wait = {
    .name = "wait",
    .group = "Runs",
    .summary = "wait for runs",
    .usage = "JOB|JOB/N… [--for done|success|running|idle] [--timeout DUR]",
    .examples = "schedctl wait backup/42\n"
		"schedctl wait \"$(schedctl run backup)\" --timeout 10m\n"
		"schedctl wait import --for idle",
    .notes = "JOB alone means its latest run, or its first one if it never ran. Exits 10 when an "
	     "awaited\n"
	     "run ended without success, 8 when the time is over.",
    .options = wait_sets,
    .complete = COMPLETE_RUN,
    .min_words = 1,
    .max_words = -1,
    .from_input = true,
    .run = wait_run,
};
