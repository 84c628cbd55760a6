/* SPDX-License-Identifier: MIT */
/*
 * The agenda: every job's trigger is played forward here, so that one listing
 * is all that is asked of the daemon.
 */
#include "cmd/next_agenda.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/job_input.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "trigger/trigger.h"
#include "trigger/when.h"

#define AGENDA_DEFAULT 20
#define AGENDA_MAX 100000
#define AGENDA_PAGE 1000

struct agenda_entry {
	schedd_time time;
	const char *job;   /* in the command's arena */
	const char *words; /* likewise */
};

struct agenda {
	struct command *command;
	schedd_time from, until; /* until SCHEDD_TIME_NONE: no limit */
	size_t wanted;           /* entries kept: the earliest */
	struct agenda_entry *entries;
	size_t count, capacity;
	bool cut; /* more than AGENDA_MAX entries there would be */
};

static int agenda_compare(const void *a, const void *b)
{
	const struct agenda_entry *x = a, *y = b;
	int order = (x->time > y->time) - (x->time < y->time);

	return order ? order : strcmp(x->job, y->job);
}

/* Keeps the earliest: sorts and cuts when twice too many came together. */
static void agenda_trim(struct agenda *agenda)
{
	if (agenda->count > 1)
		qsort(agenda->entries, agenda->count, sizeof(agenda->entries[0]), agenda_compare);
	if (agenda->count > agenda->wanted) {
		agenda->count = agenda->wanted;
		agenda->until = agenda->entries[agenda->count - 1].time;
		agenda->cut = true;
	}
}

static int agenda_add(struct agenda *agenda, schedd_time time, const char *job, const char *words)
{
	if (agenda->count == agenda->capacity) {
		size_t capacity = agenda->capacity ? agenda->capacity * 2 : 256;
		struct agenda_entry *entries =
		    realloc(agenda->entries, capacity * sizeof(entries[0]));

		if (!entries)
			return SCHEDD_ENOMEM;
		agenda->entries = entries;
		agenda->capacity = capacity;
	}
	agenda->entries[agenda->count++] = (struct agenda_entry){time, job, words};
	if (agenda->count >= agenda->wanted * 2)
		agenda_trim(agenda);
	return 0;
}

static bool agenda_within(const struct agenda *agenda, schedd_time time)
{
	return time != SCHEDD_TIME_NONE &&
	       (agenda->until == SCHEDD_TIME_NONE || time <= agenda->until);
}

/* How many runs the job still has, its max_runs counted. */
static size_t agenda_runs_left(const struct value *job)
{
	int64_t most = value_get_int(job, "max_runs", 0), done = value_get_int(job, "run_count", 0);

	if (most == 0)
		return SIZE_MAX;
	return most > done ? (size_t)(most - done) : 0;
}

/* All fire times of one job in the window, its planned next run first. */
static int agenda_job(struct agenda *agenda, const struct value *job)
{
	struct command *command = agenda->command;
	struct trigger_context context = command_triggers(command);
	const struct value *next = value_get(job, "next_run_time");
	const char *id, *words;
	struct schedd_trigger *trigger;
	schedd_time time;
	size_t left = agenda_runs_left(job), added = 0;
	int rc = 0;

	context.job_id = value_get_string(job, "id");
	if (!next || next->type != VALUE_INT ||
	    trigger_from_value(value_get(job, "trigger"), &context, &trigger, NULL) != 0)
		return 0;
	id = arena_strdup(&command->arena, context.job_id);
	words = value_get_string(job, "trigger_words");
	words = words ? arena_strdup(&command->arena, words) : "";
	time = next->integer;
	if (time < agenda->from) {
		uint64_t before = trigger_count(trigger, time, agenda->from - 1, left);

		left -= left == SIZE_MAX ? 0 : (size_t)before;
		time = trigger_next(trigger, agenda->from);
	}
	if (left > agenda->wanted)
		left = agenda->wanted;
	while (!rc && id && agenda_within(agenda, time) && added++ < left) {
		rc = agenda_add(agenda, time, id, words);
		time = trigger_next(trigger, time + 1);
	}
	trigger_unref(trigger);
	return rc;
}

