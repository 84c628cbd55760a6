/* SPDX-License-Identifier: MIT */
#include "cmd/run_watch.h"

#include <stdio.h>
#include <string.h>

#include "cmd/out.h"
#include "cmd/run_output.h"
#include "cmd/run_wait.h"
#include "cmd/say.h"

int run_watch_status(const struct value *run, bool exit_status)
{
	const char *state = value_get_string(run, "state");
	const struct value *code = value_get(run, "exit_code");
	const struct value *signal_value = value_get(run, "signal");

	if (exit_status && code && code->type == VALUE_INT)
		return (int)(code->integer & 0xff);
	if (exit_status && signal_value && signal_value->type == VALUE_INT)
		return 128 + (int)signal_value->integer;
	if (state && strcmp(state, "success") == 0)
		return EXIT_DONE;
	return exit_status ? EXIT_OWN_FAILURE : EXIT_RUN_FAILED;
}

void run_watch_say(struct command *command, const struct value *run, int status)
{
	struct strbuf text = STRBUF_EMPTY;
	const struct value *code = value_get(run, "exit_code"), *number = value_get(run, "signal");
	const char *reason = value_get_string(run, "reason");
	double seconds;

	strbuf_printf(&text, "%s: %s", value_get_string(run, "id"), value_get_string(run, "state"));
	if (code && code->type == VALUE_INT && code->integer != 0)
		strbuf_printf(&text, ", exit code %lld", (long long)code->integer);
	if (number && number->type == VALUE_INT)
		strbuf_printf(&text, ", signal %s", strsignal((int)number->integer));
	if (value_get(run, "duration") && value_number(value_get(run, "duration"), &seconds)) {
		strbuf_add(&text, " after ");
		out_span(&text, seconds);
	}
	/* "exit code 3" was said already. */
	if (reason &&
	    !(code && code->type == VALUE_INT && strncmp(reason, "exit code ", 10) == 0)) {
		strbuf_add(&text, ": ");
		out_safe(&text, reason, strlen(reason), false);
	}
	say_ended(command, status, strbuf_peek(&text));
	strbuf_clear(&text);
}

/* ---- Waiting ---- */

int run_watch_answer(struct command *command, const char *run, uint32_t msgid, struct value *result,
    struct schedd_error *err)
{
	struct run_wait wait = RUN_WAIT_NEW;
	int rc = 0;

	while (!command->out.quiet && rc == 0) {
		rc = rpc_client_arrived(command->client, msgid, SCHEDD_SECOND, err);
		if (rc == 0)
			run_wait_say(command, run, &wait);
	}
	run_wait_clear(&wait);
	if (rc < 0)
		return rc;
	rc = rpc_client_receive_within(
	    command->client, msgid, SCHEDD_SPAN_NONE, &command->arena, result, err);
	if (rc == 0 && !value_get_bool(result, "stored", true))
		say(command, "%s has ended, which its store has not taken yet", run);
	return rc;
}

static int watch_wait(struct command *command, const char *run, const char *what,
    struct value *result, struct schedd_error *err)
{
	struct value params = value_map();
	uint32_t msgid;
	int rc = command_connect(command, err);

	value_put(&command->arena, &params, "run", value_string_ref(run));
	value_put(&command->arena, &params, "for", value_string_ref(what));
	if (!rc)
		rc = rpc_client_send(command->client, "run.wait", &params, &msgid, err);
	if (!rc)
		rc = run_watch_answer(command, run, msgid, result, err);
	return rc;
}

int run_watch_begins(struct command *command, const char *run, struct schedd_error *err)
{
	struct value params = value_map(), found;
	const char *state;
	int rc;

	value_put(&command->arena, &params, "run", value_string_ref(run));
	rc = command_call(command, "run.get", &params, &found, err);
	state = rc ? NULL : value_get_string(&found, "state");
	if (state && strcmp(state, "retrying") == 0) {
		struct run_wait wait = RUN_WAIT_NEW;

		/* What it wrote so far comes first, and its end all the same. */
		run_wait_say(command, value_get_string(&found, "id"), &wait);
		run_wait_clear(&wait);
	}
	if (!state || strcmp(state, "queued") != 0)
		return rc;
	return watch_wait(command, value_get_string(&found, "id"), "running", &found, err);
}

int run_watch(struct command *command, const char *run, bool follow, bool exit_status)
{
	const struct run_output how = {.tail = -1, .since = SCHEDD_TIME_NONE, .follow = true};
	struct schedd_error err = {0};
	struct value result = value_nil();
	/* Who reads our output may want to know the run's id while it goes on. */
	int status = fflush(stdout) == 0 ? EXIT_DONE : EXIT_PIPE;

	if (status == EXIT_DONE && follow) {
		if (watch_wait(command, run, "running", &result, &err) == 0)
			status = run_output_show(command, value_get_string(&result, "id"), &how);
		else
			status = say_error(command, &err);
	}
	if (status == EXIT_DONE) {
		const char *id = value_get_string(&result, "id");

		if (watch_wait(command, id ? id : run, "done", &result, &err) != 0)
			status = say_error(command, &err);
	}
	if (status != EXIT_DONE)
		return exit_status && status != EXIT_PIPE ? EXIT_OWN_FAILURE : status;
	status = run_watch_status(&result, exit_status);
	if (run_watch_status(&result, false) != EXIT_DONE)
		run_watch_say(command, &result, status);
	else if (command->out.verbose)
		run_watch_say(command, &result, EXIT_DONE);
	return status;
}
