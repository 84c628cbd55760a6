/* SPDX-License-Identifier: MIT */
/* datetime pickles its ten bytes; time zones are pytz's, zoneinfo's or fixed offsets. */
#include "jobfile/apscheduler_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/duration.h"
#include "jobfile/pickle_read.h"

int apscheduler_time_unpickle(
    const struct value *value, struct arena *arena, struct value *out, struct schedd_error *err)
{
	const char *pickle = value_get_string(value, "__apscheduler_pickle__");

	if (pickle)
		return pickle_read(pickle, arena, out, err);
	*out = *value;
	return 0;
}

/* Argument i of an object of that class; NULL: it is none. */
static const struct value *apscheduler_arg(
    const struct value *object, const char *class_name, uint32_t i)
{
	const char *name = value_get_string(object, "class");
	const struct value *args = value_get(object, "args");

	if (!name || !args || args->type != VALUE_ARRAY || i >= args->array.count ||
	    (class_name && strcmp(name, class_name) != 0))
		return NULL;
	return &args->array.items[i];
}

/* Seconds of a timedelta; false: it is none. */
static bool apscheduler_timedelta(const struct value *object, int64_t *micros)
{
	const struct value *parts[3];

	for (uint32_t i = 0; i < 3; i++) {
		parts[i] = apscheduler_arg(object, "datetime.timedelta", i);
		if (!parts[i] || parts[i]->type != VALUE_INT ||
		    llabs(parts[i]->integer) > 100000000)
			return false;
	}
	*micros =
	    parts[0]->integer * SCHEDD_DAY + parts[1]->integer * SCHEDD_SECOND + parts[2]->integer;
	return true;
}

/* What a tzinfo object is: a name, or a fixed offset. false: neither. */
static bool apscheduler_tzinfo(const struct value *object, const char **name, int64_t *offset)
{
	const char *class_name = value_get_string(object, "class");
	const struct value *first = apscheduler_arg(object, NULL, 0);
	const struct value *second = apscheduler_arg(object, NULL, 1);

	*name = NULL;
	*offset = 0;
	if (!class_name)
		return false;
	if (strcmp(class_name, "pytz._UTC") == 0) {
		*name = "UTC";
		return true;
	}
	if (strcmp(class_name, "datetime.timezone") == 0 && first) {
		if (!apscheduler_timedelta(first, offset))
			return false;
		*offset /= SCHEDD_SECOND;
		return true;
	}
	if (strcmp(class_name, "pytz._FixedOffset") == 0 ||
	    strcmp(class_name, "pytz.FixedOffset") == 0) {
		*offset = first && first->type == VALUE_INT ? first->integer * 60 : 0;
		return first != NULL;
	}
	if (!first || first->type != VALUE_STRING ||
	    (strncmp(class_name, "pytz.", 5) != 0 && strncmp(class_name, "zoneinfo.", 9) != 0 &&
		strncmp(class_name, "backports.zoneinfo.", 19) != 0))
		return false;
	*name = first->string.text;
	/* pytz pickles the offset that held, too: it tells the passes of a fold apart. */
	if (second && second->type == VALUE_INT && strncmp(class_name, "pytz.", 5) == 0)
		*offset = second->integer;
	else
		*offset = INT64_MIN;
	return true;
}

static struct value apscheduler_text(struct arena *arena, const char *text)
{
	return text ? value_string_ref(text) : value_string(arena, "");
}

/* "+01:00" */
static const char *apscheduler_offset(struct arena *arena, int64_t offset)
{
	int64_t size = llabs(offset);

	return arena_printf(arena, "%c%02d:%02d", offset < 0 ? '-' : '+', (int)(size / 3600),
	    (int)(size / 60 % 60));
}

/* The ten bytes of a datetime, or the four of a date, without its zone. */
static const char *apscheduler_civil(const struct value *bytes, struct arena *arena)
{
	const unsigned char *b = (const unsigned char *)bytes->string.text;
	int year = b[0] * 256 + b[1], month = b[2] & 0x7f;
	int micro;

	if (bytes->string.length == 4)
		return arena_printf(arena, "%04d-%02d-%02d", year, month, b[3]);
	micro = b[7] << 16 | b[8] << 8 | b[9];
	if (micro != 0)
		return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%06d", year, month, b[3],
		    b[4], b[5], b[6], micro);
	return arena_printf(
	    arena, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, b[3], b[4], b[5], b[6]);
}

