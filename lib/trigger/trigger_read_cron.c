/* SPDX-License-Identifier: MIT */
/*
 * Reading cron triggers of all dialects: zones named in the expression, draws
 * that are kept, and the sharing of what many jobs have in common.
 */
#include "trigger/trigger_read.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <stdlib.h>
#include <sys/random.h>
#include "trigger/trigger_cache.h"
#include "trigger/trigger_text.h"

/* Seeds are integers that every reader of JSON keeps exactly. */
#define CRON_SEED_MAX ((UINT64_C(1) << 53) - 1)

static uint64_t cron_random_seed(void)
{
	uint64_t seed = 0;

	while (getrandom(&seed, sizeof(seed), 0) < 0 && errno == EINTR)
		continue;
	return seed;
}

static uint64_t cron_seed(uint64_t seed)
{
	seed &= CRON_SEED_MAX;
	return seed ? seed : 1;
}

static int cron_compile(const struct trigger_frame *frame, uint64_t seed, struct cron **out,
    char **zone, struct schedd_error *err)
{
	enum cron_dialect dialect = (enum cron_dialect)frame->form->variant;
	struct cron_draw draw = {.job_id = frame->context->job_id, .seed = seed};
	const char *text;

	*zone = NULL;
	if (dialect == CRON_FIELDS && frame->own->type == VALUE_MAP)
		return cron_parse_fields(frame->own, &draw, out, err);
	text = trigger_form_text(frame, frame->own, frame->form->key, err);
	if (!text)
		return SCHEDD_EINVAL;
	return cron_parse(dialect, text, &draw, out, dialect == CRON_ONCALENDAR ? zone : NULL, err);
}

/* The zone behind an OnCalendar expression, where "timezone" must not say otherwise. */
static int cron_own_zone(struct trigger_frame *frame, const char *name, struct schedd_error *err)
{
	const struct zone *zone = zone_utc();

	if (strcasecmp(name, zone_name(zone)) != 0) {
		if (!frame->context->zones)
			return trigger_form_error(frame, err, "no time zone but UTC is known here");
		if (zone_cache_get(frame->context->zones, name, &zone, err))
			return SCHEDD_EINVAL;
	}
	if (frame->keys[TRIGGER_KEY_TIMEZONE] &&
	    strcmp(zone_name(zone), zone_name(frame->zone)) != 0)
		return trigger_form_error(frame, err,
		    "the expression names the zone %s, 'timezone' says %s", name,
		    zone_name(frame->zone));
	frame->zone = zone;
	return 0;
}

/*
 * Compiles with the seed that is given, else that of the same text before, else
 * a new one. *seed becomes what it was drawn from.
 */
static int cron_draw(struct trigger_frame *frame, struct cron **out, char **zone, uint64_t *seed,
    struct schedd_error *err)
{
	const struct value *given = frame->keys[TRIGGER_KEY_SEED];
	const struct cron *old = NULL;
	uint64_t fresh;
	int rc;

	*seed = 1;
	if (given) {
		if (given->type != VALUE_INT || given->integer < 1 ||
		    given->integer > (int64_t)CRON_SEED_MAX)
			return trigger_form_error(
			    frame, err, "'seed' must be an integer from 1 to 2^53 - 1");
		*seed = (uint64_t)given->integer;
	} else if (frame->previous) {
		trigger_cron_get(frame->previous, &old, seed);
	}
	rc = cron_compile(frame, *seed, out, zone, err);
	if (rc)
		return rc;
	if (given && !cron_has_draw(*out)) {
		cron_free(*out);
		free(*zone);
		return trigger_form_error(
		    frame, err, "'seed' is for expressions with a~b, of which there is none");
	}
	if (given || !cron_has_draw(*out) ||
	    (old && cron_dialect(old) == cron_dialect(*out) &&
		strcmp(cron_text(old), cron_text(*out)) == 0))
		return 0;
	fresh = cron_seed(frame->context->seed ? frame->context->seed : cron_random_seed());
	*seed = fresh;
	cron_free(*out);
	free(*zone);
	return cron_compile(frame, fresh, out, zone, err);
}

/* The shared trigger, or one that shares its expression where bounds have to be set. Takes shared.
 */
static int cron_shared(const struct trigger_frame *frame, struct schedd_trigger *shared,
    struct schedd_trigger **out, struct schedd_error *err)
{
	*out = shared;
	if (!trigger_bounds_set(&frame->bounds))
		return 0;
	*out = trigger_cron_share(shared);
	trigger_unref(shared);
	return *out ? 0 : schedd_error_nomem(err);
}

/* Looks for the expression as it is written: canonical forms are found without being parsed. */
static struct schedd_trigger *cron_lookup(const struct trigger_frame *frame)
{
	enum cron_dialect dialect = (enum cron_dialect)frame->form->variant;
	struct schedd_trigger *found;
	struct strbuf text = STRBUF_EMPTY;

	if (frame->keys[TRIGGER_KEY_SEED])
		return NULL;
	if (frame->own->type == VALUE_STRING)
		return trigger_cache_get(
		    frame->context->cache, dialect, frame->own->string.text, frame->zone);
	if (dialect != CRON_FIELDS || frame->own->type != VALUE_MAP)
		return NULL;
	trigger_text_fields(frame->own, &text);
	found = trigger_cache_get(frame->context->cache, dialect, strbuf_peek(&text), frame->zone);
	strbuf_clear(&text);
	return found;
}

/* Makes a trigger of a new expression, or finds the one that is there already. Takes cron. */
static int cron_finish(const struct trigger_frame *frame, struct cron *cron, uint64_t seed,
    struct schedd_trigger **out, struct schedd_error *err)
{
	struct trigger_cache *cache = frame->context->cache;
	struct schedd_trigger *trigger;

	if (!cache || cron_has_draw(cron) || cron_has_hash(cron)) {
		*out = trigger_cron_new(frame->zone, cron, seed);
		return *out ? 0 : schedd_error_nomem(err);
	}
	trigger = trigger_cache_get(cache, cron_dialect(cron), cron_text(cron), frame->zone);
	if (trigger) {
		cron_free(cron);
	} else {
		trigger = trigger_cron_new(frame->zone, cron, seed);
		if (!trigger)
			return schedd_error_nomem(err);
		trigger_cache_put(cache, trigger);
	}
	return cron_shared(frame, trigger, out, err);
}

int trigger_read_cron(
    struct trigger_frame *frame, struct schedd_trigger **out, struct schedd_error *err)
{
	struct schedd_trigger *found = frame->context->cache ? cron_lookup(frame) : NULL;
	struct cron *cron;
	uint64_t seed;
	char *zone;
	int rc;

	if (found)
		return cron_shared(frame, found, out, err);
	rc = cron_draw(frame, &cron, &zone, &seed, err);
	if (rc)
		return rc;
	if (zone) {
		rc = cron_own_zone(frame, zone, err);
		free(zone);
		if (rc) {
			cron_free(cron);
			return rc;
		}
	}
	return cron_finish(frame, cron, seed, out, err);
}
