/* SPDX-License-Identifier: MIT */
/* One table of flags; rules that concern several of them stand in flags_check. */
#include "trigger/trigger_flags.h"

#include <string.h>
#include "base/duration.h"
#include "base/iso8601.h"
#include "trigger/cron_parse.h"
#include "trigger/trigger_value.h"
#include "trigger/when.h"

enum flag_kind {
	FLAG_AT,       /* a trigger: an instant */
	FLAG_IN,       /* a trigger: an instant, so far from now */
	FLAG_EVERY,    /* a trigger: an interval */
	FLAG_CALENDAR, /* a trigger: its "end" may be a date */
	FLAG_RULE,     /* a trigger: the text as it is */
	FLAG_EVENT,    /* a trigger without a clock */
	FLAG_MODIFIER, /* stands beside triggers, once */
};

/* Modifiers, by their place in the table. */
enum flag_modifier {
	FLAG_TZ,
	FLAG_START,
	FLAG_END,
	FLAG_JITTER,
	FLAG_SPLAY,
	FLAG_NOW,
	FLAG_ALL_OF,
	FLAG_ALLOW_PAST,
	FLAG_MODIFIERS,
};

struct flag_row {
	const char *name;
	const char *key; /* of the value; NULL: none of its own */
	enum flag_kind kind;
};

static const struct flag_row flag_rows[] = {
    [FLAG_TZ] = {"tz", "timezone", FLAG_MODIFIER},
    [FLAG_START] = {"start", "start", FLAG_MODIFIER},
    [FLAG_END] = {"end", "end", FLAG_MODIFIER},
    [FLAG_JITTER] = {"jitter", "jitter", FLAG_MODIFIER},
    [FLAG_SPLAY] = {"splay", "splay", FLAG_MODIFIER},
    [FLAG_NOW] = {"now", NULL, FLAG_MODIFIER},
    [FLAG_ALL_OF] = {"all-of", NULL, FLAG_MODIFIER},
    [FLAG_ALLOW_PAST] = {"allow-past", NULL, FLAG_MODIFIER},
    {"at", "at", FLAG_AT},
    {"in", "at", FLAG_IN},
    {"every", "every", FLAG_EVERY},
    {"calendar", "calendar", FLAG_CALENDAR},
    {"cron", "cron", FLAG_RULE},
    {"fields", "fields", FLAG_RULE},
    {"quartz", "quartz", FLAG_RULE},
    {"on-calendar", "on_calendar", FLAG_RULE},
    {"on-start", "on_start", FLAG_EVENT},
    {"on-boot", "on_boot", FLAG_EVENT},
    {"manual", "manual", FLAG_EVENT},
};

#define FLAG_ROWS (sizeof(flag_rows) / sizeof(flag_rows[0]))

/* Flags on their way to a value. */
struct flag_set {
	const struct trigger_context *context;
	struct arena *arena;
	const char
	    *modifiers[FLAG_MODIFIERS]; /* their values, "" for those without; NULL: absent */
	struct when_context when;       /* how times are read */
	unsigned triggers;              /* how many of them */
	unsigned intervals;             /* how many of those are --every */
	unsigned clocks;                /* how many of those have a clock */
};

static const struct flag_row *flag_row(const char *name)
{
	for (size_t i = 0; i < FLAG_ROWS; i++)
		if (strcmp(flag_rows[i].name, name) == 0)
			return &flag_rows[i];
	return NULL;
}

bool trigger_flags_known(const char *name)
{
	return flag_row(name) != NULL;
}

/* Sorts the flags into modifiers and counts of triggers. */
static int flags_sort(
    struct flag_set *set, const struct trigger_flag *flags, size_t count, struct schedd_error *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct flag_row *row = flag_row(flags[i].name);
		size_t place = row ? (size_t)(row - flag_rows) : 0;

		if (!row)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "--%s is no trigger flag", flags[i].name);
		if (row->kind != FLAG_MODIFIER) {
			set->triggers++;
			set->intervals += row->kind == FLAG_EVERY;
			set->clocks += row->kind != FLAG_EVENT;
			continue;
		}
		if (set->modifiers[place])
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "--%s is given twice", row->name);
		set->modifiers[place] = flags[i].value ? flags[i].value : "";
	}
	return 0;
}