/* Python's readers take "2027-4-24 0:00:01"; ours want two digits. */
static struct value apscheduler_padded(const struct value *value, struct arena *arena)
{
	const char *text = value->string.text;
	int at[6] = {0}, day_end = 0, end = 0, parts;
	const char *made;

	parts = sscanf(text, "%4d-%2d-%2d%n%*1[ T]%2d:%2d:%2d%n", &at[0], &at[1], &at[2], &day_end,
	    &at[3], &at[4], &at[5], &end);
	if (parts < 3 || at[0] < 1000 || (parts == 3 && text[day_end]))
		return *value;
	if (parts == 3)
		made = arena_printf(arena, "%04d-%02d-%02d", at[0], at[1], at[2]);
	else if (parts == 6 && end > 0)
		made = arena_printf(arena, "%04d-%02d-%02d%c%02d:%02d:%02d%s", at[0], at[1], at[2],
		    text[day_end], at[3], at[4], at[5], text + end);
	else
		return *value;
	return value_string(arena, made);
}

int apscheduler_time_moment(
    const struct value *value, struct arena *arena, struct value *out, struct schedd_error *err)
{
	const struct value *bytes, *zone;
	const char *civil, *name;
	struct value object;
	int64_t offset;
	int rc = apscheduler_time_unpickle(value, arena, &object, err);

	*out = object;
	if (!rc && object.type == VALUE_STRING)
		*out = apscheduler_padded(&object, arena);
	/* Redis and MongoDB hold seconds since the epoch. */
	if (!rc && (object.type == VALUE_INT || object.type == VALUE_REAL)) {
		double seconds = 0;

		(void)value_number(&object, &seconds);
		*out = value_string(arena, arena_printf(arena, "@%.6f", seconds));
	}
	if (rc || object.type != VALUE_MAP)
		return rc;
	bytes = apscheduler_arg(&object, "datetime.datetime", 0);
	if (!bytes)
		bytes = apscheduler_arg(&object, "datetime.date", 0);
	if (!bytes || bytes->type != VALUE_STRING ||
	    (bytes->string.length != 10 && bytes->string.length != 4))
		return schedd_error_set(err, SCHEDD_EINVAL, "a date in it cannot be read");
	civil = apscheduler_civil(bytes, arena);
	zone = apscheduler_arg(&object, NULL, 1);
	if (!zone || zone->type == VALUE_NIL)
		*out = apscheduler_text(arena, civil);
	else if (!apscheduler_tzinfo(zone, &name, &offset))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "the time zone of a date in it cannot be read");
	else if (offset == INT64_MIN || (name && strcmp(name, "UTC") == 0))
		*out = apscheduler_text(arena, arena_printf(arena, "%s %s", civil, name));
	else
		*out = apscheduler_text(
		    arena, arena_printf(arena, "%s%s", civil, apscheduler_offset(arena, offset)));
	return 0;
}

int apscheduler_time_zone(
    const struct value *value, struct arena *arena, struct value *out, struct schedd_error *err)
{
	struct value object;
	const char *name;
	int64_t offset;
	int rc = apscheduler_time_unpickle(value, arena, &object, err);

	*out = object;
	if (rc || object.type == VALUE_NIL || object.type == VALUE_STRING)
		return rc;
	if (!apscheduler_tzinfo(&object, &name, &offset))
		return schedd_error_set(err, SCHEDD_EINVAL, "its time zone cannot be read");
	/* A fixed offset in the manner of POSIX, whose sign is the other way round. */
	if (!name && offset != 0)
		name = arena_printf(arena, "<%c%02d%02d>%s", offset < 0 ? '-' : '+',
		    (int)(llabs(offset) / 3600), (int)(llabs(offset) / 60 % 60),
		    apscheduler_offset(arena, -offset));
	*out = apscheduler_text(arena, name ? name : "UTC");
	return 0;
}

int apscheduler_time_span(
    const struct value *value, struct arena *arena, struct value *out, struct schedd_error *err)
{
	struct value object;
	int64_t micros;
	int rc = apscheduler_time_unpickle(value, arena, &object, err);

	*out = object;
	if (rc || object.type == VALUE_INT || object.type == VALUE_REAL)
		return rc;
	if (!apscheduler_timedelta(&object, &micros) || micros < 0)
		return schedd_error_set(err, SCHEDD_EINVAL, "its interval cannot be read");
	*out = duration_to_value(micros);
	return 0;
}
