/* SPDX-License-Identifier: MIT */
/*
 * next: fire times to come, of trigger options or a batch (without a daemon),
 * of jobs, or of all jobs as an agenda.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/iso8601.h"
#include "base/text_file.h"
#include "cmd/gone.h"
#include "cmd/job_input.h"
#include "cmd/job_spec.h"
#include "cmd/next_agenda.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "cmd/targets.h"
#include "cmd/verb_rows.h"
#include "trigger/trigger_flags.h"
#include "trigger/trigger_preview.h"
#include "trigger/when.h"

static const struct option next_options[] = {
    {.name = "number",
	.letter = 'n',
	.value = "N",
	.section = "Options",
	.doc = "how many (default 5; with --until as many as there are)"},
    {.name = "from",
	.value = "TIME",
	.complete = COMPLETE_TIME,
	.doc = "at or after (default now)"},
    {.name = "until", .value = "TIME", .complete = COMPLETE_TIME, .doc = "at or before"},
    {.name = "all", .doc = "of all jobs: the agenda"},
    {.name = "node",
	.value = "NODE",
	.complete = COMPLETE_NODE,
	.doc = "with --all: only the jobs that this node of a shared store has now"},
    {.name = "id", .value = "ID", .doc = "with trigger options: the job id that H and splay hash"},
    {.name = "batch",
	.value = "FILE|-",
	.complete = COMPLETE_FILE,
	.doc = "answer one JSON object a line: {\"trigger\":{…},\"from\":…,\"until\":…,\"n\":…}"},
    {0},
};

static const struct option *const next_sets[] = {option_trigger, next_options, NULL};

/* ---- Showing ---- */

static const struct out_column next_columns[] = {
    {"time", "time", OUT_TEXT, true, true, false},
    {"in", "in", OUT_TEXT, true, true, false},
    {"note", "note", OUT_TEXT, true, true, true},
    {0},
};

/* The words of one note; date NULL: it has none. */
static void next_note(struct strbuf *out, const char *note, const char *date)
{
	static const struct {
		const char *name, *words, *rest; /* a date stands between */
	} notes[] = {
	    {"moved", "its wall-clock time does not exist that day: moved to after the gap", NULL},
	    {"first_pass", "this wall-clock time comes twice: the first", NULL},
	    {"second_pass", "this wall-clock time comes twice: the second", NULL},
	    {"left_out", "before it, ", " has no run: none of its wall-clock times exists"},
	};

	for (size_t i = 0; note && i < sizeof(notes) / sizeof(notes[0]); i++) {
		if (strcmp(notes[i].name, note) != 0)
			continue;
		strbuf_printf(out, "%s%s", out->length > 0 ? "; " : "", notes[i].words);
		if (notes[i].rest)
			strbuf_printf(out, "%s%s", date ? date : "a day", notes[i].rest);
	}
}

/* The notes on a fire time, if the answer has some. */
static struct value next_note_of(
    struct command *command, const struct value *answer, const struct value *fire)
{
	const struct value *notes = value_get(answer, "notes");
	struct strbuf words = STRBUF_EMPTY;
	struct value text;

	for (uint32_t i = 0; notes && i < notes->array.count; i++) {
		const struct value *note = &notes->array.items[i];
		const struct value *of = value_get(note, "fire_time");

		if (of && value_equal(of, fire))
			next_note(
			    &words, value_get_string(note, "note"), value_get_string(note, "date"));
	}
	text = value_string(&command->arena, strbuf_peek(&words));
	strbuf_clear(&words);
	return text;
}

/* The instant of a text in the trigger's zone; false: it is none. */
static bool next_instant(const char *text, schedd_time *when)
{
	struct iso8601 read;

	if (iso8601_scan(text, &read) == 0)
		return false;
	*when = (civil_seconds(&read.civil) - read.offset) * SCHEDD_SECOND + read.civil.micro;
	return true;
}

