/* SPDX-License-Identifier: MIT */
/*
 * What the package takes as it comes and fails over later (a mistyped executor,
 * an interval that is none, a PATCH of which half is done) is refused here
 * before anything has changed.
 */
#include "server/http/flask_form.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "jobfile/apscheduler_command.h"
#include "jobfile/apscheduler_trigger.h"
#include "trigger/when.h"
#include "trigger/zone.h"

/* ---- Reading ---- */

struct flask_form {
	const struct value *form;
	const struct value *now; /* of the job that changes; NULL: a new one */
	const char *executor;
	bool change;
	struct arena *arena;
	struct value *fields;
};

static int flask_put(struct flask_form *form, const char *key, struct value value)
{
	return value_put(form->arena, form->fields, key, value) ? 0 : SCHEDD_ENOMEM;
}

static bool flask_given(const struct flask_form *form, const char *key)
{
	return value_get(form->form, key) != NULL;
}

static int flask_same(struct flask_form *form, const struct value_member *member,
    struct schedd_error *err)
{
	(void)err;
	return flask_put(form, member->key, member->value);
}

static int flask_done(struct flask_form *form, const struct value_member *member,
    struct schedd_error *err)
{
	(void)form;
	(void)member;
	(void)err;
	return 0;
}

static int flask_name(
    struct flask_form *form, const struct value_member *member, struct schedd_error *err)
{
	const struct value *id = value_get(form->form, "id");

	if (member->value.type != VALUE_STRING && member->value.type != VALUE_NIL)
		return schedd_error_set(err, SCHEDD_EINVAL, "name must be a nonempty string");
	/* It is called like its id where nothing else is said. */
	if (value_is_text(&member->value, "") || (id && value_equal(&member->value, id)))
		return form->change ? flask_put(form, "name", value_nil()) : 0;
	return flask_put(form, "name", member->value);
}

static int flask_coalesce(
    struct flask_form *form, const struct value_member *member, struct schedd_error *err)
{
	if (member->value.type != VALUE_BOOL && member->value.type != VALUE_NIL)
		return schedd_error_set(err, SCHEDD_EINVAL, "coalesce must be true or false");
	return flask_put(form, "coalesce",
	    value_string_ref(
		member->value.type == VALUE_BOOL && !member->value.boolean ? "all" : "latest"));
}

/* null is a pause, as in APScheduler. */
static int flask_next(
    struct flask_form *form, const struct value_member *member, struct schedd_error *err)
{
	(void)err;
	if (member->value.type == VALUE_NIL)
		return flask_put(form, "paused", value_bool(true));
	if (form->change && flask_put(form, "paused", value_bool(false)))
		return SCHEDD_ENOMEM;
	return flask_put(form, "next_run_time", member->value);
}

static int flask_alias(
    struct flask_form *form, const struct value_member *member, struct schedd_error *err)
{
	bool store = strcmp(member->key, "jobstore") == 0;

	(void)err;
	if (member->value.type == VALUE_NIL || value_is_text(&member->value, "default"))
		return 0;
	return flask_put(form, store ? "store" : "executor", member->value);
}

static const struct {
	const char *name;
	int (*put)(struct flask_form *form, const struct value_member *member,
	    struct schedd_error *err);
	bool add, change; /* may it stand in a POST, in a PATCH? */
} flask_members[] = {
    {"id", flask_same, true, false},
    {"func", flask_done, true, true},
    {"args", flask_done, true, true},
    {"kwargs", flask_done, true, true},
    {"trigger", flask_done, true, true},
    {"name", flask_name, true, true},
    {"misfire_grace_time", flask_same, true, true},
    {"max_instances", flask_same, true, true},
    {"coalesce", flask_coalesce, true, true},
    {"next_run_time", flask_next, true, true},
    {"executor", flask_alias, true, true},
    {"jobstore", flask_alias, true, false},
    {"replace_existing", flask_done, true, false},
};

static int flask_member(
    struct flask_form *form, const struct value_member *member, struct schedd_error *err)
{
	for (size_t i = 0; i < sizeof(flask_members) / sizeof(flask_members[0]); i++) {
		if (strcmp(flask_members[i].name, member->key) != 0)
			continue;
		if (form->change ? flask_members[i].change : flask_members[i].add)
			return flask_members[i].put(form, member, err);
	}
	if (apscheduler_trigger_is_arg(member->key) && flask_given(form, "trigger"))
		return 0;
	return schedd_error_set(err, SCHEDD_EINVAL,
	    apscheduler_trigger_is_arg(member->key)
		? "'%.64s' belongs to a trigger: send trigger too"
		: "unexpected keyword argument '%.64s'",
	    member->key);
}

