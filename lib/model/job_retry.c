/* SPDX-License-Identifier: MIT */
/* retry: {limit, delay, backoff, max_delay, on}. Members left out stay as they are. */
#include <math.h>
#include <stdlib.h>
#include "base/duration.h"
#include "model/job_codes.h"
#include "model/job_field_ops.h"
#include "model/job_member.h"

#define RETRY_LIMIT_MAX 1000000
#define RETRY_BACKOFF_MAX 1000.0

static const struct job_details *job_retry_defaults(void)
{
	return job_place_defaults(JOB_IN_DETAILS);
}

static int job_retry_read_limit(void *target, const struct value *value, struct schedd_error *err)
{
	struct job_details *details = target;

	if (value->type == VALUE_NIL) {
		details->retry_limit = 0;
		return 0;
	}
	if (value->type != VALUE_INT || value->integer < 0 || value->integer > RETRY_LIMIT_MAX)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "it is a whole number from 0 to %d", RETRY_LIMIT_MAX);
	details->retry_limit = (uint32_t)value->integer;
	return 0;
}

static int job_retry_read_delay(void *target, const struct value *value, struct schedd_error *err)
{
	struct job_details *details = target;

	details->retry_delay = job_retry_defaults()->retry_delay;
	return value->type == VALUE_NIL ? 0
					: duration_from_value(value, &details->retry_delay, err);
}

static int job_retry_read_backoff(void *target, const struct value *value, struct schedd_error *err)
{
	struct job_details *details = target;
	double factor = 1;

	if (value->type != VALUE_NIL &&
	    (!value_number(value, &factor) || !(factor >= 1 && factor <= RETRY_BACKOFF_MAX)))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "it is a number from 1 (the same delay each time) to %.0f", RETRY_BACKOFF_MAX);
	details->retry_backoff = factor;
	return 0;
}

static int job_retry_read_max(void *target, const struct value *value, struct schedd_error *err)
{
	struct job_details *details = target;

	details->retry_max_delay = SCHEDD_SPAN_NONE;
	return value->type == VALUE_NIL || value_is_text(value, "none")
		   ? 0
		   : duration_from_value(value, &details->retry_max_delay, err);
}

static int job_retry_read_on(void *target, const struct value *value, struct schedd_error *err)
{
	struct job_details *details = target;

	details->retry_on = job_retry_defaults()->retry_on;
	return value->type == VALUE_NIL ? 0 : job_codes_read(value, &details->retry_on, err);
}

static int job_retry_read(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	static const struct job_member rows[] = {
	    {"limit", job_retry_read_limit},
	    {"delay", job_retry_read_delay},
	    {"backoff", job_retry_read_backoff},
	    {"max_delay", job_retry_read_max},
	    {"on", job_retry_read_on},
	    {NULL, NULL},
	};
	struct job_details *details = job_details_edit(halves->job);

	(void)field;
	(void)context;
	if (!details)
		return schedd_error_nomem(err);
	if (value->type == VALUE_MAP)
		return job_member_read(value, rows, details, err);
	if (value->type == VALUE_INT)
		return job_retry_read_limit(details, value, err);
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "%s is neither a number of attempts nor {limit, delay, backoff, max_delay, on}",
	    value_type_name(value->type));
}

static bool job_retry_is_default(const struct job_halves *halves, const struct job_field *field)
{
	const struct job_details *details = job_details(halves->job);
	const struct job_details *defaults = job_retry_defaults();

	(void)field;
	return details->retry_limit == 0 && details->retry_delay == defaults->retry_delay &&
	       details->retry_backoff == defaults->retry_backoff &&
	       details->retry_max_delay == defaults->retry_max_delay && !details->retry_on.given;
}

static struct value job_retry_write(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	const struct job_details *details = job_details(halves->job);
	struct value map = value_map();

	if (job_retry_is_default(halves, field))
		return value_nil();
	value_put(arena, &map, "limit", value_int(details->retry_limit));
	value_put(arena, &map, "delay", duration_to_value(details->retry_delay));
	value_put(arena, &map, "backoff",
	    details->retry_backoff == floor(details->retry_backoff)
		? value_int((int64_t)details->retry_backoff)
		: value_real(details->retry_backoff));
	value_put(arena, &map, "max_delay", duration_to_value(details->retry_max_delay));
	value_put(arena, &map, "on", job_codes_write(&details->retry_on, arena));
	return map;
}

static void job_retry_reset(const struct job_halves *halves, const struct job_field *field)
{
	const struct job_details *defaults = job_retry_defaults();
	struct job_details *details = halves->job->details;

	(void)field;
	details->retry_limit = defaults->retry_limit;
	details->retry_delay = defaults->retry_delay;
	details->retry_backoff = defaults->retry_backoff;
	details->retry_max_delay = defaults->retry_max_delay;
	details->retry_on = defaults->retry_on;
}

const struct job_field_ops job_retry_ops = {
    .read = job_retry_read,
    .write = job_retry_write,
    .is_default = job_retry_is_default,
    .reset = job_retry_reset,
};
