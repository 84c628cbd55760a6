/* SPDX-License-Identifier: MIT */
/* States are what its triggers pickle of themselves; arguments what a caller gives add_job(). */
#include "jobfile/apscheduler_trigger.h"

#include <stdlib.h>
#include <string.h>
#include "base/strbuf.h"
#include "jobfile/apscheduler_time.h"

#define DEPTH_MAX 8

static const char *const apscheduler_fields[] = {
    "year", "month", "day", "week", "day_of_week", "hour", "minute", "second", NULL};
static const char *const apscheduler_weekdays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
static const char *const apscheduler_positions[] = {"1st", "2nd", "3rd", "4th", "5th", "last"};

/* ---- What stands beside every rule ---- */

static int apscheduler_bounds(
    const struct value *map, struct arena *arena, struct value *out, struct schedd_error *err)
{
	static const struct {
		const char *theirs, *ours;
		int (*read)(const struct value *value, struct arena *arena, struct value *out,
		    struct schedd_error *err);
	} rows[] = {
	    {"timezone", "timezone", apscheduler_time_zone},
	    {"start_date", "start", apscheduler_time_moment},
	    {"end_date", "end", apscheduler_time_moment},
	    {"jitter", "jitter", apscheduler_time_span},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct value *value = value_get(map, rows[i].theirs);
		struct value read;
		int rc;

		if (!value || value->type == VALUE_NIL)
			continue;
		rc = rows[i].read(value, arena, &read, err);
		if (rc)
			return rc;
		if (!value_put(arena, out, rows[i].ours, read))
			return schedd_error_nomem(err);
	}
	return 0;
}

/* ---- cron ---- */

/* One expression of a field as text; false: it is of no known kind. */
static bool apscheduler_expression(
    const char *field, const struct value *expression, struct strbuf *out)
{
	const char *class_name = value_get_string(expression, "class");
	const struct value *state = value_get(expression, "state");
	int64_t first = value_get_int(state, "first", -1), last = value_get_int(state, "last", -1);
	int64_t step = value_get_int(state, "step", 0);
	const char *kind = class_name ? strrchr(class_name, '.') : NULL;

	if (!kind)
		return false;
	if (strcmp(kind, ".LastDayOfMonthExpression") == 0) {
		strbuf_add(out, "last");
		return true;
	}
	if (strcmp(kind, ".WeekdayPositionExpression") == 0) {
		int64_t option = value_get_int(state, "option_num", -1);
		int64_t weekday = value_get_int(state, "weekday", -1);

		if (option < 0 || option > 5 || weekday < 0 || weekday > 6)
			return false;
		strbuf_printf(
		    out, "%s %s", apscheduler_positions[option], apscheduler_weekdays[weekday]);
		return true;
	}
	if (strcmp(kind, ".AllExpression") == 0)
		strbuf_add_char(out, '*');
	else if (first < 0)
		return false;
	else if (strcmp(field, "day_of_week") == 0 && first <= 6 && last <= 6)
		strbuf_printf(out, "%s%s%s", apscheduler_weekdays[first], last >= 0 ? "-" : "",
		    last >= 0 ? apscheduler_weekdays[last] : "");
	else if (last >= 0 && last != first)
		strbuf_printf(out, "%lld-%lld", (long long)first, (long long)last);
	else
		strbuf_printf(out, "%lld", (long long)first);
	if (step > 0)
		strbuf_printf(out, "/%lld", (long long)step);
	return true;
}

/* Puts a field's text into the map; defaults say nothing. */
static bool apscheduler_field(const struct value *field, struct arena *arena, struct value *fields)
{
	const struct value *state = value_get(field, "state");
	const struct value *expressions = value_get(state, "expressions");
	const char *name = value_get_string(state, "name");
	struct strbuf text = STRBUF_EMPTY;
	bool good = name && expressions && expressions->type == VALUE_ARRAY;

	if (good && value_get_bool(state, "is_default", false))
		return true;
	for (uint32_t i = 0; good && i < expressions->array.count; i++) {
		if (i > 0)
			strbuf_add_char(&text, ',');
		good = apscheduler_expression(name, &expressions->array.items[i], &text);
	}
	good = good && !strbuf_failed(&text) &&
	       value_put(arena, fields, name, value_string(arena, strbuf_peek(&text)));
	strbuf_clear(&text);
	return good;
}

