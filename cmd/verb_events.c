/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/job_input.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/verb_rows.h"

#define EVENTS_LATEST_MAX 100000

static const struct option events_options[] = {
    {.name = "follow",
	.letter = 'f',
	.section = "Options",
	.doc = "go on with events as they happen"},
    {.name = "since",
	.value = "SEQ",
	.doc = "begin after that sequence number (default: all that is kept)"},
    {.name = "event",
	.value = "NAME,…",
	.complete = COMPLETE_EVENT,
	.repeat = true,
	.doc = "only events of these names, see schedd-protocol(7)"},
    {.name = "number",
	.letter = 'n',
	.value = "N",
	.doc = "only the latest N of those that are kept; with -f those to come follow"},
    {.name = "tag",
	.letter = 't',
	.value = "K[=V]",
	.complete = COMPLETE_TAG,
	.repeat = true,
	.doc = "only of jobs with that tag"},
    {.name = "node",
	.value = "NODE",
	.complete = COMPLETE_NODE,
	.doc = "only of that node, where a store is shared (default: of all of them)"},
    {0},
};

static const struct option *const events_sets[] = {events_options, NULL};

static void events_list(struct command *command, struct value *params, const char *key,
    const char *option, const char *separators)
{
	struct value list = value_array();
	const char *text;
	int position = 0;

	while ((text = args_next(&command->args, option, &position)))
		do {
			size_t length = strcspn(text, separators);

			if (length > 0)
				value_append(&command->arena, &list,
				    value_string_n(&command->arena, text, length));
			text += length;
		} while (*text++);
	if (list.array.count > 0)
		value_put(&command->arena, params, key, list);
}

/* "12  2026-12-01T…  job_executed  backup/42  exit 0" */
static void events_line(struct command *command, const struct value *event, struct strbuf *line)
{
	const char *job = value_get_string(event, "job"), *error = value_get_string(event, "error");
	const char *run = value_get_string(event, "run");
	int64_t uid = value_get_int(event, "uid", -1);
	const struct value *code = value_get(event, "exit_code");

	strbuf_printf(line, "%lld  ", (long long)value_get_int(event, "seq", 0));
	out_when(command, line, value_get_int(event, "time", SCHEDD_TIME_NONE));
	strbuf_printf(line, "  %s", value_get_string(event, "event"));
	if (run || job)
		strbuf_printf(line, "  %s", run ? run : job);
	if (code && code->type == VALUE_INT)
		strbuf_printf(line, "  exit %lld", (long long)code->integer);
	if (value_get_string(event, "signal"))
		strbuf_printf(line, "  %s", value_get_string(event, "signal"));
	if (uid >= 0)
		strbuf_printf(line, "  by uid %lld", (long long)uid);
	if (value_get_string(event, "node"))
		strbuf_printf(line, "  on %s", value_get_string(event, "node"));
	if (error) {
		strbuf_add(line, "  ");
		out_safe(line, error, strlen(error), false);
	}
	strbuf_add_char(line, '\n');
}

/* rows: the array of --json, which only a list that ends can have; else NULL. */
static bool events_show(struct command *command, const struct value *event, struct out_list *rows)
{
	struct strbuf line = STRBUF_EMPTY;
	bool written;

	if (rows)
		out_list_row(rows, event);
	else if (out_is_json(command))
		return out_json(command, event) == EXIT_DONE;
	if (rows)
		return true;
	events_line(command, event, &line);
	written = out_write(strbuf_peek(&line), line.length);
	strbuf_clear(&line);
	return written;
}

static void events_dropped(struct command *command, const struct value *params)
{
	const char *node = value_get_string(params, "node"), *why = value_get_string(params, "why");
	const struct value *count = value_get(params, "count");
	int64_t to = value_get_int(params, "to", -1);

	if (node && why && count && count->type == VALUE_INT)
		say(command, "schedctl: node %s: %lld events are missing: %s", node, (long long)count->integer, why);
	else if (node && why && to >= 0)
		say(command, "schedctl: node %s %s: its events up to %lld are not shown", node, why, (long long)to);
	else if (node && why)
		say(command, "schedctl: node %s %s: its events after %lld are not known", node, why,
		    (long long)value_get_int(params, "from", 1) - 1);
	else
		say(command, "schedctl: %lld events were dropped, because they were not read in time",
		    (long long)value_get_int(params, "count", 0));
}

/* One notification; false: the reader of our output went away. */
static bool events_take(struct command *command, const char *method, const struct value *params)
{
	if (strcmp(method, "event.dropped") == 0)
		events_dropped(command, params);
	else if (strcmp(method, "event") == 0)
		return events_show(command, params, NULL);
	return true;
}

/* Shows notifications, for ever. */
static int events_read(struct command *command)
{
	struct schedd_error err = {0};
	const char *method;
	struct value params;
	struct arena arena;
	int rc = 1, status = EXIT_DONE;

	arena_init(&arena);
	while (rc > 0 && status == EXIT_DONE) {
		rc = command_next(command, SCHEDD_SPAN_NONE, &arena, &method, &params, &err);
		if (rc == 0)
			status = EXIT_PIPE;
		if (rc > 0 && (!events_take(command, method, &params) || fflush(stdout) != 0))
			status = EXIT_PIPE;
		arena_clear(&arena);
	}
	return rc < 0 ? say_error(command, &err) : status;
}

/* ---- The latest of those that are kept ---- */

/* All that has come already; those of several nodes are put in order when they are shown. */
struct events_kept {
	struct arena arena;
	struct value *events;
	size_t count, capacity;
};