/* The package takes a negative one, and its job then runs without end. */
static int flask_check_interval(const struct value *args, struct schedd_error *err)
{
	static const char *const units[] = {
	    "weeks", "days", "hours", "minutes", "seconds", NULL};

	for (const char *const *unit = units; *unit; unit++) {
		const struct value *value = value_get(args, *unit);
		double number;

		if (value && value_number(value, &number) && number < 0)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "%s must not be negative", *unit);
	}
	return 0;
}

/* A date that is not said is now. */
static bool flask_is_now(const char *alias, const struct value *args)
{
	const struct value *date = value_get(args, "run_date");

	return strcmp(alias, "date") == 0 && (!date || date->type == VALUE_NIL);
}

static int flask_now(struct arena *arena, struct value *out)
{
	*out = value_map();
	return value_put(arena, out, "at", value_string_ref("now")) ? 0 : SCHEDD_ENOMEM;
}

/* Where the trigger is an object its arguments are its own. */
static int flask_trigger(struct flask_form *form, struct schedd_error *err)
{
	const struct value *trigger = value_get(form->form, "trigger"), *args = form->form;
	const char *alias = "date";
	struct value made;
	int rc;

	if (form->change && !trigger)
		return 0;
	if (trigger && trigger->type == VALUE_MAP) {
		args = trigger;
		alias = value_get_string(trigger, "type") ? value_get_string(trigger, "type") : "date";
	} else if (trigger && trigger->type == VALUE_STRING) {
		alias = trigger->string.text;
	} else if (trigger && trigger->type != VALUE_NIL) {
		return schedd_error_set(err, SCHEDD_EINVAL, "trigger must be a text or an object");
	}
	if (strcmp(alias, "interval") == 0 && flask_check_interval(args, err))
		return SCHEDD_EINVAL;
	rc = flask_is_now(alias, args)
		 ? flask_now(form->arena, &made)
		 : apscheduler_trigger_from_args(alias, args, form->arena, &made, err);
	if (!rc && form->change && !flask_given(form, "next_run_time"))
		rc = flask_put(form, "paused", value_bool(false));
	return rc ? rc : flask_put(form, "trigger", made);
}

/* What is sent, else what the job has. */
static const struct value *flask_or_now(const struct flask_form *form, const char *key)
{
	const struct value *given = value_get(form->form, key);

	return given || !form->now ? given : value_get(form->now, key);
}

static int flask_action(struct flask_form *form, struct schedd_error *err)
{
	const struct value *name = flask_or_now(form, "func"), *args = flask_or_now(form, "args"),
			   *kwargs = flask_or_now(form, "kwargs");
	const char *func = name && name->type == VALUE_STRING ? name->string.text : NULL;
	struct value call = value_map(), argv;

	if (form->change && !flask_given(form, "func") && !flask_given(form, "args") &&
	    !flask_given(form, "kwargs"))
		return 0;
	if (!func || !strchr(func, ':'))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "func must be of the form 'module:function'");
	if ((args && args->type != VALUE_ARRAY && args->type != VALUE_NIL) ||
	    (kwargs && kwargs->type != VALUE_MAP && kwargs->type != VALUE_NIL))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "args must be an array, kwargs an object");
	if (!form->executor) {
		argv = apscheduler_command_make(form->arena, func, args, kwargs);
		return flask_put(form, "command", argv);
	}
	value_put(form->arena, &call, "function", value_string(form->arena, func));
	if (args && args->type == VALUE_ARRAY && args->array.count)
		value_put(form->arena, &call, "args", *args);
	if (kwargs && kwargs->type == VALUE_MAP && kwargs->map.count)
		value_put(form->arena, &call, "kwargs", *kwargs);
	if (!flask_given(form, "executor") &&
	    flask_put(form, "executor", value_string(form->arena, form->executor)))
		return SCHEDD_ENOMEM;
	return flask_put(form, "call", call);
}

int flask_form_read(const struct value *given, const struct value *now, const char *executor,
    struct arena *arena, struct value *fields, struct schedd_error *err)
{
	struct flask_form form = {.form = given,
	    .executor = executor,
	    .now = now,
	    .change = now != NULL,
	    .arena = arena,
	    .fields = fields};
	int rc = 0;

	*fields = value_map();
	if (given->type != VALUE_MAP)
		return schedd_error_set(err, SCHEDD_EINVAL, "the body must be a JSON object");
	if (!now && !value_get(given, "id"))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "id is missing; null lets schedd make one");
	for (uint32_t i = 0; !rc && i < given->map.count; i++)
		rc = flask_member(&form, &given->map.members[i], err);
	if (!rc)
		rc = flask_action(&form, err);
	if (!rc)
		rc = flask_trigger(&form, err);
	if (rc == SCHEDD_ENOMEM || (!rc && arena_failed(arena)))
		return schedd_error_nomem(err);
	return rc;
}

/* ---- Writing ---- */