static int apscheduler_cron_state(
    const struct value *state, struct arena *arena, struct value *out, struct schedd_error *err)
{
	const struct value *list = value_get(state, "fields");
	struct value fields = value_map();

	if (!list || list->type != VALUE_ARRAY)
		return schedd_error_set(err, SCHEDD_EINVAL, "its cron trigger has no fields");
	for (uint32_t i = 0; i < list->array.count; i++) {
		struct value field;
		int rc = apscheduler_time_unpickle(&list->array.items[i], arena, &field, err);

		if (rc)
			return rc;
		if (!apscheduler_field(&field, arena, &fields))
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "a field of its cron trigger cannot be read");
	}
	/* All left out means every second, which has to be said. */
	if (fields.map.count == 0)
		value_put(arena, &fields, "second", value_string_ref("*"));
	value_put(arena, out, "fields", fields);
	return apscheduler_bounds(state, arena, out, err);
}

static int apscheduler_cron_args(
    const struct value *map, struct arena *arena, struct value *out, struct schedd_error *err)
{
	struct value fields = value_map();

	for (const char *const *name = apscheduler_fields; *name; name++) {
		const struct value *value = value_get(map, *name);

		if (value && value->type != VALUE_NIL)
			value_put(arena, &fields, *name, *value);
	}
	if (fields.map.count == 0)
		value_put(arena, &fields, "second", value_string_ref("*"));
	value_put(arena, out, "fields", fields);
	return apscheduler_bounds(map, arena, out, err);
}

/* ---- interval, date, calendarinterval ---- */

static int apscheduler_interval_state(
    const struct value *state, struct arena *arena, struct value *out, struct schedd_error *err)
{
	const struct value *interval = value_get(state, "interval");
	struct value span;
	int rc;

	if (!interval)
		return schedd_error_set(err, SCHEDD_EINVAL, "its interval is missing");
	rc = apscheduler_time_span(interval, arena, &span, err);
	if (rc)
		return rc;
	value_put(arena, out, "every", span);
	return apscheduler_bounds(state, arena, out, err);
}

static int apscheduler_interval_args(
    const struct value *map, struct arena *arena, struct value *out, struct schedd_error *err)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {
	    {"weeks", 604800}, {"days", 86400}, {"hours", 3600}, {"minutes", 60}, {"seconds", 1}};
	double sum = 0;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		const struct value *value = value_get(map, units[i].name);
		double number = 0;

		if (value && value->type != VALUE_NIL && !value_number(value, &number))
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "%s is not a number", units[i].name);
		sum += number * units[i].seconds;
	}
	if (sum < 0)
		return schedd_error_set(err, SCHEDD_EINVAL, "its interval is negative");
	/* APScheduler makes a second of nothing. */
	value_put(arena, out, "every", value_real(sum > 0 ? sum : 1));
	return apscheduler_bounds(map, arena, out, err);
}

static int apscheduler_date(
    const struct value *map, struct arena *arena, struct value *out, struct schedd_error *err)
{
	const struct value *date = value_get(map, "run_date");
	struct value moment;
	int rc;

	if (!date || date->type == VALUE_NIL)
		return schedd_error_set(err, SCHEDD_EINVAL, "its date is missing");
	rc = apscheduler_time_moment(date, arena, &moment, err);
	if (rc)
		return rc;
	value_put(arena, out, "at", moment);
	return apscheduler_bounds(map, arena, out, err);
}

static int apscheduler_calendar(const struct value *map, const struct value *const interval[4],
    const struct value *const time[3], struct arena *arena, struct value *out,
    struct schedd_error *err)
{
	static const char *const units[] = {"years", "months", "weeks", "days"};
	int64_t clock[3] = {0, 0, 0};

	value_put(arena, out, "type", value_string_ref("calendar"));
	for (int i = 0; i < 4; i++)
		if (interval[i] && interval[i]->type == VALUE_INT)
			value_put(arena, out, units[i], *interval[i]);
	for (int i = 0; i < 3; i++)
		if (time[i] && time[i]->type == VALUE_INT && time[i]->integer >= 0 &&
		    time[i]->integer < 60)
			clock[i] = time[i]->integer;
	value_put(arena, out, "time",
	    value_string_ref(arena_printf(
		arena, "%02d:%02d:%02d", (int)clock[0], (int)clock[1], (int)clock[2])));
	return apscheduler_bounds(map, arena, out, err);
}

/* Element i of a list member; NULL: there is none. */
static const struct value *apscheduler_item(const struct value *map, const char *key, uint32_t i)
{
	const struct value *list = value_get(map, key);

	return list && list->type == VALUE_ARRAY && i < list->array.count ? &list->array.items[i]
									  : NULL;
}

static int apscheduler_calendar_state(
    const struct value *state, struct arena *arena, struct value *out, struct schedd_error *err)
{
	const struct value *interval[4], *time[3];

	for (uint32_t i = 0; i < 4; i++)
		interval[i] = apscheduler_item(state, "interval", i);
	for (uint32_t i = 0; i < 3; i++)
		time[i] = apscheduler_item(state, "time", i);
	return apscheduler_calendar(state, interval, time, arena, out, err);
}

