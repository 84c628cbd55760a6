/* SPDX-License-Identifier: MIT */
/* The life of a compiled schedule and what it knows about itself. */
#include "trigger/cron.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "trigger/cron_parse.h"
#include "trigger/cron_stretch.h"
#include "trigger/cron_wall.h"

/* What a dialect is called in messages. */
static const char *const labels[] = {
    [CRON_CRONTAB] = "cron",
    [CRON_FIELDS] = "fields",
    [CRON_QUARTZ] = "quartz",
    [CRON_ONCALENDAR] = "on-calendar",
};

static int parse_dialect(struct cron_reader *reader, enum cron_dialect dialect,
    struct cron_draft *draft, char *canonical, struct cron_slice *zone)
{
	switch (dialect) {
	case CRON_CRONTAB:
		return cron_crontab_parse(reader, draft, canonical);
	case CRON_FIELDS:
		return cron_fields_parse(reader, draft, canonical);
	case CRON_QUARTZ:
		return cron_quartz_parse(reader, draft, canonical);
	case CRON_ONCALENDAR:
		return cron_oncalendar_parse(reader, draft, canonical, zone);
	}
	return cron_reader_fail(reader, reader->text, "unknown dialect");
}

int cron_parse(enum cron_dialect dialect, const char *text, const struct cron_draw *draw,
    struct cron **out, char **zone_name, struct schedd_error *err)
{
	char canonical[CRON_CANONICAL_MAX];
	struct cron_slice zone = {NULL, NULL};
	struct cron_reader reader;
	struct cron_draft draft;
	int rc;

	*out = NULL;
	if (zone_name)
		*zone_name = NULL;
	cron_draft_init(&draft, draw);
	rc = cron_reader_open(&reader, labels[dialect], text, err);
	if (rc == SCHEDD_OK)
		rc = parse_dialect(&reader, dialect, &draft, canonical, &zone);
	if (rc == SCHEDD_OK && zone.start && !zone_name)
		rc = cron_reader_fail(&reader, zone.start, "no time zone is expected here");
	if (rc != SCHEDD_OK) {
		cron_draft_clear(&draft);
		return rc;
	}
	rc = cron_draft_finish(&draft, dialect, canonical, strlen(canonical), out, err);
	if (rc != SCHEDD_OK || !zone.start)
		return rc;
	*zone_name = strndup(zone.start, (size_t)(zone.end - zone.start));
	if (*zone_name)
		return SCHEDD_OK;
	cron_free(*out);
	*out = NULL;
	return schedd_error_nomem(err);
}

bool cron_moved(const struct cron *cron, const struct zone *zone, schedd_time fire)
{
	struct cron_stretch stretch;
	int64_t at = fire / SCHEDD_SECOND, wall;

	if (fire < 0 || fire > SCHEDD_TIME_MAX || fire % SCHEDD_SECOND != 0)
		return false;
	cron_stretch_at(zone, at, &stretch);
	if (stretch.begin <= at - CRON_STRETCH_NEAR)
		return false;
	cron_stretch_opening(cron, zone, &stretch);
	wall = at + stretch.offset;
	if (stretch.gap == 0 || at >= stretch.begin + stretch.gap ||
	    cron_wall_next(cron, wall) == wall)
		return false;
	wall -= stretch.gap;
	return cron_wall_next(cron, wall) == wall;
}

bool cron_left_out(const struct cron *cron, const struct zone *zone, schedd_time after,
    schedd_time fire, int32_t *day)
{
	int64_t from = after / SCHEDD_SECOND, until = fire / SCHEDD_SECOND;
	struct zone_span span;

	if (!(cron->flags & CRON_WILDCARD))
		return false;
	zone_span_at(zone, from, &span);
	/* A gap lies where a later offset begins. */
	while (span.end <= until) {
		int32_t before = span.offset;
		int64_t change = span.end, wall;

		zone_span_at(zone, change, &span);
		wall = cron_wall_next(cron, change + before);
		if (wall >= change + span.offset)
			continue;
		*day = (int32_t)(wall / CRON_DAY_SECONDS);
		if ((from + zone_offset(zone, from)) / CRON_DAY_SECONDS < *day &&
		    (until + zone_offset(zone, until)) / CRON_DAY_SECONDS > *day)
			return true;
	}
	return false;
}
