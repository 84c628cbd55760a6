/* SPDX-License-Identifier: MIT */
#include "cmd/run_watch.h"

#include <stdio.h>
#include <string.h>

#include "cmd/out.h"
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
	/* "exit code 3" was said already. */
	if (reason &&
	    !(code && code->type == VALUE_INT && strncmp(reason, "exit code ", 10) == 0)) {
		strbuf_add(&text, ": ");
		out_safe(&text, reason, strlen(reason), false);
	}
	say(command, "%s", strbuf_peek(&text));
	strbuf_clear(&text);
}

/* ---- Output ---- */

/* Output on its way to stdout. */
struct watch {
	struct command *command;
	const struct run_output *how;
	struct strbuf tail; /* what may be the beginning of a character */
};

/* How many bytes at the end may belong to what comes with the next piece. */
static size_t watch_open_end(const char *text, size_t length)
{
	if (length > 0 && text[length - 1] == '\r')
		return 1;
	for (size_t back = 1; back <= 3 && back <= length; back++) {
		unsigned char c = (unsigned char)text[length - back];

		if (c >= 0xc0)
			return back < (c >= 0xf0 ? 4u : c >= 0xe0 ? 3u : 2u) ? back : 0;
		if (c < 0x80)
			break;
	}
	return 0;
}

/* Writes what is there, made safe; end: also what may not be whole. */
static bool watch_write(struct watch *watch, bool end)
{
	const char *text = strbuf_peek(&watch->tail);
	size_t length = watch->tail.length, open = end ? 0 : watch_open_end(text, length);
	struct strbuf safe = STRBUF_EMPTY;
	char rest[3];
	bool written;

	memcpy(rest, text + length - open, open);
	out_safe(&safe, text, length - open, true);
	strbuf_reset(&watch->tail);
	strbuf_add_n(&watch->tail, rest, open);
	written = out_write(strbuf_peek(&safe), safe.length);
	strbuf_clear(&safe);
	return written;
}

/* One piece, from run.log or a run.output notification; false: our reader went away. */
static bool watch_piece(struct watch *watch, const struct value *piece)
{
	struct command *command = watch->command;
	const struct run_output *how = watch->how;
	const char *stream = value_get_string(piece, "stream");
	const struct value *data = value_get(piece, "data");

	if (stream && strcmp(stream, "gap") == 0) {
		watch_write(watch, true);
		fflush(stdout);
		say(command, "schedctl: %lld bytes were not kept here",
		    (long long)value_get_int(piece, "dropped", 0));
		return true;
	}
	if (!stream || !data || data->type != VALUE_STRING ||
	    (how->only_stdout && strcmp(stream, "stdout") != 0) ||
	    (how->only_stderr && strcmp(stream, "stderr") != 0))
		return true;
	if (how->raw)
		return out_write(data->string.text, data->string.length);
	strbuf_add_n(&watch->tail, data->string.text, data->string.length);
	return watch_write(watch, false);
}

/* Notifications of one follow until run.end, which becomes *ended. */
static int watch_follow(struct watch *watch, int64_t follow, struct value *ended)
{
	struct command *command = watch->command;
	struct schedd_error err = {0};
	const char *method;
	struct value params;
	struct arena arena;
	int status = -1;

	arena_init(&arena);
	while (status < 0) {
		int rc = command_next(command, &arena, &method, &params, &err);

		if (rc <= 0) {
			status = rc ? say_error(command, &err) : EXIT_PIPE;
		} else if (value_get_int(&params, "follow", -1) == follow) {
			if (strcmp(method, "run.end") == 0) {
				if (ended && value_get(&params, "result"))
					*ended = value_copy(
					    &command->arena, value_get(&params, "result"));
				status = EXIT_DONE;
			} else if (!watch_piece(watch, &params) || fflush(stdout) != 0) {
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
	struct watch watch = {.command = command, .how = how};
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
			status = say_error(command, &err);
			break;
		}
		pieces = value_get(&result, "pieces");
		for (uint32_t i = 0; pieces && i < pieces->array.count && status == EXIT_DONE; i++)
			if (!watch_piece(&watch, &pieces->array.items[i]))
				status = EXIT_PIPE;
		offset = value_get_int(&result, "next", -1);
		stream = value_get_int(&result, "follow", -1);
		arena_clear(&arena);
	}
	if (fflush(stdout) != 0)
		status = EXIT_PIPE;
	if (status == EXIT_DONE && stream >= 0)
		status = watch_follow(&watch, stream, ended);
	if (!watch_write(&watch, true) && status == EXIT_DONE)
		status = EXIT_PIPE;
	strbuf_clear(&watch.tail);
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
	/* Who reads our output may want to know the run's id while it goes on. */
	int status = fflush(stdout) == 0 ? EXIT_DONE : EXIT_PIPE;

	if (status == EXIT_DONE && follow) {
		if (watch_wait(command, run, "running", &result, &err) == 0)
			status = run_watch_output(
			    command, value_get_string(&result, "id"), &how, true, NULL);
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
	if (run_watch_status(&result, false) != EXIT_DONE || command->out.verbose)
		run_watch_say(command, &result);
	return run_watch_status(&result, exit_status);
}