static struct value next_relative(struct command *command, schedd_time when)
{
	struct command shown = *command;
	struct strbuf in = STRBUF_EMPTY;
	struct value value;

	shown.out.time = OUT_TIME_RELATIVE;
	out_when(&shown, &in, when);
	value = value_string(&command->arena, strbuf_peek(&in));
	strbuf_clear(&in);
	return value;
}

static struct value next_time(struct command *command, schedd_time when, const struct zone *zone)
{
	struct strbuf text = STRBUF_EMPTY;
	struct value value;

	out_fire(command, &text, when, zone);
	value = value_string(&command->arena, strbuf_peek(&text));
	strbuf_clear(&text);
	return value;
}

/* The zone of the daemon's answer, which is the trigger's. */
static const struct zone *next_zone(struct command *command, const struct value *answer)
{
	const char *name = value_get_string(answer, "timezone");
	const struct zone *zone = command_zone(command);

	if (name && command->zones && zone_cache_get(command->zones, name, &zone, NULL) != 0)
		zone = zone_utc();
	return zone;
}

static void next_heading(struct command *command, const struct value *answer)
{
	const struct value *remarks = value_get(answer, "remarks");
	const char *words = value_get_string(answer, "words");
	const char *job = value_get_string(answer, "job");

	if (words && job && (command->args.word_count > 1 || targets_are_bulk(command)))
		say(command, "%s: %s", job, words);
	else if (words)
		say(command, "%s", words);
	for (uint32_t i = 0; remarks && i < remarks->array.count; i++)
		say(command, "(%s)", remarks->array.items[i].string.text);
}

/* One answer, its times as texts, as a table. */
static int next_show(struct command *command, const struct value *answer)
{
	const struct value *times = value_get(answer, "fire_times");
	const struct zone *zone = next_zone(command, answer);
	struct schedd_error err = {0};
	struct out_list *list;

	next_heading(command, answer);
	if (times->array.count == 0) {
		say(command, "There are no run times.");
		if (command->out.format <= OUT_WIDE)
			return EXIT_DONE;
	}
	list = out_list_begin(command, next_columns, "time", &err);
	if (!list)
		return say_error(command, &err);
	for (uint32_t i = 0; i < times->array.count; i++) {
		struct value row = value_map();
		const struct value *time = &times->array.items[i];
		schedd_time when;

		if (!next_instant(time->string.text, &when))
			continue;
		value_put(&command->arena, &row, "time", next_time(command, when, zone));
		value_put(&command->arena, &row, "in", next_relative(command, when));
		value_put(&command->arena, &row, "note", next_note_of(command, answer, time));
		out_list_row(list, &row);
	}
	return out_list_end(list);
}

/* ---- Without a daemon ---- */

/* strict: times were typed. */
static struct trigger_context next_context(struct command *command, bool strict)
{
	struct trigger_context context = command_triggers(command);

	context.job_id = args_get(&command->args, "id");
	context.strict = strict;
	return context;
}

/* from, until, n, as both the offline preview and trigger.next take them. */
static int next_bounds(struct command *command, struct value *request, struct schedd_error *err)
{
	static const char *const keys[] = {"from", "until"};
	const char *number = args_get(&command->args, "number");
	struct value n;

	for (int i = 0; i < 2; i++)
		if (args_get(&command->args, keys[i]))
			value_put(&command->arena, request, keys[i],
			    value_string_ref(args_get(&command->args, keys[i])));
	if (!number)
		return 0;
	if (job_input_integer("n", number, &n, err) != 0)
		return err->code;
	value_put(&command->arena, request, "n", n);
	return 0;
}

/* How the rule reads in words, for the heading. */
static void next_words(struct command *command, const struct value *trigger, struct value *answer)
{
	const struct trigger_context context = next_context(command, false);
	struct strbuf words = STRBUF_EMPTY;
	struct schedd_trigger *made;

	if (trigger_from_value(trigger, &context, &made, NULL) != 0)
		return;
	trigger_words(made, &words);
	value_put(
	    &command->arena, answer, "words", value_string(&command->arena, strbuf_peek(&words)));
	strbuf_clear(&words);
	trigger_unref(made);
}