static int apscheduler_calendar_args(
    const struct value *map, struct arena *arena, struct value *out, struct schedd_error *err)
{
	const struct value *interval[] = {value_get(map, "years"), value_get(map, "months"),
	    value_get(map, "weeks"), value_get(map, "days")};
	const struct value *time[] = {
	    value_get(map, "hour"), value_get(map, "minute"), value_get(map, "second")};

	return apscheduler_calendar(map, interval, time, arena, out, err);
}

/* ---- Kinds ---- */

static const struct {
	const char *class_name, *alias;
	int (*from_state)(const struct value *state, struct arena *arena, struct value *out,
	    struct schedd_error *err);
	int (*from_args)(const struct value *map, struct arena *arena, struct value *out,
	    struct schedd_error *err);
} apscheduler_kinds[] = {
    {":CronTrigger", "cron", apscheduler_cron_state, apscheduler_cron_args},
    {":IntervalTrigger", "interval", apscheduler_interval_state, apscheduler_interval_args},
    {":DateTrigger", "date", apscheduler_date, apscheduler_date},
    {":CalendarIntervalTrigger", "calendarinterval", apscheduler_calendar_state,
	apscheduler_calendar_args},
};

#define KIND_COUNT (sizeof(apscheduler_kinds) / sizeof(apscheduler_kinds[0]))

static int apscheduler_state(const char *class_name, const struct value *state, int depth,
    struct arena *arena, struct value *out, struct schedd_error *err);

static int apscheduler_combined(const char *key, const struct value *state, int depth,
    struct arena *arena, struct value *out, struct schedd_error *err)
{
	const struct value *children = value_get(state, "triggers");
	struct value list = value_array();

	if (!children || children->type != VALUE_ARRAY || depth > DEPTH_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL, "its combined trigger cannot be read");
	for (uint32_t i = 0; i < children->array.count; i++) {
		const struct value *child = &children->array.items[i];
		struct value made;
		int rc;

		if (child->type != VALUE_ARRAY || child->array.count != 2 ||
		    child->array.items[0].type != VALUE_STRING)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "its combined trigger cannot be read");
		rc = apscheduler_state(child->array.items[0].string.text, &child->array.items[1],
		    depth + 1, arena, &made, err);
		if (rc)
			return rc;
		value_append(arena, &list, made);
	}
	value_put(arena, out, key, list);
	return apscheduler_bounds(state, arena, out, err);
}

static int apscheduler_state(const char *class_name, const struct value *state, int depth,
    struct arena *arena, struct value *out, struct schedd_error *err)
{
	const char *kind = strrchr(class_name, ':');

	*out = value_map();
	if (kind && strcmp(kind, ":OrTrigger") == 0)
		return apscheduler_combined("any", state, depth, arena, out, err);
	if (kind && strcmp(kind, ":AndTrigger") == 0)
		return apscheduler_combined("all", state, depth, arena, out, err);
	for (size_t i = 0; kind && i < KIND_COUNT; i++)
		if (strcmp(kind, apscheduler_kinds[i].class_name) == 0)
			return apscheduler_kinds[i].from_state(state, arena, out, err);
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "its trigger '%.100s' is none of APScheduler's", class_name);
}

int apscheduler_trigger_from_state(
    const struct value *trigger, struct arena *arena, struct value *out, struct schedd_error *err)
{
	const char *class_name = value_get_string(trigger, "__apscheduler_class__");
	const struct value *state = value_get(trigger, "__apscheduler_state__");

	if (!class_name || !state || state->type != VALUE_MAP)
		return schedd_error_set(err, SCHEDD_EINVAL, "its trigger cannot be read");
	return apscheduler_state(class_name, state, 0, arena, out, err);
}

int apscheduler_trigger_from_args(const char *alias, const struct value *map, struct arena *arena,
    struct value *out, struct schedd_error *err)
{
	*out = value_map();
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (strcmp(alias, apscheduler_kinds[i].alias) == 0)
			return apscheduler_kinds[i].from_args(map, arena, out, err);
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "its trigger '%.60s' is none of cron, interval, date, calendarinterval; what belongs to "
	    "it stands beside it, as in \"trigger\": \"cron\", \"hour\": 5",
	    alias);
}

bool apscheduler_trigger_is_arg(const char *name)
{
	static const char *const others[] = {"timezone", "start_date", "end_date", "jitter",
	    "weeks", "days", "hours", "minutes", "seconds", "months", "years", "run_date", NULL};

	for (const char *const *field = apscheduler_fields; *field; field++)
		if (strcmp(name, *field) == 0)
			return true;
	for (const char *const *other = others; *other; other++)
		if (strcmp(name, *other) == 0)
			return true;
	return false;
}
