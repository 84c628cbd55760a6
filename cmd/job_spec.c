/* SPDX-License-Identifier: MIT */
#include "cmd/job_spec.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd/job_input.h"
#include "cmd/out.h"
#include "cmd/say.h"
#include "model/job_fields.h"
#include "model/node.h"
#include "trigger/trigger_flags.h"
#include "trigger/when.h"

#define SPEC_FLAGS_MAX 64

const struct option option_action[] = {
    {.name = "sh", .value = "LINE", .section = "What to run", .doc = "a line for the shell"},
    {.name = "script",
	.value = "FILE|-",
	.complete = COMPLETE_FILE,
	.doc = "a shell script, read now and kept with the job"},
    {.name = "call", .value = "MODULE:FUNCTION", .doc = "a function of a worker or a plug-in"},
    {.name = "args", .value = "JSON", .doc = "arguments for --call: a list"},
    {.name = "kwargs", .value = "JSON", .doc = "arguments by name for --call: a map"},
    {.name = "http", .value = "'METHOD URL'", .doc = "a request"},
    {0},
};

/* ---- Trigger ---- */

/* The zone of the times that are typed. The daemon is asked for its own only where one is. */
static const struct zone *spec_zone(struct command *command)
{
	static const char *const typed[] = {"at", "start", "end", "next"};

	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++)
		if (args_has(&command->args, typed[i]) && !args_has(&command->args, "tz"))
			return command_daemon_zone(command);
	return command_zone(command);
}

static struct trigger_context spec_context(struct command *command)
{
	const struct zone *zone = spec_zone(command);

	return (struct trigger_context){
	    .zones = command->zones,
	    .zone = zone,
	    .now = command->now,
	    .job_id = args_get(&command->args, "id"),
	    .strict = true,
	};
}

int job_spec_trigger(struct command *command, struct value *out, struct schedd_error *err)
{
	struct trigger_context context = spec_context(command);
	struct trigger_flag flags[SPEC_FLAGS_MAX];
	size_t count = 0;

	for (int i = 0; i < command->args.value_count; i++) {
		const struct args_value *value = &command->args.values[i];

		if (!trigger_flags_known(value->option->name))
			continue;
		if (count == SPEC_FLAGS_MAX)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "more than %d trigger options; write a job file instead",
			    SPEC_FLAGS_MAX);
		flags[count++] = (struct trigger_flag){value->option->name, value->text};
	}
	/* A preview that begins in the past may show what is over. */
	if (args_has(&command->args, "from") && !args_has(&command->args, "allow-past") &&
	    count > 0 && count < SPEC_FLAGS_MAX)
		flags[count++] = (struct trigger_flag){"allow-past", NULL};
	err->offset = -1;
	return trigger_flags_value(flags, count, &context, &command->arena, out, err);
}

/* An example in the sentence may read like it: only what stands in quotes is quoted. */
static bool spec_quotes(const char *sentence, const char *text)
{
	size_t length = strlen(text);

	for (const char *at = sentence; (at = strstr(at, text)) != NULL; at++)
		if (at > sentence && at[-1] == '\'' && at[length] == '\'')
			return true;
	return false;
}

/* The flag's text that the sentence quotes. */
static const char *spec_culprit(const struct command *command, const struct schedd_error *err)
{
	bool named = strncmp(err->message, "--", 2) == 0;

	for (int i = 0; i < command->args.value_count; i++) {
		const char *text = command->args.values[i].text;
		const char *name = command->args.values[i].option->name;

		if (text && text[0] && trigger_flags_known(name) &&
		    (!named || (strncmp(err->message + 2, name, strlen(name)) == 0 &&
				   err->message[2 + strlen(name)] == ':')) &&
		    strlen(text) >= (size_t)err->offset && spec_quotes(err->message, text))
			return text;
	}
	return NULL;
}

void job_spec_caret(struct command *command, const struct schedd_error *err)
{
	const char *text = err->offset < 0 ? NULL : spec_culprit(command, err);
	struct strbuf safe = STRBUF_EMPTY;

	if (!text || out_is_json(command) || strlen(text) > 200 || strchr(text, '\n'))
		return;
	out_safe(&safe, text, strlen(text), false);
	fprintf(
	    stderr, "  %s\n  %*s^\n", strbuf_peek(&safe), out_width(text, (size_t)err->offset), "");
	strbuf_clear(&safe);
}

/* ---- Fields ---- */