static int events_gather(struct command *command, struct events_kept *kept, struct schedd_error *err)
{
	const char *method;
	struct value params;
	struct arena arena;
	int rc;

	arena_init(&arena);
	while ((rc = rpc_client_next(command->client, 0, &arena, &method, &params, err)) > 0) {
		if (strcmp(method, "event.dropped") == 0)
			events_dropped(command, &params);
		if (strcmp(method, "event") == 0 && kept->count == kept->capacity) {
			size_t capacity = kept->capacity ? kept->capacity * 2 : 256;
			struct value *events = realloc(kept->events, capacity * sizeof(events[0]));

			if (!events) {
				rc = schedd_error_nomem(err);
				break;
			}
			kept->events = events;
			kept->capacity = capacity;
		}
		if (strcmp(method, "event") == 0)
			kept->events[kept->count++] = value_copy(&kept->arena, &params);
		arena_clear(&arena);
	}
	arena_clear(&arena);
	return rc;
}

/* Of one node by number, since clocks may be set; of several by time. */
static int events_compare(const void *a, const void *b)
{
	const struct value *left = a, *right = b;
	bool several = value_get_string(left, "node") && value_get_string(right, "node");
	int64_t x = several ? value_get_int(left, "time", 0) : 0;
	int64_t y = several ? value_get_int(right, "time", 0) : 0;

	if (x == y) {
		x = value_get_int(left, "seq", 0);
		y = value_get_int(right, "seq", 0);
	}
	return (x > y) - (x < y);
}

/* latest 0: all of them. */
static int events_latest(struct command *command, size_t latest, struct out_list *rows)
{
	struct events_kept kept = {.count = 0};
	struct schedd_error err = {0};
	int status = EXIT_DONE;

	arena_init(&kept.arena);
	if (events_gather(command, &kept, &err) != 0)
		status = say_error(command, &err);
	if (kept.count > 1)
		qsort(kept.events, kept.count, sizeof(kept.events[0]), events_compare);
	for (size_t i = latest && kept.count > latest ? kept.count - latest : 0; i < kept.count && !status; i++)
		if (!events_show(command, &kept.events[i], rows))
			status = EXIT_PIPE;
	arena_clear(&kept.arena);
	free(kept.events);
	if (fflush(stdout) != 0)
		status = EXIT_PIPE;
	return status;
}

/* What the daemon replays stands before its answer to a later call. latest 0: all of it. */
static int events_kept(struct command *command, size_t latest)
{
	static const struct out_column none[] = {{0}};
	bool follow = args_has(&command->args, "follow");
	struct schedd_error err = {0};
	struct out_list *rows = NULL;
	struct value result;
	int status, ended;

	if (command->out.format == OUT_JSON && !follow) {
		rows = out_list_begin(command, none, "event", &err);
		if (!rows)
			return say_error(command, &err);
	}
	if (command_call(command, "server.ping", NULL, &result, &err) != 0) {
		out_list_drop(rows);
		return say_error(command, &err);
	}
	status = events_latest(command, latest, rows);
	ended = rows ? out_list_end(rows) : EXIT_DONE;
	return status ? status : ended;
}

static int events_run(struct command *command)
{
	const char *since = args_get(&command->args, "since");
	struct value params = value_map(), result, jobs = value_array();
	struct schedd_error err = {0};
	const char *number = args_get(&command->args, "number");
	struct value latest = value_int(0);
	int status = EXIT_DONE;
	long long from = 0;
	char *end;

	if (number && job_input_integer("number", number, &latest, &err) != 0)
		return say_error(command, &err);
	if (number && (latest.integer < 1 || latest.integer > EVENTS_LATEST_MAX))
		return say_usage(command, "-n: %s is out of 1 to %d", number, EVENTS_LATEST_MAX);
	if (since) {
		from = strtoll(since, &end, 10);
		if (*end || end == since || from < 0)
			return say_usage(command, "--since: '%s' is not a sequence number", since);
	}
	events_list(command, &params, "events", "event", ",");
	events_list(command, &params, "tags", "tag", "");
	for (int i = 0; i < command->args.word_count; i++)
		value_append(&command->arena, &jobs, value_string_ref(command->args.words[i]));
	if (jobs.array.count > 0)
		value_put(&command->arena, &params, "jobs", jobs);
	if (args_get(&command->args, "node"))
		value_put(&command->arena, &params, "node", value_string_ref(args_get(&command->args, "node")));
	if (since || number || !args_has(&command->args, "follow"))
		value_put(&command->arena, &params, "since", value_int(from));
	if (command_call(command, "event.subscribe", &params, &result, &err) != 0)
		return say_error(command, &err);
	command_zone(command);
	if (since && value_get_int(&result, "first", 0) > from + 1)
		say(command, "schedctl: events %lld to %lld are gone", from + 1,
		    (long long)value_get_int(&result, "first", 0) - 1);
	if (number || !args_has(&command->args, "follow"))
		status = events_kept(command, (size_t)latest.integer);
	if (!status && args_has(&command->args, "follow"))
		status = events_read(command);
	return status;
}

const struct verb verb_events = {
    .name = "events",
    .group = "Runs",
    .summary = "show what happened, or follow it as it happens",
    .usage = "[JOB…] [-f] [-n N] [--since SEQ] [--event NAME,…]",
    .examples = "schedctl events -n 20\nschedctl events --event job_error,job_missed\nschedctl "
		"events -f\nschedctl events -f --since 1042 --event "
		"job_error --json",
    .notes = "JOB may be a quoted glob. The daemon keeps the latest events in memory; --since says "
	     "when\n"
	     "some of those asked for are gone. --json is an array, with -f a line for each event.",
    .options = events_sets,
    .complete = COMPLETE_JOB,
    .max_words = -1,
    .run = events_run,
};
