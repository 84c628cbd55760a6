/* SPDX-License-Identifier: MIT */
/* Fields that are one plain number in a struct. A number outside the row's bounds stands for "not
 * set". */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "base/duration.h"
#include "base/size.h"
#include "model/job_field_ops.h"
#include "model/job_word.h"
#include "trigger/when.h"

/* "none" is what a person types for null. */
static bool job_scalar_is_none(const struct value *value)
{
	return value_is_text(value, "none");
}

static int job_scalar_read_bool(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	(void)context;
	if (value->type == VALUE_STRING)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'%.40s' is neither true nor false", value->string.text);
	if (value->type != VALUE_BOOL)
		return schedd_error_set(err, SCHEDD_EINVAL, "%s is neither true nor false",
		    value_type_name(value->type));
	if (job_place_set_integer(halves, field, value->boolean))
		return schedd_error_nomem(err);
	return 0;
}

static struct value job_scalar_write_bool(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	(void)arena;
	return value_bool(job_place_integer(halves, field) != 0);
}

/* An integer, also one that came as 3.0. */
static bool job_scalar_integer(const struct value *value, int64_t *out)
{
	if (value->type == VALUE_INT) {
		*out = value->integer;
		return true;
	}
	if (value->type != VALUE_REAL || !(fabs(value->real) < 9e15) ||
	    value->real != floor(value->real))
		return false;
	*out = (int64_t)value->real;
	return true;
}

static int job_scalar_read_int(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	int64_t number;

	(void)context;
	if (value->type == VALUE_STRING)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "'%.40s' is not a whole number", value->string.text);
	if (!job_scalar_integer(value, &number))
		return schedd_error_set(err, SCHEDD_EINVAL, "%s is not a whole number",
		    value->type == VALUE_REAL ? "a fraction" : value_type_name(value->type));
	if (number < field->min && field->max == INT64_MAX)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "%" PRId64 " is less than %" PRId64, number, field->min);
	if (number < field->min || number > field->max)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "%" PRId64 " is out of %" PRId64 "..%" PRId64, number, field->min, field->max);
	if (job_place_set_integer(halves, field, number))
		return schedd_error_nomem(err);
	return 0;
}

static struct value job_scalar_write_int(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	int64_t number = job_place_integer(halves, field);

	(void)arena;
	if (number < field->min || number > field->max)
		return value_nil();
	return value_int(number);
}

static int job_scalar_read_time(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	struct when_context when = {0};
	schedd_time time = SCHEDD_TIME_NONE;
	int rc = 0;

	if (context && context->trigger) {
		when.zones = context->trigger->zones;
		when.zone = context->trigger->zone;
		when.now = context->trigger->now;
		when.strict = context->trigger->strict;
	}
	if (value->type == VALUE_STRING && !when.zone)
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "a text needs a time zone to be read in, write microseconds since 1970");
	else if (!job_scalar_is_none(value))
		rc = when_from_value(value, &when, &time, err);
	if (!rc && job_place_set_integer(halves, field, time))
		rc = schedd_error_nomem(err);
	return rc;
}

static struct value job_scalar_write_time(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	schedd_time time = job_place_integer(halves, field);

	(void)arena;
	return time == SCHEDD_TIME_NONE ? value_nil() : value_int(time);
}

static int job_scalar_read_span(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	schedd_span span = SCHEDD_SPAN_NONE;
	int64_t fallback;
	int rc = 0;

	(void)context;
	memcpy(&fallback, (const char *)job_place_defaults(field->place) + field->offset,
	    sizeof(fallback));
	if (!job_scalar_is_none(value) || fallback != SCHEDD_SPAN_NONE) {
		rc = duration_from_value(value, &span, err);
		if (!rc && span < field->min)
			rc = schedd_error_set(err, SCHEDD_EINVAL, "it must be longer than 0");
	}
	if (!rc && job_place_set_integer(halves, field, span))
		rc = schedd_error_nomem(err);
	return rc;
}

static struct value job_scalar_write_span(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	(void)arena;
	return duration_to_value(job_place_integer(halves, field));
}

static int job_scalar_read_size(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	int64_t size;
	int rc = size_from_value(value, &size, err);

	(void)context;
	if (!rc && job_place_set_integer(halves, field, size))
		rc = schedd_error_nomem(err);
	return rc;
}

static int job_scalar_read_enum(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	unsigned word;
	int rc = job_word_read(value, field->words, &word, err);

	(void)context;
	if (!rc && job_place_set_integer(halves, field, word))
		rc = schedd_error_nomem(err);
	return rc;
}

static struct value job_scalar_write_enum(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	(void)arena;
	return value_string_ref(field->words[job_place_integer(halves, field)]);
}

static int job_scalar_read_mode(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	int64_t mode = 0;
	size_t digits = 0;

	(void)context;
	if (value->type != VALUE_STRING)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "%s is ambiguous, write octal digits as text: \"022\"",
		    value_type_name(value->type));
	for (; value->string.text[digits] >= '0' && value->string.text[digits] <= '7'; digits++)
		mode = digits < 6 ? mode * 8 + (value->string.text[digits] - '0') : INT32_MAX;
	if (digits == 0 || digits != value->string.length || mode > field->max)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "'%.40s' is not an octal mode from 000 to 777", value->string.text);
	if (job_place_set_integer(halves, field, mode))
		return schedd_error_nomem(err);
	return 0;
}

static struct value job_scalar_write_mode(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	int64_t mode = job_place_integer(halves, field);

	return mode < 0 ? value_nil() : value_string_ref(arena_printf(arena, "%03" PRIo64, mode));
}

#define JOB_SCALAR_OPS(read_fn, write_fn)                                                          \
	{                                                                                          \
		.read = (read_fn), .write = (write_fn), .is_default = job_place_same,              \
		.reset = job_place_reset                                                           \
	}

const struct job_field_ops job_scalar_bool_ops =
    JOB_SCALAR_OPS(job_scalar_read_bool, job_scalar_write_bool);
const struct job_field_ops job_scalar_int_ops =
    JOB_SCALAR_OPS(job_scalar_read_int, job_scalar_write_int);
const struct job_field_ops job_scalar_time_ops =
    JOB_SCALAR_OPS(job_scalar_read_time, job_scalar_write_time);
const struct job_field_ops job_scalar_span_ops =
    JOB_SCALAR_OPS(job_scalar_read_span, job_scalar_write_span);
const struct job_field_ops job_scalar_size_ops =
    JOB_SCALAR_OPS(job_scalar_read_size, job_scalar_write_int);
const struct job_field_ops job_scalar_enum_ops =
    JOB_SCALAR_OPS(job_scalar_read_enum, job_scalar_write_enum);
const struct job_field_ops job_scalar_mode_ops =
    JOB_SCALAR_OPS(job_scalar_read_mode, job_scalar_write_mode);