/* Adds a member or takes the place of one of that name. */
static void spec_put(struct command *command, struct value *map, const char *key, struct value item)
{
	for (uint32_t i = 0; i < map->map.count; i++)
		if (strcmp(map->map.members[i].key, key) == 0) {
			map->map.members[i].value = item;
			return;
		}
	value_put(&command->arena, map, key, item);
}

/* "K=V" into a map of pairs. */
static int spec_pair(struct command *command, struct value *map, const char *option,
    const char *text, struct schedd_error *err)
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--%s: '%s' is not of the form NAME=VALUE", option, text);
	spec_put(command, map, arena_strndup(&command->arena, text, (size_t)(equals - text)),
	    value_string_ref(equals + 1));
	return 0;
}

/* A path as the daemon needs it, that has another working directory; on another machine as typed.
 */
static const char *spec_path(struct command *command, const char *path)
{
	char here[PATH_MAX];

	if (path[0] == '/' || !path[0] || command_elsewhere(command) ||
	    !getcwd(here, sizeof(here)))
		return path;
	if (strcmp(path, ".") == 0)
		return arena_strdup(&command->arena, here);
	return arena_printf(&command->arena, "%s/%s", here, path);
}

/* "NAME=FILE" with the file's whole path. */
static const char *spec_secret(struct command *command, const char *text)
{
	const char *equals = strchr(text, '=');

	if (!equals)
		return text;
	return arena_printf(
	    &command->arena, "%.*s=%s", (int)(equals - text), text, spec_path(command, equals + 1));
}

/* All values of a repeated option: a map where they are pairs, else a list. */
static int spec_repeated(struct command *command, const struct option *option,
    const struct job_field *field, struct value *out, struct schedd_error *err)
{
	bool pairs = field->type == JOB_FIELD_RLIMITS ||
		     (field->type == JOB_FIELD_PAIRS && strcmp(field->name, "tags") != 0);
	const char *text;
	int position = 0, rc = 0;

	*out = pairs ? value_map() : value_array();
	while (!rc && (text = args_next(&command->args, option->name, &position))) {
		if (strcmp(option->name, "secret") == 0)
			text = spec_secret(command, text);
		if (pairs)
			rc = spec_pair(command, out, option->name, text, err);
		else
			value_append(&command->arena, out, value_string_ref(text));
	}
	return rc;
}

static int spec_time(struct command *command, const char *option, const char *text,
    struct value *out, struct schedd_error *err)
{
	const char *name = args_get(&command->args, "tz");
	struct when_context context = {.zone = spec_zone(command),
	    .zones = command->zones,
	    .now = command->now,
	    .strict = true};
	schedd_time when;
	int rc = name ? zone_cache_get(command->zones, name, &context.zone, err) : 0;

	if (!rc)
		rc = when_parse(text, &context, &when, err);
	if (rc)
		return schedd_error_prefix(err, "--%s", option);
	*out = value_int(when);
	return 0;
}

/* One option's value in the shape of its field. */
static int spec_value(struct command *command, const struct option *option,
    const struct job_field *field, struct value *out, struct schedd_error *err)
{
	const char *text = args_get(&command->args, option->name);
	int rc = 0;

	if (option->repeat)
		return spec_repeated(command, option, field, out, err);
	if (!option->value) {
		*out = value_bool(true);
		return 0;
	}
	if (strcmp(option->name, "cwd") == 0 || strcmp(option->name, "hook") == 0)
		text = spec_path(command, text);
	*out = value_string_ref(text);
	if (field->type == JOB_FIELD_TIME)
		rc = spec_time(command, option->name, text, out, err);
	else if (field->type == JOB_FIELD_INT || field->type == JOB_FIELD_RETRY)
		rc = job_input_integer(option->name, text, out, err);
	else if (field->type == JOB_FIELD_SPAN && strcmp(text, "none") == 0)
		*out = value_nil();
	return rc;
}

/* --retry and its companions are one field. */
static int spec_retry(struct command *command, struct value *map, struct schedd_error *err)
{
	static const char *const options[] = {
	    "retry", "retry-delay", "retry-backoff", "retry-max-delay", "retry-on"};
	static const char *const keys[] = {"limit", "delay", "backoff", "max_delay", "on"};
	struct value retry = value_map();

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *text = args_get(&command->args, options[i]);
		struct value value = value_string_ref(text);
		int rc = 0;

		if (!text)
			continue;
		if (i == 0)
			rc = job_input_integer(options[i], text, &value, err);
		else if (i == 2)
			rc = job_input_number(options[i], text, &value, err);
		if (rc)
			return rc;
		value_put(&command->arena, &retry, keys[i], value);
	}
	/* None at all takes what else was said of them away as well. */
	if (retry.map.count == 1 && value_get_int(&retry, "limit", 1) == 0)
		spec_put(command, map, "retry", value_nil());
	else if (retry.map.count > 0)
		spec_put(command, map, "retry", retry);
	return 0;
}