/* What goes with what. */
static int flags_check(const struct flag_set *set, struct schedd_error *err)
{
	if (set->triggers > TRIGGER_VALUE_LIST_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL, "%u trigger flags, at most %d may be",
		    set->triggers, TRIGGER_VALUE_LIST_MAX);
	if (set->modifiers[FLAG_NOW] && set->intervals == 0)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "--now goes with --every (to run once at once, write --at now)");
	if (set->modifiers[FLAG_NOW] && set->modifiers[FLAG_START])
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "--now and --start both say when the first run is: give one of them");
	if (set->modifiers[FLAG_ALL_OF] && set->triggers < 2)
		return schedd_error_set(err, SCHEDD_EINVAL, "--all-of needs two triggers or more");
	for (int i = FLAG_START; i <= FLAG_SPLAY; i++)
		if (set->modifiers[i] && set->clocks == 0)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "--%s needs a trigger with times, such as --every or --cron",
			    flag_rows[i].name);
	return 0;
}

static int flags_zone(struct flag_set *set, struct schedd_error *err)
{
	const struct trigger_context *context = set->context;

	set->when = (struct when_context){
	    .zones = context->zones,
	    .zone = context->zone ? context->zone : zone_utc(),
	    .now = context->now,
	    .strict = true,
	};
	if (!set->modifiers[FLAG_TZ])
		return 0;
	if (!context->zones)
		return schedd_error_set(err, SCHEDD_EINVAL, "--tz: no time zone is known here");
	return zone_cache_get(context->zones, set->modifiers[FLAG_TZ], &set->when.zone, err);
}

/* Reads a time; err names the flag. */
static int flags_when(const struct flag_set *set, const char *flag, const char *text,
    schedd_time *out, struct schedd_error *err)
{
	int rc = when_parse(text, &set->when, out, err);

	if (rc && rc != SCHEDD_ENOMEM)
		schedd_error_prefix(err, "--%s", flag);
	return rc;
}

/* A date alone, which calendars take as such. */
static bool flags_date(const char *text)
{
	struct iso8601 iso;

	return *text && iso8601_scan(text, &iso) == strlen(text) && !iso.has_time;
}

/* Adds --start or --end to a trigger of the kind. */
static int flags_bound(const struct flag_set *set, enum flag_modifier flag, enum flag_kind kind,
    struct value *trigger, struct schedd_error *err)
{
	const char *text = set->modifiers[flag];
	struct value value;
	schedd_time when;
	int rc;

	if (!text)
		return 0;
	rc = flags_when(set, flag_rows[flag].name, text, &when, err);
	if (rc)
		return rc;
	if ((kind == FLAG_CALENDAR && flags_date(text)) || strcmp(text, "now") == 0)
		value = value_string(set->arena, text);
	else
		value = trigger_value_time(set->arena, when, set->when.zone);
	value_put(set->arena, trigger, flag_rows[flag].key, value);
	return 0;
}

static int flags_instant(const struct flag_set *set, const struct flag_row *row, const char *text,
    struct value *out, struct schedd_error *err)
{
	struct strbuf passed = STRBUF_EMPTY;
	schedd_time when;
	schedd_span span;
	int rc;

	if (row->kind == FLAG_AT && strcmp(text, "now") == 0) {
		*out = value_string_ref("now");
		return 0;
	}
	if (row->kind == FLAG_IN) {
		rc = duration_parse(text, &span, err);
		when = rc ? 0 : set->context->now + span;
		if (rc && rc != SCHEDD_ENOMEM)
			schedd_error_prefix(err, "--in");
		if (!rc && when > SCHEDD_TIME_MAX)
			rc = schedd_error_set(
			    err, SCHEDD_EINVAL, "--in %.60s: that is beyond the year 9999", text);
	} else {
		rc = flags_when(set, row->name, text, &when, err);
	}
	if (!rc && when < set->context->now && !set->modifiers[FLAG_ALLOW_PAST]) {
		when_format(&passed, when, set->when.zone);
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "--at %.100s: %s has passed; --allow-past runs it at once", text,
		    strbuf_peek(&passed));
		strbuf_clear(&passed);
	}
	if (!rc)
		*out = trigger_value_time(set->arena, when, set->when.zone);
	return rc;
}