static int next_trigger(struct command *command, const struct value *trigger)
{
	const struct trigger_context context = next_context(command, true);
	const char *zone = args_get(&command->args, "tz");
	struct value request = value_map(), answer;
	struct schedd_error err = {.offset = -1};

	value_put(&command->arena, &request, "trigger", *trigger);
	if (zone)
		value_put(&command->arena, &request, "timezone", value_string_ref(zone));
	if (next_bounds(command, &request, &err) != 0 ||
	    trigger_preview_request(&request, &context, false, &command->arena, &answer, &err) != 0)
		return say_error(command, &err);
	if (out_is_json(command))
		return out_json(command, &answer);
	next_words(command, value_get(&answer, "trigger"), &answer);
	return next_show(command, &answer);
}

/* A line of a batch is a text of its own, so that it is answered before the next is written. */
static void next_batch_line(
    const struct trigger_context *context, char *line, size_t length, struct strbuf *answer)
{
	struct schedd_error err;

	if (line[length - 1] == '\n')
		length--;
	/* What is no text is no JSON either, and said as that. */
	if (text_file_clean("the line", line, &length, &err))
		line[length] = '\0';
	trigger_preview_line(line, length, context, answer);
}

/* Whoever writes line by line, and waits for each answer, gets it; a file is answered at once. */
static bool next_batch_waits(FILE *file)
{
	struct stat state;

	return fstat(fileno(file), &state) == 0 && !S_ISREG(state.st_mode);
}

static int next_batch(struct command *command, const char *path)
{
	const struct trigger_context context = next_context(command, false);
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	struct strbuf answer = STRBUF_EMPTY;
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	int status = EXIT_DONE;
	bool waits;

	if (!file) {
		struct schedd_error err;

		schedd_error_set(&err, SCHEDD_EFILE, "%s: %s", path, strerror(errno));
		return say_error(command, &err);
	}
	waits = next_batch_waits(file);
	while (status == EXIT_DONE && (length = getline(&line, &size, file)) > 0) {
		strbuf_reset(&answer);
		next_batch_line(&context, line, (size_t)length, &answer);
		strbuf_add_char(&answer, '\n');
		if (!out_write(strbuf_peek(&answer), answer.length) || (waits && fflush(stdout) != 0))
			status = EXIT_PIPE;
	}
	free(line);
	strbuf_clear(&answer);
	if (file != stdin)
		fclose(file);
	return status;
}

/* ---- Of jobs ---- */

/* The daemon settles what does not exist or comes twice; what was typed may not leave it to it. */
static int next_check_bounds(
    struct command *command, const struct value *answer, struct schedd_error *err)
{
	static const char *const options[] = {"from", "until"};
	struct when_context context = command_times(command);
	schedd_time when;

	context.zone = next_zone(command, answer);
	for (int i = 0; i < 2; i++) {
		const char *text = args_get(&command->args, options[i]);

		if (text && when_parse(text, &context, &when, err) != 0)
			return schedd_error_prefix(err, "--%s", options[i]);
	}
	return 0;
}

static void next_instant_as_text(
    struct command *command, const struct zone *zone, struct value *instant)
{
	struct strbuf text = STRBUF_EMPTY;

	when_format(&text, instant->integer, zone);
	*instant = value_string(&command->arena, strbuf_peek(&text));
	strbuf_clear(&text);
}