static int agenda_gather(struct agenda *agenda, struct schedd_error *err)
{
	static const char *const wanted[] = {
	    "id", "trigger", "trigger_words", "next_run_time", "max_runs", "run_count"};
	struct command *command = agenda->command;
	struct value params = value_map(), fields = value_array(), result;
	const struct value *jobs;
	struct value *after;
	const char *next;
	int rc;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		value_append(&command->arena, &fields, value_string_ref(wanted[i]));
	value_put(&command->arena, &params, "fields", fields);
	value_put(&command->arena, &params, "limit", value_int(AGENDA_PAGE));
	if (args_get(&command->args, "node"))
		value_put(&command->arena, &params, "node",
		    value_string_ref(args_get(&command->args, "node")));
	after = value_put(&command->arena, &params, "after", value_nil());
	do {
		rc = command_call(command, "job.list", &params, &result, err);
		if (rc)
			return rc;
		jobs = value_get(&result, "jobs");
		for (uint32_t i = 0; jobs && i < jobs->array.count && !rc; i++)
			rc = agenda_job(agenda, &jobs->array.items[i]);
		next = value_get_string(&result, "next");
		if (after)
			*after = value_string_ref(next);
	} while (!rc && next);
	return rc ? schedd_error_nomem(err) : 0;
}

static int agenda_bound(
    struct command *command, const char *option, schedd_time *out, struct schedd_error *err)
{
	const char *text = args_get(&command->args, option);
	const struct when_context context = command_times(command);

	if (!text)
		return 0;
	if (when_parse(text, &context, out, err) != 0)
		return schedd_error_prefix(err, "--%s", option);
	return 0;
}

static int agenda_show(struct agenda *agenda)
{
	static const struct out_column columns[] = {
	    {"time", "time", OUT_WHEN, true, true, false},
	    {"job", "job", OUT_TEXT, true, true, false},
	    {"trigger", "trigger_words", OUT_TEXT, true, true, true},
	    {0},
	};
	struct command *command = agenda->command;
	struct schedd_error err = {0};
	struct out_list *list = out_list_begin(command, columns, "job", &err);

	if (!list)
		return say_error(command, &err);
	for (size_t i = 0; i < agenda->count; i++) {
		struct value row = value_map();

		value_put(&command->arena, &row, "time", value_int(agenda->entries[i].time));
		value_put(&command->arena, &row, "job", value_string_ref(agenda->entries[i].job));
		value_put(&command->arena, &row, "trigger_words",
		    value_string_ref(agenda->entries[i].words));
		out_list_row(list, &row);
	}
	if (agenda->count == 0)
		say(command, "Nothing is planned%s.",
		    agenda->until == SCHEDD_TIME_NONE ? "" : " until then");
	if (agenda->cut && agenda->wanted == AGENDA_MAX)
		say(command, "There is more; the first %d are shown.", AGENDA_MAX);
	return out_list_end(list);
}

int next_agenda(struct command *command)
{
	struct agenda agenda = {
	    .command = command, .from = command->now, .until = SCHEDD_TIME_NONE};
	const char *number = args_get(&command->args, "number");
	struct value wanted = value_int(AGENDA_DEFAULT);
	struct schedd_error err = {.offset = -1};
	int status;

	if (agenda_bound(command, "from", &agenda.from, &err) != 0 ||
	    agenda_bound(command, "until", &agenda.until, &err) != 0 ||
	    (number && job_input_integer("n", number, &wanted, &err) != 0))
		return say_error(command, &err);
	if (!number && agenda.until != SCHEDD_TIME_NONE)
		wanted = value_int(AGENDA_MAX);
	if (wanted.integer < 1 || wanted.integer > AGENDA_MAX)
		return say_usage(
		    command, "-n: %lld is out of 1 to %d", (long long)wanted.integer, AGENDA_MAX);
	agenda.wanted = (size_t)wanted.integer;
	if (agenda_gather(&agenda, &err) != 0) {
		status = say_error(command, &err);
	} else {
		agenda_trim(&agenda);
		status = agenda_show(&agenda);
	}
	free(agenda.entries);
	return status;
}
