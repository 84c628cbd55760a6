/* SPDX-License-Identifier: MIT */
#include "cmd/run_watch.h"

#include <stdio.h>
#include <string.h>

#include "cmd/out.h"

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

void run_watch_say(struct command *command, const struct value *run)
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
	if (reason) {
		strbuf_add(&text, ": ");
		out_safe(&text, reason, strlen(reason), false);
	}
	command_say(command, "%s", strbuf_peek(&text));
	strbuf_clear(&text);
}

/* ---- Output ---- */

/* One piece, from run.log or a run.output notification; false: our reader went away. */
static bool watch_piece(
    struct command *command, const struct value *piece, const struct run_output *how)
{
	const char *stream = value_get_string(piece, "stream");
	const struct value *data = value_get(piece, "data");
	struct strbuf safe = STRBUF_EMPTY;
	bool written = true;

	if (stream && strcmp(stream, "gap") == 0) {
		fflush(stdout);
		command_say(command, "schedctl: %lld bytes were not kept here",
		    (long long)value_get_int(piece, "dropped", 0));
		return true;
	}
	if (!stream || !data || data->type != VALUE_STRING ||
	    (how->only_stdout && strcmp(stream, "stdout") != 0) ||
	    (how->only_stderr && strcmp(stream, "stderr") != 0))
		return true;
	if (how->raw || !command->out.terminal)
		return out_write(data->string.text, data->string.length);
	out_safe(&safe, data->string.text, data->string.length, true);
	written = out_write(strbuf_peek(&safe), safe.length);
	strbuf_clear(&safe);
	return written;
}

/* Notifications of one follow until run.end, which becomes *ended. */
static int watch_follow(
    struct command *command, int64_t follow, const struct run_output *how, struct value *ended)
{
	struct schedd_error err = {0};
	const char *method;
	struct value params;
	struct arena arena;
	int status = -1;

	arena_init(&arena);
	while (status < 0) {
		int rc = rpc_client_next(
		    command->client, SCHEDD_SPAN_NONE, &arena, &method, &params, &err);

		if (rc < 0) {
			status = command_fail(command, &err);
		} else if (value_get_int(&params, "follow", -1) == follow) {
			if (strcmp(method, "run.end") == 0) {
				if (ended && value_get(&params, "result"))
					*ended = value_copy(
					    &command->arena, value_get(&params, "result"));
				status = EXIT_DONE;
			} else if (!watch_piece(command, &params, how) || fflush(stdout) != 0) {
				status = EXIT_PIPE;
			}
		}
		arena_clear(&arena);
	}
	arena_clear(&arena);
	return status;
}

int run_watch_output(struct command *command, const char *run, const struct run_output *how,
    bool follow, struct value *ended)
{
	struct schedd_error err = {0};
	struct arena arena;
	int64_t offset = 0, stream = -1;
	int status = EXIT_DONE;

	arena_init(&arena);
	while (status == EXIT_DONE && offset >= 0) {
		struct value params = value_map(), result;
		const struct value *pieces;

		value_put(&arena, &params, "run", value_string_ref(run));
		value_put(&arena, &params, "offset", value_int(offset));
		if (follow)
			value_put(&arena, &params, "follow", value_bool(true));
		if (command_call_in(command, &arena, "run.log", &params, &result, &err) != 0) {
			status = command_fail(command, &err);
			break;
		}
		pieces = value_get(&result, "pieces");
		for (uint32_t i = 0; pieces && i < pieces->array.count && status == EXIT_DONE; i++)
			if (!watch_piece(command, &pieces->array.items[i], how))
				status = EXIT_PIPE;
		offset = value_get_int(&result, "next", -1);
		stream = value_get_int(&result, "follow", -1);
		arena_clear(&arena);
	}
	if (fflush(stdout) != 0)
		status = EXIT_PIPE;
	if (status == EXIT_DONE && stream >= 0)
		status = watch_follow(command, stream, how, ended);
	arena_clear(&arena);
	return status;
}

/* ---- Waiting ---- */

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
		rc = rpc_client_receive_within(
		    command->client, msgid, SCHEDD_SPAN_NONE, &command->arena, result, err);
	return rc;
}

int run_watch(struct command *command, const char *run, bool follow, bool exit_status)
{
	const struct run_output how = {.raw = false};
	struct schedd_error err = {0};
	struct value result = value_nil();
	int status = EXIT_DONE;

	if (follow) {
		if (watch_wait(command, run, "running", &result, &err) == 0)
			status = run_watch_output(
			    command, value_get_string(&result, "id"), &how, true, NULL);
		else
			status = command_fail(command, &err);
	}
	if (status == EXIT_DONE) {
		const char *id = value_get_string(&result, "id");

		if (watch_wait(command, id ? id : run, "done", &result, &err) != 0)
			status = command_fail(command, &err);
	}
	if (status != EXIT_DONE)
		return exit_status && status != EXIT_PIPE ? EXIT_OWN_FAILURE : status;
	if (run_watch_status(&result, false) != EXIT_DONE || command->out.verbose)
		run_watch_say(command, &result);
	return run_watch_status(&result, exit_status);
}
