/* SPDX-License-Identifier: MIT */
/*
 * A trigger in plain English: what its kind says, then what bounds it. Wall
 * times always come with their zone.
 */
#include "trigger/trigger_words.h"

#include <stdio.h>
#include <string.h>
#include "base/civil.h"
#include "base/duration.h"
#include "trigger/trigger_ops.h"

void trigger_words_parts(
    struct strbuf *out, const struct trigger_words_part *parts, size_t count, bool each)
{
	size_t total = 0, done = 0;

	for (size_t i = 0; i < count; i++)
		total += parts[i].count != 0;
	for (size_t i = 0; i < count; i++) {
		const struct trigger_words_part *part = &parts[i];

		if (part->count == 0)
			continue;
		done++;
		if (done > 1)
			strbuf_add(out, done == total ? " and " : ", ");
		if (part->count != 1 || total > 1 || !each) {
			strbuf_add_integer(out, part->count);
			strbuf_add_char(out, ' ');
		}
		strbuf_add(out, part->unit);
		if (part->count != 1)
			strbuf_add_char(out, 's');
	}
}

void trigger_words_span(struct strbuf *out, schedd_span span, bool each)
{
	const struct trigger_words_part parts[] = {
	    {span / SCHEDD_HOUR, "hour"},
	    {span % SCHEDD_HOUR / SCHEDD_MINUTE, "minute"},
	    {span % SCHEDD_MINUTE / SCHEDD_SECOND, "second"},
	};
	const struct trigger_words_part days = {span / SCHEDD_DAY, "day"};
	schedd_span micro = span % SCHEDD_SECOND;

	if (micro != 0) {
		char digits[32];

		snprintf(digits, sizeof(digits), "%06lld", (long long)micro);
		for (size_t end = strlen(digits); end > 0 && digits[end - 1] == '0'; end--)
			digits[end - 1] = '\0';
		strbuf_printf(out, "%lld.%s seconds", (long long)(span / SCHEDD_SECOND), digits);
	} else if (span % SCHEDD_DAY == 0 && days.count > 1) {
		trigger_words_parts(out, &days, 1, each);
		strbuf_add(out, " of 24 hours");
	} else if (span == 0) {
		strbuf_add(out, "0 seconds");
	} else {
		trigger_words_parts(out, parts, sizeof(parts) / sizeof(parts[0]), each);
	}
}

void trigger_words_time(struct strbuf *out, schedd_time when, const struct zone *zone)
{
	int64_t second = when / SCHEDD_SECOND, micro = when % SCHEDD_SECOND;
	struct zone_span span;
	struct civil civil;

	zone_span_at(zone, second, &span);
	civil_from_seconds(second + span.offset, &civil);
	strbuf_printf(out, "%04d-%02d-%02d %02d:%02d", civil.year, civil.month, civil.day,
	    civil.hour, civil.minute);
	if (civil.second != 0 || micro != 0)
		strbuf_printf(out, ":%02d", civil.second);
	if (micro != 0)
		strbuf_printf(out, ".%06d", (int)micro);
	if (trigger_fold_note(zone, when) != TRIGGER_NOTE_NONE)
		strbuf_printf(out, " %s", span.abbreviation);
}

void trigger_words_zone(struct strbuf *out, const struct zone *zone)
{
	strbuf_printf(out, ", %s", zone_name(zone));
}

static void words_bounds(const struct schedd_trigger *trigger, struct strbuf *out)
{
	const struct trigger_bounds *bounds = trigger->bounds;

	if (bounds->start != SCHEDD_TIME_NONE) {
		strbuf_add(out, ", not before ");
		trigger_words_time(out, bounds->start, trigger->zone);
	}
	if (bounds->end != SCHEDD_TIME_NONE) {
		strbuf_add(out, ", not after ");
		trigger_words_time(out, bounds->end, trigger->zone);
	}
	if (bounds->splay > 0) {
		strbuf_add(out, ", delayed by ");
		duration_format(out, bounds->offset);
		strbuf_add(out, " of up to ");
		duration_format(out, bounds->splay);
	}
	if (bounds->jitter > 0) {
		strbuf_add(out, ", each run delayed at random by up to ");
		duration_format(out, bounds->jitter);
	}
}

void trigger_words(const struct schedd_trigger *trigger, struct strbuf *out)
{
	trigger->ops->words(trigger, out);
	if (trigger->bounds)
		words_bounds(trigger, out);
}
