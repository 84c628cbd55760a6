/* SPDX-License-Identifier: MIT */
#include "cmd/run_output.h"

#include <stdio.h>
#include <string.h>

#include "cmd/out.h"
#include "cmd/run_wait.h"
#include "cmd/say.h"

#define OUTPUT_LAST_LINES 10
#define OUTPUT_LAST_BYTES 16384 /* of a line that does not end, no more is shown among others */

/* Output on its way to stdout. */
struct output_flow {
	struct command *command;
	const struct run_output *how;
	struct strbuf tail; /* what may be the beginning of a character */
	bool within;        /* a line was begun */
};

/* How many bytes at the end may belong to what comes with the next piece. */
static size_t output_open_end(const char *text, size_t length)
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
static bool output_flush(struct output_flow *flow, bool end)
{
	const char *text = strbuf_peek(&flow->tail);
	size_t length = flow->tail.length, open = end ? 0 : output_open_end(text, length);
	struct strbuf safe = STRBUF_EMPTY;
	char rest[3];
	bool written;

	memcpy(rest, text + length - open, open);
	out_safe(&safe, text, length - open, true);
	strbuf_reset(&flow->tail);
	strbuf_add_n(&flow->tail, rest, open);
	written = out_write(strbuf_peek(&safe), safe.length);
	strbuf_clear(&safe);
	return written;
}

static bool output_bytes(struct output_flow *flow, const char *bytes, size_t length)
{
	if (flow->how->raw)
		return out_write(bytes, length);
	strbuf_add_n(&flow->tail, bytes, length);
	return output_flush(flow, false);
}

/* Each line with its time before it. */
static bool output_lines(
    struct output_flow *flow, const char *bytes, size_t length, const struct value *when)
{
	bool written = true;

	while (length > 0 && written) {
		const char *newline = memchr(bytes, '\n', length);
		size_t line = newline ? (size_t)(newline - bytes) + 1 : length;
		struct strbuf time = STRBUF_EMPTY;

		if (!flow->within) {
			out_cell(flow->command, &time, OUT_WHEN, when);
			strbuf_add_char(&time, ' ');
			written = out_write(strbuf_peek(&time), time.length);
			strbuf_clear(&time);
		}
		written = written && output_bytes(flow, bytes, line);
		flow->within = !newline;
		bytes += line;
		length -= line;
	}
	return written;
}

/* Is it wanted? */
static bool output_wants(const struct run_output *how, const char *stream, const struct value *when)
{
	if ((how->only_stdout && strcmp(stream, "stdout") != 0) ||
	    (how->only_stderr && strcmp(stream, "stderr") != 0))
		return false;
	return how->since == SCHEDD_TIME_NONE || !when || when->integer >= how->since;
}

/* One piece, from run.log or a run.output notification; false: our reader went away. */
static bool output_piece(struct output_flow *flow, const struct value *piece)
{
	struct command *command = flow->command;
	const char *stream = value_get_string(piece, "stream");
	const struct value *data = value_get(piece, "data"), *when = value_get(piece, "time");

	if (stream && strcmp(stream, "gap") == 0) {
		output_flush(flow, true);
		fflush(stdout);
		say(command, "schedctl: %lld bytes were not kept here",
		    (long long)value_get_int(piece, "dropped", 0));
		return true;
	}
	if (when && when->type != VALUE_INT)
		when = NULL;
	if (!stream || !data || data->type != VALUE_STRING ||
	    !output_wants(flow->how, stream, when))
		return true;
	if (flow->how->timestamps)
		return output_lines(flow, data->string.text, data->string.length, when);
	return output_bytes(flow, data->string.text, data->string.length);
}

/* What has to be said beside what was written; NULL: nothing. */
static void output_say(struct output_flow *flow, const char *note)
{
	if (!note)
		return;
	output_flush(flow, true);
	fflush(stdout);
	say(flow->command, "schedctl: %s", note);
}

/* Nothing came for a second: what it waits for, if anything, is told. */
static void output_idle(struct output_flow *flow, const char *run, struct run_wait *wait)
{
	if (flow->command->out.quiet)
		return;
	fflush(stdout);
	run_wait_say(flow->command, run, wait);
}

/* Notifications of one follow until run.end. */
static int output_follow(struct output_flow *flow, const char *run, int64_t follow)
{
	struct command *command = flow->command;
	struct schedd_error err = {0};
	struct run_wait wait = RUN_WAIT_NEW;
	const char *method;
	struct value params;
	struct arena arena;
	int status = -1;

	arena_init(&arena);
	while (status < 0) {
		int rc = command_next(command, SCHEDD_SECOND, &arena, &method, &params, &err);

		if (rc <= 0)
			status = rc ? say_error(command, &err) : EXIT_PIPE;
		else if (!method)
			output_idle(flow, run, &wait);
		else if (value_get_int(&params, "follow", -1) != follow && flow->how->other)
			flow->how->other(command, method, &params, flow->how->context);
		else if (value_get_int(&params, "follow", -1) != follow)
			;
		else if (strcmp(method, "run.end") == 0)
			status = EXIT_DONE;
		else if (strcmp(method, "run.note") == 0)
			output_say(flow, value_get_string(&params, "note"));
		else if (!output_piece(flow, &params) || fflush(stdout) != 0)
			status = EXIT_PIPE;
		arena_clear(&arena);
	}
	run_wait_clear(&wait);
	arena_clear(&arena);
	return status;
}