/* One trigger flag as a map of short form. */
static int flags_trigger(const struct flag_set *set, const struct trigger_flag *flag,
    struct value *out, struct schedd_error *err)
{
	const struct flag_row *row = flag_row(flag->name);
	const char *text = flag->value ? flag->value : "";
	struct value value;
	int rc = 0;

	*out = value_map();
	if (row->kind == FLAG_AT || row->kind == FLAG_IN)
		rc = flags_instant(set, row, text, &value, err);
	else if (row->kind == FLAG_EVENT)
		value = value_bool(true);
	else
		value = value_string(set->arena, text);
	if (rc)
		return rc;
	value_put(set->arena, out, row->key, value);
	if (row->kind == FLAG_EVENT)
		return 0;
	if (row->kind == FLAG_EVERY && set->modifiers[FLAG_NOW])
		value_put(set->arena, out, "start", value_string_ref("now"));
	rc = flags_bound(set, FLAG_START, row->kind, out, err);
	return rc ? rc : flags_bound(set, FLAG_END, row->kind, out, err);
}

/* Crontabs have words for what other flags say. */
static int flags_refuse_other(const struct trigger_flag *flag, struct schedd_error *err)
{
	const char *rest, *other = NULL;

	if (strcmp(flag->name, "cron") == 0 && flag->value)
		other = cron_crontab_other(flag->value, &rest);
	if (!other)
		return 0;
	return schedd_error_set(err, SCHEDD_EINVAL, "--cron '%s' is no time of day: use --%s%s%s", flag->value,
	    other, rest[0] ? " " : "", rest);
}

/* All trigger flags: the only one, or a list under "any" or "all". */
static int flags_join(const struct flag_set *set, const struct trigger_flag *flags, size_t count,
    struct value *out, struct schedd_error *err)
{
	struct value list = value_array(), item;

	for (size_t i = 0; i < count; i++) {
		int rc;

		if (flag_row(flags[i].name)->kind == FLAG_MODIFIER)
			continue;
		rc = flags_refuse_other(&flags[i], err);
		if (!rc)
			rc = flags_trigger(set, &flags[i], &item, err);
		if (rc)
			return rc;
		value_append(set->arena, &list, item);
	}
	if (set->triggers == 1) {
		*out = item;
		return 0;
	}
	*out = value_map();
	value_put(set->arena, out, set->modifiers[FLAG_ALL_OF] ? "all" : "any", list);
	return 0;
}

/* Reads the value once, for its errors. */
static int flags_try(
    const struct flag_set *set, const struct value *value, struct schedd_error *err)
{
	struct schedd_trigger *trigger;
	int rc;

	if (arena_failed(set->arena))
		return schedd_error_nomem(err);
	rc = trigger_from_value(value, set->context, &trigger, err);
	if (!rc)
		trigger_unref(trigger);
	return rc;
}

int trigger_flags_value(const struct trigger_flag *flags, size_t count,
    const struct trigger_context *context, struct arena *arena, struct value *out,
    struct schedd_error *err)
{
	static const enum flag_modifier common[] = {FLAG_TZ, FLAG_JITTER, FLAG_SPLAY};
	struct flag_set set = {.context = context, .arena = arena};
	int rc;

	*out = value_nil();
	if (count == 0)
		return 0;
	rc = flags_sort(&set, flags, count, err);
	if (!rc && set.triggers == 0)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "--%s needs a trigger: one of --at, --in, --every, --calendar, --cron, "
		    "--fields, "
		    "--quartz, --on-calendar, --on-start, --on-boot and --manual",
		    flags[0].name);
	if (!rc)
		rc = flags_check(&set, err);
	if (!rc)
		rc = flags_zone(&set, err);
	if (!rc)
		rc = flags_join(&set, flags, count, out, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]) && set.clocks > 0; i++)
		if (set.modifiers[common[i]])
			value_put(arena, out, flag_rows[common[i]].key,
			    value_string(arena, set.modifiers[common[i]]));
	return flags_try(&set, out, err);
}