/* Reads the map into a job on trial: what is wrong is said before anything is sent. */
static int spec_check(struct command *command, const struct value *map, struct schedd_error *err)
{
	const struct trigger_context context = spec_context(command);
	const struct job_fields_context fields = {.trigger = &context};
	struct schedd_job *job = job_new();
	struct job_state state;
	int rc;

	job_state_init(&state);
	rc = job ? job_fields_read(
		       job, &state, map, JOB_FIELD_STATE | JOB_FIELD_ADD_ONLY, &fields, err)
		 : schedd_error_nomem(err);
	job_state_clear(&state);
	job_unref(job);
	return rc;
}

int job_spec_fields(struct command *command, struct value *map, struct schedd_error *err)
{
	int rc;

	for (const struct option *option = option_job; option->name; option++) {
		const struct job_field *field =
		    option->field ? job_fields_find(option->field) : NULL;
		struct value value;

		if (!field || field->type == JOB_FIELD_RETRY ||
		    !args_has(&command->args, option->name))
			continue;
		rc = spec_value(command, option, field, &value, err);
		if (rc)
			return rc;
		spec_put(command, map, field->name, value);
	}
	rc = spec_retry(command, map, err);
	if (!rc)
		rc = job_input_action(command, map, err);
	if (!rc)
		rc = job_input_environment(command, map, err);
	if (!rc)
		rc = job_input_stdin(command, map, err);
	if (!rc && arena_failed(&command->arena))
		rc = schedd_error_nomem(err);
	return rc ? rc : spec_check(command, map, err);
}

/* ---- Saying what came of it ---- */

/* Does a node that lives suit one of the places? */
static bool spec_fits(const struct value *places, const struct value *node, struct arena *arena)
{
	const char *name = value_get_string(node, "name"), *labels = NULL;
	const struct value *map = value_get(node, "labels");
	struct value none = value_nil();

	if (!name || !value_is_text(value_get(node, "state"), "live") ||
	    node_labels_read(map ? map : &none, arena, &labels, NULL))
		return false;
	for (uint32_t i = 0; i < places->array.count; i++)
		if (places->array.items[i].type == VALUE_STRING &&
		    node_place_matches(places->array.items[i].string.text, name, labels))
			return true;
	return false;
}

/* The daemon takes it, as such a node may come; who has mistyped a label wants to know. */
static void spec_say_places(struct command *command, const struct value *job)
{
	const struct value *places = value_get(job, "nodes");
	struct value nodes;
	bool comma = false;

	if (!places || places->type != VALUE_ARRAY ||
	    command_call(command, "node.list", NULL, &nodes, NULL) != 0 || nodes.type != VALUE_ARRAY)
		return;
	for (uint32_t i = 0; i < nodes.array.count; i++)
		if (spec_fits(places, &nodes.array.items[i], &command->arena))
			return;
	for (uint32_t i = 0; i < places->array.count; i++)
		comma |= strchr(places->array.items[i].string.text, ',') != NULL;
	say(command, "For now no live node fits its nodes: its runs wait for one (schedctl nodes lists them).%s",
	    comma ? " Behind a comma stands what must hold as well; for either, give --on twice." : "");
}

/* "Next run: 2026-12-01 02:30:00 (in 9h12m). At 02:30 every day, Europe/Berlin." */
void job_spec_say_next(struct command *command, const struct value *job)
{
	const struct value *next = value_get(job, "next_run_time");
	const char *words = value_get_string(job, "trigger_words");
	const char *state = value_get_string(job, "state");
	struct strbuf text = STRBUF_EMPTY;
	struct command shown = *command;

	if (next && next->type == VALUE_INT) {
		strbuf_add(&text, "Next run: ");
		shown.out.time = OUT_TIME_LOCAL;
		out_when(&shown, &text, next->integer);
		strbuf_add(&text, " (");
		shown.out.time = OUT_TIME_RELATIVE;
		out_when(&shown, &text, next->integer);
		strbuf_add(&text, ")");
	} else {
		strbuf_printf(&text, "No run is planned%s%s", state ? ", the job is " : "",
		    state ? state : "");
	}
	strbuf_printf(&text, ". %s%s", words ? words : "", words ? "." : "");
	say(command, "%s", strbuf_peek(&text));
	strbuf_clear(&text);
	spec_say_places(command, job);
}