/* The next part of what is kept; *offset -1: there is no more, and it goes on as *stream. */
static int output_part(struct output_flow *flow, const char *run, int64_t *offset, int64_t *stream)
{
	struct command *command = flow->command;
	const struct run_output *how = flow->how;
	struct value params = value_map(), result;
	struct schedd_error err = {0};
	const struct value *pieces;
	int status = EXIT_DONE;
	struct arena arena;

	arena_init(&arena);
	value_put(&arena, &params, "run", value_string_ref(run));
	if (*offset == 0 && how->tail >= 0)
		value_put(&arena, &params, "tail", value_int(how->tail));
	else
		value_put(&arena, &params, "offset", value_int(*offset));
	if (how->tail >= 0 && (how->only_stdout || how->only_stderr))
		value_put(&arena, &params, "stream",
		    value_string_ref(how->only_stdout ? "stdout" : "stderr"));
	if (how->follow)
		value_put(&arena, &params, "follow", value_bool(true));
	if (command_call_in(command, &arena, "run.log", &params, &result, &err) != 0)
		status = say_error(command, &err);
	pieces = status == EXIT_DONE ? value_get(&result, "pieces") : NULL;
	for (uint32_t i = 0; pieces && i < pieces->array.count && status == EXIT_DONE; i++)
		if (!output_piece(flow, &pieces->array.items[i]))
			status = EXIT_PIPE;
	if (status == EXIT_DONE)
		output_say(flow, value_get_string(&result, "note"));
	*offset = status == EXIT_DONE ? value_get_int(&result, "next", -1) : -1;
	*stream = status == EXIT_DONE ? value_get_int(&result, "follow", -1) : -1;
	arena_clear(&arena);
	return status;
}

int run_output_show(struct command *command, const char *run, const struct run_output *how)
{
	struct output_flow flow = {.command = command, .how = how};
	int64_t offset = 0, stream = -1;
	int status = EXIT_DONE;

	command_zone(command);
	while (status == EXIT_DONE && offset >= 0)
		status = output_part(&flow, run, &offset, &stream);
	if (fflush(stdout) != 0)
		status = EXIT_PIPE;
	if (status == EXIT_DONE && stream >= 0)
		status = output_follow(&flow, run, stream);
	if (!output_flush(&flow, true) && status == EXIT_DONE)
		status = EXIT_PIPE;
	strbuf_clear(&flow.tail);
	return status;
}

/* ---- Its last words, among other things ---- */

static void output_indent(struct strbuf *out, const char *text, size_t length)
{
	while (length > 0) {
		const char *newline = memchr(text, '\n', length);
		size_t line = newline ? (size_t)(newline - text) : length;

		strbuf_add(out, "  ");
		out_safe(out, text, line, true);
		strbuf_add_char(out, '\n');
		line += newline != NULL;
		text += line;
		length -= line;
	}
}

/* All pieces of an answer as one text. */
static void output_joined(struct strbuf *text, const struct value *pieces)
{
	for (uint32_t i = 0; pieces && i < pieces->array.count; i++) {
		const struct value *data = value_get(&pieces->array.items[i], "data");

		if (data && data->type == VALUE_STRING)
			strbuf_add_n(text, data->string.text, data->string.length);
	}
}

int run_output_last(struct command *command, const struct value *run)
{
	const char *id = value_get_string(run, "id");
	uint64_t kept = (uint64_t)(value_get_int(run, "output_bytes", 0) -
				   value_get_int(run, "output_dropped", 0));
	struct strbuf text = STRBUF_EMPTY, out = STRBUF_EMPTY;
	struct value params = value_map(), result;
	struct schedd_error err = {0};
	bool written = true;
	size_t skip = 0;

	value_put(&command->arena, &params, "run", value_string_ref(id));
	value_put(&command->arena, &params, "tail", value_int(OUTPUT_LAST_LINES));
	if (!id)
		return EXIT_DONE;
	if (command_call(command, "run.log", &params, &result, &err) != 0) {
		fflush(stdout);
		say(command, "schedctl: %s", err.message);
		return EXIT_DONE;
	}
	output_joined(&text, value_get(&result, "pieces"));
	if (text.length > OUTPUT_LAST_BYTES)
		skip = text.length - OUTPUT_LAST_BYTES;
	if (text.length > 0) {
		strbuf_printf(&out, "\n%sLast lines of %s%s", out_color(command, "bold"), id,
		    out_color(command, NULL));
		strbuf_add(&out, skip > 0 || kept > text.length ? " (all: schedctl logs " : "\n");
		if (skip > 0 || kept > text.length)
			strbuf_printf(&out, "%s)\n", id);
		output_indent(&out, strbuf_peek(&text) + skip, text.length - skip);
		written = out_write(strbuf_peek(&out), out.length);
	}
	strbuf_clear(&text);
	strbuf_clear(&out);
	return written ? EXIT_DONE : EXIT_PIPE;
}
