/* SPDX-License-Identifier: MIT */
/* Reading instants and lengths of time, and the sentences of what is no such thing. */
#include "trigger/trigger_read.h"

#include "base/duration.h"
#include "base/iso8601.h"
#include "trigger/when.h"

int trigger_read_error(
    const struct trigger_frame *frame, const char *key, struct schedd_error *err, int rc)
{
	if (rc == SCHEDD_ENOMEM)
		return rc;
	schedd_error_prefix(err, frame->depth == 0 ? "trigger: '%s'" : "'%s'", key);
	return rc;
}

/* RFC 3339 in full, as everything that was written by us: most of what is ever read. */
static bool read_instant(const struct value *value, schedd_time *out)
{
	struct iso8601 iso;
	int64_t second;

	if (value->type != VALUE_STRING || value->string.length == 0 ||
	    iso8601_scan(value->string.text, &iso) != value->string.length || !iso.has_time ||
	    !iso.has_offset)
		return false;
	second = civil_seconds(&iso.civil) - iso.offset;
	if (second < 0 || second > SCHEDD_TIME_MAX / SCHEDD_SECOND)
		return false;
	*out = second * SCHEDD_SECOND + iso.civil.micro;
	return true;
}

int trigger_read_time(const struct trigger_frame *frame, const struct value *value, const char *key,
    bool date_is_end, schedd_time *out, struct schedd_error *err)
{
	struct when_context when = {
	    .zones = frame->context->zones,
	    .zone = frame->zone,
	    .now = frame->context->now,
	    .strict = frame->context->strict,
	    .date_is_end = date_is_end,
	};
	int rc;

	if (read_instant(value, out))
		return 0;
	if (value->type == VALUE_STRING && !trigger_form_text(frame, value, key, err))
		return SCHEDD_EINVAL;
	rc = when_from_value(value, &when, out, err);
	return rc ? trigger_read_error(frame, key, err, rc) : 0;
}

int trigger_read_span(const struct trigger_frame *frame, const struct value *value, const char *key,
    schedd_span *out, struct schedd_error *err)
{
	int rc;

	if (value->type == VALUE_STRING && !trigger_form_text(frame, value, key, err))
		return SCHEDD_EINVAL;
	rc = duration_from_value(value, out, err);
	if (rc)
		return trigger_read_error(frame, key, err, rc);
	if (*out > TRIGGER_SPAN_MAX)
		return trigger_form_error(frame, err, "'%s' is longer than 100000 days", key);
	return 0;
}