/* As Python's isoformat(): an offset, never Z; microseconds where there are some. */
static struct value flask_moment(
    const struct value *when, const struct zone *zone, struct arena *arena)
{
	struct strbuf text = STRBUF_EMPTY;

	if (!when || when->type == VALUE_NIL)
		return value_nil();
	if (when->type == VALUE_STRING)
		return *when;
	when_format(&text, when->integer, zone);
	return value_string_take(arena, &text);
}

static void flask_interval(const struct value *trigger, struct value *form, struct arena *arena)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = {{"weeks", 604800}, {"days", 86400}, {"hours", 3600}, {"minutes", 60}, {"seconds", 1}};
	const struct value *seconds = value_get(trigger, "seconds");
	double total = 0;
	int64_t left;

	if (!seconds || !value_number(seconds, &total))
		return;
	left = (int64_t)floor(total);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (left / units[i].seconds > 0)
			value_put(arena, form, units[i].name, value_int(left / units[i].seconds));
		left %= units[i].seconds;
	}
}

/* fields may be a map, or the text that stands for it. */
static void flask_cron(const struct value *trigger, struct value *form, struct arena *arena)
{
	const struct value *fields = value_get(trigger, "fields");

	for (uint32_t i = 0; fields && fields->type == VALUE_MAP && i < fields->map.count; i++)
		value_put(arena, form, fields->map.members[i].key, fields->map.members[i].value);
}

static void flask_trigger_write(const struct value *trigger, const struct zone *zone,
    struct value *form, struct arena *arena)
{
	const char *type = value_get_string(trigger, "type");
	const struct value *start = value_get(trigger, "start"), *end = value_get(trigger, "end");

	value_put(arena, form, "trigger", value_string_ref(type));
	if (!type)
		return;
	if (strcmp(type, "date") == 0)
		value_put(arena, form, "run_date",
		    flask_moment(value_get(trigger, "run_at"), zone, arena));
	if (strcmp(type, "interval") == 0)
		flask_interval(trigger, form, arena);
	if (strcmp(type, "cron") == 0)
		flask_cron(trigger, form, arena);
	if (start && start->type != VALUE_NIL)
		value_put(arena, form, "start_date", flask_moment(start, zone, arena));
	if (end && end->type != VALUE_NIL)
		value_put(arena, form, "end_date", flask_moment(end, zone, arena));
}

/* func, args and kwargs of a call, or of the command that stands for one. */
static void flask_action_write(const struct value *job, struct value *form, struct arena *arena)
{
	const struct value *call = value_get(job, "call"), *args = NULL, *kwargs = NULL;
	const struct value *command = value_get(job, "command");
	struct value func = value_string_ref("schedd:run"), parsed_args, parsed_kwargs;

	if (call && call->type == VALUE_MAP && value_get(call, "function")) {
		func = *value_get(call, "function");
		args = value_get(call, "args");
		kwargs = value_get(call, "kwargs");
	} else if (command && command->type == VALUE_ARRAY &&
		   apscheduler_command_parse(
		       command, arena, &func, &parsed_args, &parsed_kwargs)) {
		args = &parsed_args;
		kwargs = &parsed_kwargs;
	} else if (command && command->type == VALUE_ARRAY) {
		args = command; /* a job of our own: what it runs */
	} else if (value_get_string(job, "shell")) {
		parsed_args = value_array();
		value_append(arena, &parsed_args, *value_get(job, "shell"));
		args = &parsed_args;
	}
	value_put(arena, form, "func", func);
	value_put(arena, form, "args", args && args->type == VALUE_ARRAY ? *args : value_array());
	value_put(arena, form, "kwargs", kwargs && kwargs->type == VALUE_MAP ? *kwargs : value_map());
}

struct value flask_form_write(const struct value *job, struct arena *arena)
{
	const struct value *trigger = value_get(job, "trigger"), *name = value_get(job, "name");
	const char *zone_text = trigger ? value_get_string(trigger, "timezone") : NULL;
	struct zone_cache *zones = zone_cache_new(NULL);
	const struct zone *zone = zone_utc();
	struct value form = value_map();

	if (zones && zone_text && zone_cache_get(zones, zone_text, &zone, NULL))
		zone = zone_utc();
	value_put(arena, &form, "id", *value_get(job, "id"));
	value_put(arena, &form, "name",
	    name && name->type == VALUE_STRING ? *name : *value_get(job, "id"));
	flask_action_write(job, &form, arena);
	if (trigger && trigger->type == VALUE_MAP)
		flask_trigger_write(trigger, zone, &form, arena);
	value_put(arena, &form, "misfire_grace_time", *value_get(job, "misfire_grace_time"));
	value_put(arena, &form, "max_instances", *value_get(job, "max_instances"));
	value_put(arena, &form, "next_run_time",
	    flask_moment(value_get(job, "next_run_time"), zone, arena));
	zone_cache_free(zones);
	return form;
}