/* Instants of the daemon's answer as texts in the trigger's zone, as offline. */
static void next_as_text(struct command *command, struct value *answer)
{
	const struct value *times = value_get(answer, "fire_times");
	const struct value *notes = value_get(answer, "notes");
	const struct zone *zone = next_zone(command, answer);

	for (uint32_t i = 0; times && i < times->array.count; i++)
		next_instant_as_text(command, zone, &times->array.items[i]);
	for (uint32_t i = 0; notes && i < notes->array.count; i++) {
		const struct value *fire = value_get(&notes->array.items[i], "fire_time");

		if (fire)
			next_instant_as_text(command, zone, (struct value *)(uintptr_t)fire);
	}
}

static int next_jobs(struct command *command)
{
	struct value answers = value_array(), ids;
	struct schedd_error unresolved = {.offset = -1};
	int status = EXIT_DONE, shown;

	if (targets_resolve(command, &ids, &unresolved) != 0)
		return say_error(command, &unresolved);
	if (ids.array.count == 0 && !out_is_json(command))
		say(command, "No job matches.");
	for (uint32_t i = 0; i < ids.array.count; i++) {
		struct value request = value_map(), answer;
		struct schedd_error err = {.offset = -1};

		value_put(&command->arena, &request, "id", ids.array.items[i]);
		if (next_bounds(command, &request, &err) != 0 ||
		    command_call(command, "trigger.next", &request, &answer, &err) != 0 ||
		    next_check_bounds(command, &answer, &err) != 0) {
			status = say_error(command, &err);
			if (err.code == SCHEDD_ENOTFOUND)
				gone_say(command, ids.array.items[i].string.text);
			status = ids.array.count > 1 ? EXIT_FAILED : status;
			continue;
		}
		next_as_text(command, &answer);
		value_put(&command->arena, &answer, "job", ids.array.items[i]);
		value_append(&command->arena, &answers, answer);
		if (!out_is_json(command))
			next_show(command, &answer);
	}
	if (!out_is_json(command) || (ids.array.count == 1 && answers.array.count == 0))
		return status;
	if (ids.array.count == 1 && !targets_are_bulk(command))
		shown = out_json(command, &answers.array.items[0]);
	else
		shown = out_json(command, &answers);
	return status ? status : shown;
}

static int next_run(struct command *command)
{
	const char *batch = args_get(&command->args, "batch");
	struct schedd_error err = {.offset = -1};
	struct value trigger;
	int status;

	if (args_get(&command->args, "node") && (batch || command->args.word_count > 0))
		return say_usage(command, "--node is about the agenda of all jobs: name none");
	if (batch)
		return next_batch(command, batch);
	command->alone = true;
	if (job_spec_trigger(command, &trigger, &err) != 0) {
		status = say_error(command, &err);
		job_spec_caret(command, &err);
		return status;
	}
	command->alone = false;
	if (trigger.type != VALUE_NIL && command->args.word_count > 0)
		return say_usage(command, "give jobs or trigger options, not both");
	if (trigger.type != VALUE_NIL && args_get(&command->args, "node"))
		return say_usage(command, "--node is about the agenda of all jobs: leave trigger options out");
	if (trigger.type != VALUE_NIL)
		return next_trigger(command, &trigger);
	if (command->args.word_count > 0 && !args_has(&command->args, "all"))
		return next_jobs(command);
	return next_agenda(command);
}

const struct verb verb_next = {
    .name = "next",
    .group = "Jobs",
    .summary = "show fire times to come, of jobs or of trigger options",
    .usage = "[JOB… | TRIGGER… | --all | --batch FILE|-] [-n N] [--from TIME] [--until TIME]",
    .examples = "schedctl next backup\n"
		"schedctl next --cron '30 2 * * *' --tz Europe/Berlin --from 2027-03-27\n"
		"schedctl next --all --until tomorrow\n"
		"schedctl next --every 90m --start 9:00 -n 10 --json",
    .notes = "With trigger options no daemon is needed. An interval without --start is counted "
	     "from now\n"
	     "(or from --from); H hashes --id.",
    .options = next_sets,
    .complete = COMPLETE_JOB,
    .max_words = -1,
    .from_input = true,
    .columns = next_columns,
    .run = next_run,
};
