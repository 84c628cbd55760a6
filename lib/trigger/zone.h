/* SPDX-License-Identifier: MIT */
/*
 * Time zones: TZif files (RFC 9636) read by ourselves, never through TZ or
 * libc, so that any number of zones and threads can be used side by side.
 *
 * A struct zone is a handle that lives as long as its cache. What it knows is
 * an immutable table behind an atomic pointer: zone_cache_refresh() puts a new
 * table in place when the file changed, and readers never lock.
 */
#ifndef SCHEDD_TRIGGER_ZONE_H
#define SCHEDD_TRIGGER_ZONE_H

#include <stdbool.h>
#include <stdint.h>
#include <schedd/clock.h>
#include <schedd/error.h>

struct zone;
struct zone_cache;

/* An unbroken stretch of time with one offset. */
struct zone_span {
	int64_t begin;	      /* first second, INT64_MIN: since ever */
	int64_t end;	      /* first second after it, INT64_MAX: for ever */
	int32_t offset;	      /* seconds east of UTC */
	bool dst;	      /* the file calls it daylight saving */
	char abbreviation[8]; /* "CET"; cut if longer */
};

/* What a wall-clock reading means. */
enum zone_wall_kind {
	ZONE_UNIQUE, /* one instant */
	ZONE_GAP,    /* none: the clock jumped over it */
	ZONE_FOLD,   /* two: the clock was put back */
};

struct zone_wall {
	enum zone_wall_kind kind;
	int64_t first;	/* the instant; in a fold the earlier one; in a gap: at the offset that held before
			   the gap, i.e. moved forward by its length (RFC 5545 3.3.5) */
	int64_t second; /* in a fold the later one; in a gap: at the offset that holds after it */
	int64_t change; /* for GAP and FOLD: the instant of the change */
};

/* directory NULL: TZDIR, else /usr/share/zoneinfo. NULL: no memory. */
struct zone_cache *zone_cache_new(const char *directory);
void zone_cache_free(struct zone_cache *cache);
/*
 * The zone of an IANA name ("Europe/Berlin", "UTC"), any case. Names that
 * could leave the directory are refused. SCHEDD_EINVAL says "unknown time zone
 * 'Europe/Berln', did you mean 'Europe/Berlin'?". Thread-safe.
 */
int zone_cache_get(struct zone_cache *cache, const char *name, const struct zone **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* UTC, which is always there, also without any database. */
const struct zone *zone_utc(void);
/*
 * Reads again every file that changed. Returns how many zones now give other
 * answers than before (the caller recomputes its next run times).
 */
int zone_cache_refresh(struct zone_cache *cache);
/* The directory it reads, for a watch. */
const char *zone_cache_directory(const struct zone_cache *cache);

const char *zone_name(const struct zone *zone);
/* The stretch that holds the given second. */
void zone_span_at(const struct zone *zone, int64_t second, struct zone_span *out);
/* The offset at that second, seconds east. */
int32_t zone_offset(const struct zone *zone, int64_t second);
/* What the wall reading (seconds as if UTC, see civil_seconds) means in the zone. */
void zone_wall(const struct zone *zone, int64_t wall, struct zone_wall *out);

#endif
